import { canDecode, decodeStream, isEncoded } from '../formats/bytes/decode-body.ts'
import { isJsonType } from '../formats/json/json-type.ts'
import { type RenameModel, reportModel } from './report-model.ts'

/** Puts the names that callers use for models into one answer. */
export interface ShownNames {
  /** Whether it is encoded, so that it can be changed only as it comes. */
  readonly isEncoded: boolean
  /** Of a body that is there as a whole, and not encoded. */
  readonly whole: (body: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>
  /** Of one that comes in pieces; it goes on decoded, in a length that nobody knows beforehand, and the headers say so. */
  readonly stream: (body: ReadableStream<Uint8Array>) => ReadableStream<Uint8Array>
}

/**
 * Makes what puts other names of models into an answer with these headers; undefined: it holds none, since it is neither JSON nor
 * a stream of events, or has a coding that nobody knows.
 *
 * @example
 * const names = showNames(answer.headers, () => 'smart')
 */
export function showNames(headers: Headers, rename: RenameModel): ShownNames | undefined {
  const type = headers.get('content-type')
  const isJson = isJsonType(type)
  if (!(isJson || type?.toLowerCase().startsWith('text/event-stream') === true)) return undefined
  const codings = headers.get('content-encoding')
  if (!canDecode(codings)) return undefined
  const { json, events } = reportModel(rename)
  const { whole, stream } = isJson ? json : events
  return {
    isEncoded: isEncoded(codings),
    whole,
    stream(body) {
      const plain = decodeStream(body, codings)
      headers.delete('content-length')
      headers.delete('content-encoding')
      return stream(plain)
    },
  }
}
