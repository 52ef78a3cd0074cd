import { isJsonObject, type Json, type JsonObject } from '../../json/json.ts'
import { providerModel } from './litellm-providers.ts'
import { DEPLOYMENT, noteRest } from './litellm-reasons.ts'
import type { Upstreams } from './litellm-upstreams.ts'
import { numberAt, numberOf, sectionOf, textOf, translateValue, variableOf } from './litellm-values.ts'
import { memberPath, type Note } from './untranslated.ts'

/** One entry of `model_list` that could be translated. */
export interface Deployment {
  /** Of its `litellm_params`. */
  readonly path: string
  /** The name that callers use. */
  readonly name: string
  readonly id: string | undefined
  readonly upstream: string
  /** The upstream's name for the model. */
  readonly model: string
  readonly order: number | undefined
  /** What LiteLLM takes as its share of the requests, in the order in which it looks for one. */
  readonly shares: {
    readonly weight: number | undefined
    readonly rpm: number | undefined
    readonly tpm: number | undefined
  }
  readonly timeoutSeconds: number | undefined
  readonly streamTimeoutSeconds: number | undefined
  readonly retries: number | undefined
  /** Parameters of requests that leave them out. */
  readonly defaults: JsonObject
}

/** Parameters of OpenAI's requests. */
const REQUEST_PARAMETERS: ReadonlySet<string> = new Set([
  ...['temperature', 'top_p', 'max_tokens', 'max_completion_tokens', 'max_output_tokens', 'n', 'stop', 'seed', 'user'],
  ...['presence_penalty', 'frequency_penalty', 'logit_bias', 'logprobs', 'top_logprobs', 'response_format', 'tools'],
  ...['tool_choice', 'parallel_tool_calls', 'functions', 'function_call', 'reasoning_effort', 'reasoning', 'verbosity'],
  ...['service_tier', 'store', 'stream_options', 'modalities', 'audio', 'prediction', 'web_search_options', 'suffix'],
  ...['dimensions', 'encoding_format', 'voice', 'speed', 'size', 'quality', 'style', 'language', 'prompt', 'top_k'],
  ...['safety_identifier', 'prompt_cache_key', 'thinking'],
])

const TRANSLATED: ReadonlySet<string> = new Set([
  ...[
    'model',
    'api_base',
    'base_url',
    'api_key',
    'api_version',
    'organization',
    'headers',
    'extra_headers',
    'extra_body',
  ],
  ...['custom_llm_provider', 'timeout', 'stream_timeout', 'num_retries', 'max_retries', 'weight', 'order'],
  ...['max_parallel_requests', 'model_info', ...REQUEST_PARAMETERS],
])

/**
 * Reads `model_list`: what of it goes to an upstream that speaks OpenAI's protocol, in order.
 *
 * @example
 * const deployments = readDeployments(models, upstreams, note)
 */
export function readDeployments(models: readonly Json[], upstreams: Upstreams, note: Note): Deployment[] {
  return models.flatMap((entry, index) => readEntry(entry, `model_list[${index}]`, upstreams, note))
}

function readEntry(entry: Json, path: string, upstreams: Upstreams, note: Note): Deployment[] {
  if (!isJsonObject(entry)) {
    note(path, 'is no model: it is left out')
    return []
  }
  const name = textOf(entry['model_name'])
  const params = sectionOf(entry, 'litellm_params')
  const written = textOf(params['model'])
  const paramsPath = memberPath(path, 'litellm_params')
  if (name === undefined || written === undefined) {
    note(path, 'has no model_name or no litellm_params.model: it is left out')
    return []
  }
  const problem = starProblem(name, written)
  if (problem !== undefined) {
    note(memberPath(path, 'model_name'), problem)
    return []
  }
  const found = providerModel(written, textOf(params['custom_llm_provider']))
  if (found?.known === undefined) {
    const why =
      variableOf(written) === undefined
        ? whyForeign(found?.provider)
        : 'comes from a variable, and so its provider is not known'
    note(memberPath(paramsPath, 'model'), `${why}: it is left out`)
    return []
  }
  if (written === '*') {
    note(memberPath(paramsPath, 'model'), 'goes to OpenAI whatever the name: name other providers as in anthropic/*')
  }
  noteParts(entry, path, note)
  noteRest(params, TRANSLATED, paramsPath, DEPLOYMENT, note)
  const { known, model } = found
  const organizations = params['organization']
  const each = Array.isArray(organizations) ? organizations : [organizations ?? null]
  return each.flatMap((organization) => {
    const upstream = upstreams.nameFor(known, { ...params, organization }, paramsPath)
    if (upstream === undefined) return []
    return [{ ...describe(entry, params, paramsPath, note), name, upstream, model: String(translateValue(model)) }]
  })
}

function describe(
  entry: JsonObject,
  params: JsonObject,
  path: string,
  note: Note,
): Omit<Deployment, 'name' | 'upstream' | 'model'> {
  const number = (key: string): number | undefined => numberAt(params, key, path, note)
  return {
    path,
    id: textOf(sectionOf(entry, 'model_info')['id']),
    order: number('order'),
    shares: {
      weight: number('weight'),
      rpm: number('rpm') ?? numberOf(entry['rpm']),
      tpm: number('tpm') ?? numberOf(entry['tpm']),
    },
    timeoutSeconds: number('timeout'),
    streamTimeoutSeconds: number('stream_timeout'),
    retries: number('num_retries') ?? number('max_retries'),
    defaults: defaultsOf(params),
  }
}

function defaultsOf(params: JsonObject): JsonObject {
  const named = Object.entries(params).filter(([key, value]) => REQUEST_PARAMETERS.has(key) && value !== null)
  const extra = Object.entries(sectionOf(params, 'extra_body')).filter(([key]) => key !== 'model')
  return Object.fromEntries([...named, ...extra].map(([key, value]) => [key, translateValue(value)]))
}

/** What stands beside `litellm_params`. */
function noteParts(entry: JsonObject, path: string, note: Note): void {
  noteRest(entry, new Set(['model_name', 'litellm_params', 'model_info']), path, DEPLOYMENT, note)
  const facts = Object.keys(sectionOf(entry, 'model_info')).filter((key) => key !== 'id')
  if (facts.length > 0) note(memberPath(path, 'model_info'), 'is not there: NexCode keeps no facts about models')
}

function starProblem(name: string, model: string): string | undefined {
  if (name.split('*').length > 2) return 'has more than one *: it is left out'
  if (model.split('*').length > 2) return 'stands for a model with more than one *: it is left out'
  return model.includes('*') && !name.includes('*') ? 'has no * although its model has one: it is left out' : undefined
}

function whyForeign(provider: string | undefined): string {
  if (provider === undefined) return 'names no provider (as in openai/gpt-4o)'
  return `is of the provider ${provider}, which is not known to speak OpenAI’s protocol (if its server does, call it openai/… with its api_base)`
}
