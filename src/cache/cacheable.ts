import { isJsonObject, type JsonObject } from '../formats/json/json.ts'
import { type RequestControl, readRequestControl, type TtlSettings } from './request-control.ts'

/** The parts of a request that decide about the cache. */
export interface CacheRequest {
  readonly method: string
  /** The path below `/v1/`, such as `chat/completions`. */
  readonly endpoint: string
  /** The parsed body; undefined: none, or one that was not read. */
  readonly body: unknown
  readonly headers: Headers
}

/** Which requests the cache is for, and for how long. */
export interface CacheableSettings extends TtlSettings {
  /** `deterministic`: only those that ask for the same answer each time; `all`: the rest, too. */
  readonly requests: 'deterministic' | 'all'
}

/** Why the cache has no part in a request: a token that `Cache-Status` can show. */
export type BypassCause =
  | 'method'
  | 'endpoint'
  | 'body'
  | 'conditional'
  | 'no-store'
  | 'kept-upstream'
  | 'not-deterministic'

/** Whether the cache has a part in a request. */
export type Judgement =
  | { readonly kind: 'cacheable'; readonly why: CacheableCause; readonly control: RequestControl }
  | { readonly kind: 'bypass'; readonly why: BypassCause; readonly control: RequestControl }

/** Why the cache has a part in a request. */
export type CacheableCause = 'deterministic' | 'all-requests'

/** Endpoints whose answers are sampled. */
const SAMPLED = new Set(['chat/completions', 'completions', 'responses'])
/** Endpoints whose answers follow from their input. */
const COMPUTED = new Set(['embeddings', 'moderations'])
const MODELS = /^models(?:\/[^/]+)*$/
/** Types of tools that the caller runs itself; all others look something up while the answer is made. */
const OWN_TOOLS = new Set(['function', 'custom'])
const CONDITIONS = [
  'if-none-match',
  'if-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
  'range',
] as const

/**
 * Whether the body decides if a request is for the cache.
 *
 * @example
 * if (isJudgedByBody('POST', 'embeddings')) …
 */
export function isJudgedByBody(method: string, endpoint: string): boolean {
  return method === 'POST' && (SAMPLED.has(endpoint) || COMPUTED.has(endpoint))
}

/**
 * Judges whether a request's answer may come from the cache and go into it, and reads what the request says about that.
 *
 * @example
 * const { kind, control } = judgeRequest({ method: 'POST', endpoint: 'embeddings', body, headers }, settings.cache)
 */
export function judgeRequest(request: CacheRequest, settings: CacheableSettings): Judgement {
  const control = readRequestControl(request.headers, settings)
  const bypass = bypassCauseOf(request)
  if (bypass !== undefined) return { kind: 'bypass', why: bypass, control }
  // No lookup and no storing: `no-store`.
  if (!(control.mayLook || control.mayStore)) return { kind: 'bypass', why: 'no-store', control }
  if (isDeterministic(request)) return { kind: 'cacheable', why: 'deterministic', control }
  if (settings.requests === 'all') return { kind: 'cacheable', why: 'all-requests', control }
  return { kind: 'bypass', why: 'not-deterministic', control }
}

function bypassCauseOf({ method, endpoint, body, headers }: CacheRequest): BypassCause | undefined {
  const isModels = MODELS.test(endpoint)
  if (!(isModels || SAMPLED.has(endpoint) || COMPUTED.has(endpoint))) return 'endpoint'
  if (method !== (isModels ? 'GET' : 'POST')) return 'method'
  if (CONDITIONS.some((name) => headers.has(name))) return 'conditional'
  if (isModels) return body === undefined ? undefined : 'body'
  if (!isJsonObject(body)) return 'body'
  return isKeptUpstream(endpoint, body) ? 'kept-upstream' : undefined
}

/** Whether the call leaves something behind upstream, or goes on from what may change there. */
function isKeptUpstream(endpoint: string, body: JsonObject): boolean {
  if (endpoint !== 'responses') return body['store'] === true
  // Responses are kept unless that is declined.
  return body['store'] !== false || body['background'] === true || isGiven(body['conversation'])
}

function isDeterministic({ endpoint, body }: CacheRequest): boolean {
  if (!SAMPLED.has(endpoint)) return true
  return isJsonObject(body) && asksForTheSame(body) && !looksThingsUp(body)
}

function asksForTheSame(body: JsonObject): boolean {
  return body['temperature'] === 0 || isGiven(body['seed'])
}

/**
 * Whether the tools in a body decide about the cache; no other list or object in it does.
 *
 * @example
 * const json = isJudgedByTools('chat/completions', partlyRead.outline) ? await readMembers(partlyRead, TOOLS) : partlyRead
 */
export function isJudgedByTools(endpoint: string, body: unknown): boolean {
  return SAMPLED.has(endpoint) && isJsonObject(body) && asksForTheSame(body)
}

/** Whether the upstream makes the answer with a search or a program of its own, which find something else tomorrow. */
function looksThingsUp(body: JsonObject): boolean {
  if (isGiven(body['web_search_options'])) return true
  const tools = body['tools']
  return Array.isArray(tools) && tools.some((tool) => !(isJsonObject(tool) && OWN_TOOLS.has(String(tool['type']))))
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}
