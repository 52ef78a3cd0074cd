import { endpointOf } from '../openai/endpoint-of.ts'
import { endpointPath } from '../openai/endpoint-path.ts'

/** What is counted of a request: a call of a model; an object that was made before, whose cost its answer tells now; or nothing. */
export type MeteredKind =
  | { readonly kind: 'call' }
  /** `id`: of a batch, or of a response that was made in the background. */
  | { readonly kind: 'batch' | 'response'; readonly id: string }

const CALLS =
  /^(?:chat\/completions|completions|responses|responses\/compact|embeddings|moderations|images\/(?:generations|edits|variations)|audio\/(?:speech|transcriptions|translations)|messages|rerank|ocr|fim\/completions|classifications)$/
const OBJECTS = /^(batches|responses)\/([^/]+)$/
const CALL: MeteredKind = { kind: 'call' }
/** Nearly all calls have one of these targets. */
const ORDINARY: ReadonlySet<string> = new Set(['/v1/chat/completions', '/v1/responses', '/v1/embeddings'])

/**
 * What is counted of a request; undefined: nothing.
 *
 * @example
 * meteredKind('GET', '/v1/batches/batch_1') // { kind: 'batch', id: 'batch_1' }
 */
export function meteredKind(method: string, target: string): MeteredKind | undefined {
  if (method === 'POST') {
    if (ORDINARY.has(target)) return CALL
    return CALLS.test(endpointPath(endpointOf(target))) ? CALL : undefined
  }
  if (method !== 'GET') return undefined
  const [, resource, id] = OBJECTS.exec(endpointOf(target)) ?? []
  if (id === undefined) return undefined
  return { kind: resource === 'batches' ? 'batch' : 'response', id }
}
