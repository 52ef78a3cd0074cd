import { inSlices } from '../../timing/slices.ts'

const FORM_BOUNDARY = /^multipart\/[^;]+;(?:.*;)?\s*boundary=(?:"([^"]+)"|([^\s;]+))/i
/** One character for each byte, and another one for another. */
const BYTES = new TextDecoder('latin1')
const TO_BYTES = new TextEncoder()
/** A form of more bytes is read in slices. */
const LONG_BYTES = 64 * 1024
const WINDOW_BYTES = 256 * 1024
const DASHES = 2

/**
 * Gives the bytes by which two tries of one request are compared: of a form, all but the boundary between its parts, which SDKs draw anew
 * for each try. At once, or for a long form in slices.
 *
 * @example
 * const body = await comparableBody(received, request.headers.get('content-type'))
 */
export function comparableBody(
  body: Uint8Array<ArrayBuffer>,
  type: string | null,
): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
  const [, quoted, plain] = FORM_BOUNDARY.exec(type ?? '') ?? []
  const boundary = quoted ?? plain
  if (boundary === undefined) return body
  if (body.byteLength > LONG_BYTES) return inSlices(withoutBoundaries(body, `--${boundary}`))
  return TO_BYTES.encode(BYTES.decode(body).replaceAll(`--${boundary}`, '--'))
}

/** A copy in which only the dashes of each delimiter are left. */
function* withoutBoundaries(
  body: Uint8Array<ArrayBuffer>,
  delimiter: string,
): Generator<void, Uint8Array<ArrayBuffer>, void> {
  const left = new Uint8Array(body.byteLength)
  let to = 0
  let from = 0
  const take = (end: number): void => {
    left.set(body.subarray(from, end), to)
    to += end - from
    from = end
  }
  while (from < body.byteLength) {
    const start = from
    const end = Math.min(start + WINDOW_BYTES, body.byteLength)
    const text = BYTES.decode(body.subarray(start, end))
    for (let at = text.indexOf(delimiter); at !== -1; at = text.indexOf(delimiter, at + delimiter.length)) {
      take(start + at + DASHES)
      from = start + at + delimiter.length
    }
    // A delimiter may begin in this window and end in the next.
    take(end === body.byteLength ? end : Math.max(from, end - delimiter.length + 1))
    yield
  }
  return left.subarray(0, to)
}
