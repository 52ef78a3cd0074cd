import { isJsonObject, type Json, type JsonObject } from '../../formats/json/json.ts'
import { deploymentOf } from './litellm-address.ts'
import { providerModel } from './litellm-providers.ts'
import type { TimeoutRules } from './litellm-timeouts.ts'
import type { Upstreams } from './litellm-upstreams.ts'
import {
  defaultsOf,
  numberAt,
  numberOf,
  REQUEST_PARAMETERS,
  sectionOf,
  textOf,
  translateValue,
  variableOf,
} from './litellm-values.ts'
import { DEPLOYMENT, memberPath, type NoteUntranslated, noteRest, UNNEEDED } from './untranslated.ts'

/** An entry of `model_list` that could be translated. */
export interface LitellmDeployment {
  /** The path of its `litellm_params`. */
  readonly path: string
  /** The name that callers use. */
  readonly name: string
  readonly id: string | undefined
  readonly upstream: string
  /** The upstream's name for the model. */
  readonly model: string
  readonly order: number | undefined
  /** The values that LiteLLM takes as its share of the requests, in the order in which it looks for one. */
  readonly shares: {
    readonly weight: number | undefined
    readonly rpm: number | undefined
    readonly tpm: number | undefined
  }
  readonly retries: number | undefined
  readonly retriesKey: 'num_retries' | 'max_retries'
  /** Defaults of the parameters that requests leave out. */
  readonly defaults: JsonObject
}

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
  ...['custom_llm_provider', 'timeout', 'request_timeout', 'stream_timeout', 'num_retries', 'max_retries', 'weight'],
  'order',
  ...['max_parallel_requests', 'model_info', ...REQUEST_PARAMETERS],
])

/** The dependencies of reading deployments. */
export interface DeploymentTools {
  readonly upstreams: Upstreams
  readonly timeouts: TimeoutRules
  readonly note: NoteUntranslated
}

/**
 * Reads `model_list`: the entries whose upstream speaks OpenAI's protocol, in order.
 *
 * @example
 * const deployments = readDeployments(models, { upstreams, timeouts, note })
 */
export function readDeployments(models: readonly Json[], tools: DeploymentTools): LitellmDeployment[] {
  return models.flatMap((entry, index) => readEntry(entry, `model_list[${index}]`, tools))
}

function readEntry(entry: Json, path: string, { upstreams, timeouts, note }: DeploymentTools): LitellmDeployment[] {
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
  if (written.startsWith(`${textOf(params['custom_llm_provider']) ?? ''}/`)) {
    note(memberPath(paramsPath, 'custom_llm_provider'), UNNEEDED)
  }
  if (found.isResponses) {
    note(
      memberPath(paramsPath, 'model'),
      'goes where its callers ask: LiteLLM makes calls of /v1/responses of their chats',
    )
  }
  noteParts(entry, path, note)
  noteRest(params, TRANSLATED, paramsPath, DEPLOYMENT, note)
  noteShapes(params, paramsPath, note)
  const { known } = found
  const model = deploymentOf(known, params) ?? found.model
  if (model !== found.model)
    note(memberPath(paramsPath, 'model'), `is ${model} there, the deployment that api_base names`)
  const waits = timeouts.ofDeployment(params, paramsPath)
  const organizations = params['organization']
  const each = Array.isArray(organizations) ? organizations : [organizations ?? null]
  return each.flatMap((organization) => {
    const upstream = upstreams.nameFor(known, { ...params, organization }, paramsPath, waits)
    if (upstream === undefined) return []
    return [{ ...describe(entry, params, paramsPath, note), name, upstream, model: String(translateValue(model)) }]
  })
}

function describe(
  entry: JsonObject,
  params: JsonObject,
  path: string,
  note: NoteUntranslated,
): Omit<LitellmDeployment, 'name' | 'upstream' | 'model'> {
  const number = (key: string): number | undefined => numberAt(params, key, path, note)
  const [ofCall, ofClient] = [number('num_retries'), number('max_retries')]
  if (ofCall !== undefined && ofClient !== undefined) {
    note(memberPath(path, 'max_retries'), 'is passed over: num_retries goes before it')
  }
  return {
    path,
    id: textOf(sectionOf(entry, 'model_info')['id']),
    order: number('order'),
    shares: {
      weight: number('weight'),
      rpm: number('rpm') ?? numberOf(entry['rpm']),
      tpm: number('tpm') ?? numberOf(entry['tpm']),
    },
    retries: ofCall ?? ofClient,
    retriesKey: ofCall === undefined && ofClient !== undefined ? 'max_retries' : 'num_retries',
    defaults: defaultsOf(params),
  }
}

/** Lists settings whose values have the wrong type. */
function noteShapes(params: JsonObject, path: string, note: NoteUntranslated): void {
  for (const key of ['headers', 'extra_headers', 'extra_body']) {
    const value = params[key] ?? null
    if (value !== null && !isJsonObject(value)) note(memberPath(path, key), 'is no section: it is left out')
  }
  for (const key of ['api_base', 'base_url', 'api_key', 'api_version', 'custom_llm_provider', 'organization']) {
    const value = params[key] ?? null
    const isList = key === 'organization' && Array.isArray(value)
    if (value !== null && !isList && textOf(value) === undefined)
      note(memberPath(path, key), 'is no text: it is left out')
  }
  if (params['extra_body'] !== undefined && sectionOf(params, 'extra_body')['model'] !== undefined) {
    note(memberPath(memberPath(path, 'extra_body'), 'model'), 'is left out: targets name the model')
  }
}

/** Lists untranslated settings beside `litellm_params`. */
function noteParts(entry: JsonObject, path: string, note: NoteUntranslated): void {
  noteRest(entry, new Set(['model_name', 'litellm_params', 'model_info']), path, DEPLOYMENT, note)
  const info = entry['model_info'] ?? null
  const facts = Object.keys(sectionOf(entry, 'model_info'))
  const at = memberPath(path, 'model_info')
  if (info !== null && !isJsonObject(info)) note(at, 'is no section: it is left out')
  if (facts.length > 0) note(at, `is not there: NexCode keeps no facts about models (${facts.join(', ')})`)
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
