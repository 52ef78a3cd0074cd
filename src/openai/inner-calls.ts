import { isJsonObject, type JsonObject } from '../json/json.ts'
import { endpointOf } from './endpoint-of.ts'

/** A call with all its parameters, within another request. */
export interface InnerCall {
  readonly body: JsonObject
  /** Below `/v1/`; undefined: it does not say. */
  readonly endpoint: string | undefined
  /** Where: `requests[3].params`. */
  readonly param: string
}

/** Endpoints whose calls may come many at once: in a list, or in a file's lines. */
const BATCHED = [
  ...['chat/completions', 'completions', 'responses', 'embeddings', 'moderations', 'images/generations'],
  ...['images/edits', 'videos', 'messages', 'fim/completions', 'agents/completions', 'classifications', 'ocr'],
]
/** Those that bring them. */
const BRINGING = /^(?:batches|batch\/jobs|messages\/batches|files|uploads)$/

/**
 * The endpoints that a request may bring calls of, beside its own: rules for these are rules for what is in it.
 *
 * @example
 * broughtBy('messages/batches') // 'messages' among others
 */
export function broughtBy(endpoint: string): readonly string[] {
  return BRINGING.test(endpoint) ? BATCHED : NONE
}

const NONE: readonly string[] = []

/** The calls that a request makes at once: `requests: [{ params: {…} }]` (Anthropic), `[{ body: {…}, url }]` (Mistral). */
export function innerCalls({ requests, endpoint }: JsonObject): readonly InnerCall[] {
  if (!Array.isArray(requests)) return []
  return requests.flatMap((one: unknown, at) => {
    if (!isJsonObject(one)) return []
    return ['params', 'body'].flatMap((key) => {
      const body = one[key]
      const path = one['url'] ?? endpoint
      const called = typeof path === 'string' ? endpointOf(path) : undefined
      return isJsonObject(body) ? [{ body, endpoint: called, param: `requests[${at}].${key}` }] : []
    })
  })
}

/** Whether a file's purpose says that it is a batch's. */
export function isBatchPurpose(purpose: unknown): boolean {
  return typeof purpose === 'string' && /batch/i.test(purpose)
}
