import { type Static, Type } from '@sinclair/typebox'
import { STATEFUL_RESOURCES } from '../../openai/stateful-resources.ts'
import { CacheSection, ExtensionsSection } from './schema/answering.ts'
import { type EditorSchema, editorSchema } from './schema/editor-schema.ts'
import { closed, duration, mapOf, optional, text, words } from './schema/fields.ts'
import { AllOpen, ModelEntry, ReportModel } from './schema/model.ts'
import { RuleEntry } from './schema/params.ts'
import { renderReference } from './schema/render-reference.ts'
import { BreakerSection, HedgeSection, RetrySection, TimeoutsSection } from './schema/resilience.ts'
import { UpstreamEntry } from './schema/upstream.ts'

const PinsSection = Type.Unsafe<Readonly<Record<string, string>>>(
  closed(
    'pins',
    Object.fromEntries(
      [...STATEFUL_RESOURCES].map((name) => [
        name,
        optional(text(), `The upstream that holds what is below /v1/${name}; #2 behind it: its second key.`, {
          examples: ['openai', 'openai#2'],
        }),
      ]),
    ),
  ),
)

/**
 * The configuration file, as it is checked: closed objects, so that no misspelt key goes unnoticed.
 *
 * Durations are milliseconds in its type, as they are once it has been checked.
 */
export const ConfigFile = closed('The file', {
  $schema: optional(Type.String(), 'The JSON Schema of this file, for editors; NexCode does not read it.', {
    examples: ['./nexcode.schema.json'],
  }),
  debug_headers: optional(Type.Boolean(), 'Whether responses carry Server-Timing and x-nexcode-* headers.', {
    'x-default': 'DEBUG_HEADERS',
  }),
  client_deadline: optional(Type.Boolean(), "Whether the SDKs' own timeouts end a request here, too.", {
    default: true,
  }),
  default_upstream: optional(text(), 'The upstream for what no model and no pin decides.', {
    'x-default': 'the first of upstreams',
    examples: ['openai'],
  }),
  unknown_models: optional(words(['pass', 'refuse']), 'What becomes of a model that no entry of models fits.', {
    default: 'pass',
  }),
  report_model: optional(
    ReportModel,
    "Whether an answer names the upstream's model, or the name that the caller used.",
    {
      default: 'upstream',
    },
  ),
  all_open: optional(AllOpen, 'Where all breakers are open: the least bad target is tried, or the request refused.', {
    default: 'try',
  }),
  timeouts: optional(TimeoutsSection, 'Time limits of one call.', { 'x-default': "the environment's" }),
  retry: optional(RetrySection, 'When a failed attempt is followed by another.'),
  breaker: optional(BreakerSection, 'When a target is left alone for a while; false: never.'),
  hedge: optional(HedgeSection, 'When a second target is asked although the first has not failed; false: never.', {
    'x-default': 'off',
  }),
  pins: optional(PinsSection, 'Which upstream, or which of its keys, holds the objects of a stateful resource.', {
    examples: [{ files: 'openai' }],
  }),
  upstreams: optional(
    mapOf(UpstreamEntry, { minProperties: 1 }),
    'The upstreams, by names of letters, digits, ".", ":", "_" and "-".',
    { 'x-default': "the environment's", examples: [{ openai: { preset: 'openai' } }] },
  ),
  models: optional(mapOf(ModelEntry), 'What stands behind the names that callers use; * is for any characters.', {
    examples: [{ smart: { targets: [{ upstream: 'openai', model: 'gpt-4o' }] } }],
  }),
  cache: optional(CacheSection, 'Where answers are kept for later requests; false: nowhere.', {
    'x-default': 'CACHE, else off',
  }),
  extensions: optional(
    ExtensionsSection,
    "Files with the user's own logic, in the order in which a request meets them.",
    {
      'x-default': 'EXTENSIONS',
      examples: [['./extensions/mask.ts']],
    },
  ),
  idempotency_window: optional(
    duration(),
    'How long the answer to an Idempotency-Key can be fetched again; 0: the header only passes.',
    { 'x-default': 'IDEMPOTENCY_WINDOW_MS' },
  ),
  on_client_disconnect: optional(
    words(['cancel', 'drain']),
    'Whether a call with an Idempotency-Key runs on when its client has left.',
    { 'x-default': 'ON_CLIENT_DISCONNECT' },
  ),
  params: optional(Type.Array(RuleEntry), 'What callers may set, and to what.', {
    examples: [[{ clamp: { max_tokens: { max: 1500 } } }]],
  }),
})
export type ConfigFile = Static<typeof ConfigFile>

/**
 * The JSON Schema of the configuration file, for editors that complete and check it.
 *
 * @example
 * process.stdout.write(JSON.stringify(jsonSchema(), null, 2))
 */
export function jsonSchema(): EditorSchema {
  return editorSchema(ConfigFile, 'urn:nexcode:configuration-file', 'NexCode configuration file')
}

/**
 * The reference of the configuration file as Markdown, for docs/configuration.md.
 *
 * @example
 * const tables = renderFileReference()
 */
export function renderFileReference(): string {
  return renderReference(ConfigFile)
}
