import { Type } from '@sinclair/typebox'
import { PRESETS } from '../../presets.ts'
import { CHECK_DEFAULTS, QUEUE_DEFAULTS } from '../resilience-defaults.ts'
import { closed, duration, mapOf, optional, required, text, words, writeDuration } from './fields.ts'
import { BreakerSection, TimeoutsSection } from './resilience.ts'

const ConcurrencySection = closed('concurrency', {
  max: required(Type.Integer({ minimum: 1, maximum: 65_535 }), 'Calls that the upstream gets at once.', {
    examples: [4],
  }),
  queue: optional(Type.Integer({ minimum: 0, maximum: 65_535 }), 'How many more may wait.', {
    default: QUEUE_DEFAULTS.queue,
  }),
  queue_timeout: optional(duration(), 'How long one waits; 0: no limit.', {
    default: writeDuration(QUEUE_DEFAULTS.queueMs),
  }),
})

const CheckSection = closed('check', {
  path: optional(
    text(),
    'What is asked for, from the root of the host; where nothing is there, beside /v1 or behind the base URL. /models: the list behind the base URL.',
    { 'x-default': "the preset's, else /models", examples: ['/health'] },
  ),
  every: optional(duration(1), 'Time between two checks.', { default: writeDuration(CHECK_DEFAULTS.everyMs) }),
  timeout: optional(duration(1), 'How long an answer may take.', { default: writeDuration(CHECK_DEFAULTS.timeoutMs) }),
})

const HIDDEN = { 'x-secret': true }

/** One entry of `upstreams`. */
export const UpstreamEntry = closed('upstream', {
  preset: optional(words(PRESETS.keys()), 'A provider whose base URL, key header, path and query are known.', {
    examples: ['openai'],
  }),
  base_url: optional(Type.String(), 'The base of its URLs, http or https, up to and including /v1 where it has that.', {
    'x-default': "the preset's",
    examples: ['http://127.0.0.1:11434/v1'],
  }),
  api_key: optional(Type.String(), "The server's key with it.", { ...HIDDEN, examples: [variable('OPENAI_API_KEY')] }),
  api_keys: optional(Type.Array(Type.String(HIDDEN), { minItems: 1, ...HIDDEN }), 'Several keys: a pool.', {
    examples: [[variable('KEY_A'), variable('KEY_B')]],
  }),
  api_key_file: optional(Type.String(), 'A file that holds the key, or several, one on each line.', {
    examples: ['/run/secrets/openai_api_key'],
  }),
  auth: optional(
    words(['server', 'caller', 'none']),
    "Whose key it is spoken to with: the server's, the caller's, none.",
    {
      'x-default': 'server with a key, else none',
    },
  ),
  key_header: optional(text(), 'The header that carries the key; behind Bearer in authorization, alone in any other.', {
    'x-default': "the preset's, else authorization",
    examples: ['api-key'],
  }),
  headers: optional(mapOf(Type.String(HIDDEN), HIDDEN), 'Headers that each call gets.', {
    examples: [{ 'x-team': 'red' }],
  }),
  query: optional(mapOf(Type.String(HIDDEN), HIDDEN), 'Query parameters that each URL gets.', {
    'x-default': "the preset's",
    examples: [{ 'api-version': '2024-10-21' }],
  }),
  path: optional(text(), 'The path behind the base URL for calls of a model, with {model} and {path} in it.', {
    'x-default': "the preset's, else the caller's",
    examples: ['/deployments/{model}{path}'],
  }),
  organization: optional(text(), 'The header OpenAI-Organization.', { examples: ['org-1'] }),
  project: optional(text(), 'The header OpenAI-Project.', { examples: ['proj_1'] }),
  timeouts: optional(TimeoutsSection, "Time limits of its calls; a model's go first, the top level's come after."),
  tls_ca: optional(text(), 'A file of certificate authorities (PEM) that it is trusted by, as seen from this file.', {
    examples: ['./ca.pem'],
  }),
  proxy: optional(Type.String(HIDDEN), 'URL of the proxy to reach it through; none: directly.', {
    'x-default': 'as the environment says',
    examples: ['http://proxy:3128'],
  }),
  concurrency: optional(ConcurrencySection, 'How many calls it gets at once.', { 'x-default': 'no limit' }),
  breaker: optional(
    BreakerSection,
    "When its targets are left alone for a while; what is not said is the top level's.",
  ),
  fit_params: optional(
    Type.Boolean(),
    'Whether parameters that the server of the preset is known to refuse are left out.',
    { default: true },
  ),
  check: optional(CheckSection, 'A request that asks it now and then how it is.', { 'x-default': 'none' }),
})

/** A variable as it is written in the file. */
function variable(name: string): string {
  return `\${${name}}`
}
