import {
  assertCoding,
  assertLength,
  FIELD_LINES,
  METHODS,
  oddFieldLine,
  oddRequestLine,
  REQUEST_LINE,
  refused,
} from './head-lines.ts'
import { startOf } from './head-so-far.ts'

/** The head of an HTTP/1.x request: text is Latin-1, one character for each byte (RFC 9112 §2.2). */
export interface RequestHead {
  readonly method: string
  /** Exactly as it stands on the request line (RFC 9112 §3.2). */
  readonly target: string
  readonly isHttp10: boolean
  /** A standard one without its body. Its URL is for routing by its path only; the Host is among the headers. */
  readonly request: Request
  /** Bytes of the body that follows; `CHUNKED` where it tells its own end. */
  readonly bodyBytes: number
  /** Where the body begins in the bytes that were read. */
  readonly end: number
}

/** A body in the chunked coding (RFC 9112 §7.1). */
export const CHUNKED = -1

/** Request line and headers together; nginx and Node give about as much. */
const HEAD_BYTES_MAX = 16 * 1024
/** Elysia takes the first slash from the seventh character on for the path's, and reads none of this. */
const ORIGIN = 'http://nexcode.invalid'

/**
 * Reads the head of a request off the bytes of a connection; undefined: its end has not come.
 *
 * It takes what RFC 9112 spells and nothing else, because what two servers read in two ways can be smuggled past one
 * of them (§11.2): no bare CR or LF, no folded line, no space before a colon, one length, and `chunked` as the only
 * coding. Throws `malformed_request`,
 * `method_not_allowed`, `invalid_target`, `invalid_header` or `headers_too_large`.
 *
 * @example
 * const head = readRequestHead(bytes)
 */
export function readRequestHead(bytes: Buffer): RequestHead | undefined {
  const from = startOf(bytes)
  const end = bytes.indexOf('\r\n\r\n', from, 'latin1')
  if ((end === -1 ? bytes.byteLength : end + 4) - from > HEAD_BYTES_MAX)
    throw refused('headers_too_large', 'a long head')
  if (end === -1) return undefined
  const text = bytes.toString('latin1', from, end + 2)
  REQUEST_LINE.lastIndex = 0
  const line = REQUEST_LINE.exec(text)
  if (line === null) throw oddRequestLine(text)
  const [, method = '', target = '', minor] = line
  if (!METHODS.has(method)) throw refused('method_not_allowed', 'a method')
  // Its own headers are filled: headers that are made first would be copied.
  const request = new Request(ORIGIN + (target.startsWith('/') ? target : '/'), { method })
  readFields(text, REQUEST_LINE.lastIndex, request.headers)
  const isHttp10 = minor === '0'
  return { method, target, isHttp10, request, bodyBytes: bodyBytesOf(request.headers, isHttp10), end: end + 4 }
}

/** Checks all header lines at once, and then cuts them: a match for each of them would cost more than both. */
function readFields(text: string, from: number, headers: Headers): void {
  FIELD_LINES.lastIndex = from
  FIELD_LINES.test(text)
  // Where nothing matched, it is set back to the beginning.
  if (from < text.length && FIELD_LINES.lastIndex !== text.length)
    throw oddFieldLine(text.slice(Math.max(from, FIELD_LINES.lastIndex)))
  for (let at = from; at < text.length; ) {
    const colon = text.indexOf(':', at)
    const end = text.indexOf('\r\n', colon)
    headers.append(text.slice(at, colon), text.slice(colon + 1, end))
    at = end + 2
  }
}

/** The length of the body, spelled in the one way that every hop reads alike; repeated headers are joined by a comma. */
function bodyBytesOf(headers: Headers, isHttp10: boolean): number {
  const coding = headers.get('transfer-encoding')
  const length = headers.get('content-length')
  if (coding !== null) {
    assertCoding(coding, length !== null, isHttp10)
    return CHUNKED
  }
  if (length === null) return 0
  assertLength(length)
  return Number(length)
}
