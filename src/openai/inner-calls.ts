import { isJsonObject, type JsonObject } from '../formats/json/json.ts'
import { endpointOf } from './endpoint-of.ts'
import { bringsCall } from './inner-members.ts'

/** A call with all its parameters, within another request. */
export interface InnerCall {
  readonly body: JsonObject
  /** The path below `/v1/`; undefined: the call does not name it. */
  readonly endpoint: string | undefined
  /** The place of the call: `requests[3].params`. */
  readonly param: string
}

/** Endpoints whose calls may come in batches: in a list, or in a file's lines. */
const BATCHED = [
  ...['chat/completions', 'completions', 'responses', 'embeddings', 'moderations', 'images/generations'],
  ...['images/edits', 'videos', 'messages', 'fim/completions', 'agents/completions', 'classifications', 'ocr'],
]
/** The endpoints that take such batches. */
const BRINGING = /^(?:batches|batches\/[^/]+\/requests|batch\/jobs|messages\/batches|files|uploads)$/

/**
 * Gives the endpoints whose calls a request may hold beside its own: rules for these also apply to the calls in it.
 *
 * @example
 * broughtBy('messages/batches') // 'messages' among others
 */
export function broughtBy(endpoint: string): readonly string[] {
  return BRINGING.test(endpoint) ? BATCHED : NONE
}

const NONE: readonly string[] = []

/**
 * Gives the calls in a list of a request: `requests: [{ params: {…} }]` (Anthropic), `[{ body: {…}, url }]` (Mistral), or a list of
 * another name.
 *
 * @example
 * for (const { body, endpoint } of innerCalls(value)) judge(body, endpoint)
 */
export function innerCalls(value: JsonObject): readonly InnerCall[] {
  return Object.entries(value).flatMap(([name, list]) =>
    Array.isArray(list) && name !== 'messages' ? callsIn(list, name, value['endpoint']) : NO_CALLS,
  )
}

const NO_CALLS: readonly InnerCall[] = []

function callsIn(list: readonly unknown[], name: string, endpoint: unknown): readonly InnerCall[] {
  return list.flatMap((one, at) => callsOf(one, [name, at], endpoint))
}

/**
 * Gives the calls in an element of such a list; `endpoint` is the body's own, for calls that name none.
 *
 * @example
 * for (const call of callsOf(one, ['requests', 3], value['endpoint'])) judge(call)
 */
export function callsOf(one: unknown, [name, at]: readonly [string, number], endpoint: unknown): readonly InnerCall[] {
  if (!bringsCall(one)) return NO_CALLS
  const path = one['url'] ?? endpoint
  const called = typeof path === 'string' ? endpointOf(path) : undefined
  return ['params', 'body'].flatMap((key) => {
    const body = one[key]
    return isJsonObject(body) ? [{ body, endpoint: called, param: `${name}[${at}].${key}` }] : NO_CALLS
  })
}

/** The most calls that are judged at once. */
const AT_ONCE_MAX = 100

/**
 * Gives the names of a body's lists with more calls than are judged at once.
 *
 * @example
 * longLists({ requests: [{ params }, …] }) // ['requests'], if there are hundreds
 */
export function longLists(value: JsonObject): readonly string[] {
  return Object.keys(value).filter((name) => {
    const list = value[name]
    return Array.isArray(list) && list.length > AT_ONCE_MAX && name !== 'messages' && list.some(bringsCall)
  })
}

/**
 * Whether a file's purpose is a batch.
 *
 * @example
 * isBatchPurpose('batch') // true
 */
export function isBatchPurpose(purpose: unknown): boolean {
  return typeof purpose === 'string' && /batch/i.test(purpose)
}
