import { isEncoded } from '../formats/bytes/decode-body.ts'
import { joinBytes } from '../formats/bytes/join-bytes.ts'
import { isJsonObject } from '../formats/json/json.ts'
import { STATEFUL_RESOURCES } from './resources.ts'

/** A response tells it in its first event, or near its beginning. */
const LOOKED_THROUGH_BYTES = 1024 * 1024
/**
 * Members of a response, or the name of an event, that exist only if its upstream works on it by itself. In a text of a model
 * or a caller, their quotation marks are escaped.
 */
const IN_BACKGROUND =
  /(?<!\\)(?:"background"\s*:\s*true|"status"\s*:\s*"queued"|"response\.queued")|^event: ?response\.queued/m
/** Resources whose requests make no object that works on without them. */
const ANSWERED_AT_ONCE: ReadonlySet<string> = new Set(['responses', 'realtime', 'live'])

/**
 * Whether a request starts work that goes on upstream even if its answer is cut or never comes: a response in the background,
 * a job, a run, any object that is made there. `value`: its parsed body; `sent`: the body that goes upstream, if that differs or
 * was not parsed.
 *
 * @example
 * const isBackground = startsWork('videos', body, undefined)
 */
export function startsWork(endpoint: string, value: unknown, sent: Uint8Array | undefined): boolean {
  if (endpoint === 'responses') {
    return (isJsonObject(value) && value['background'] === true) || (sent !== undefined && saysBackground(sent))
  }
  const [resource = ''] = endpoint.split('/', 1)
  return STATEFUL_RESOURCES.has(resource) && !ANSWERED_AT_ONCE.has(resource)
}

/**
 * Whether the part of a broken answer that has come tells that its upstream works on, though nobody may have asked for that. An
 * encoded answer can't tell, so that is assumed.
 *
 * @example
 * const isUnknown = worksOn('responses', answer.headers, chunks)
 */
export function worksOn(
  endpoint: string,
  headers: Headers,
  chunks: readonly { readonly bytes: Uint8Array }[],
): boolean {
  if (endpoint !== 'responses') return false
  if (isEncoded(headers.get('content-encoding'))) return true
  const looked: Uint8Array[] = []
  let bytes = 0
  for (const chunk of chunks) {
    if (bytes >= LOOKED_THROUGH_BYTES) break
    looked.push(chunk.bytes)
    bytes += chunk.bytes.byteLength
  }
  return saysBackground(joinBytes(looked))
}

function saysBackground(text: Uint8Array): boolean {
  return IN_BACKGROUND.test(new TextDecoder().decode(text.subarray(0, LOOKED_THROUGH_BYTES)))
}
