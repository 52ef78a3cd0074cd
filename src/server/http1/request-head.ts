import type { BodilessRequest } from '../../exchange/arrival.ts'
import { TOKEN } from '../../formats/http/hop-by-hop.ts'
import { ApiError } from '../../openai/api-error.ts'
import type { ErrorKind } from '../../openai/error-catalogue.ts'
import type { HeadMemory, RequestLine } from './head-memory.ts'

/** Only these are accepted: a standard `Request` turns an unknown method into GET, and `get`, which is another method, into `GET`. */
export const KNOWN_METHODS: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE'],
])

/** A request line as RFC 9112 §3 spells it: method, target and minor version. Sticky. */
export const REQUEST_LINE = new RegExp(`(${TOKEN}) ([\\x21-\\x7e]+) HTTP/1\\.([01])\\r\\n`, 'y')
/** Header lines, one behind the other (RFC 9112 §5). Sticky. */
export const FIELD_LINES = new RegExp(`(?:${TOKEN}:[\\t -~\\x80-\\xff]*\\r\\n)+`, 'y')

/** A length: as many digits as JavaScript can count exactly. */
const LENGTH = /^\d{1,15}$/
/** Patterns of lines with the right form but one wrong part. */
const ODD_TARGET = new RegExp(`^${TOKEN} [^\\r\\n]+ HTTP/1\\.[01]\\r\\n`)
const ODD_METHOD = new RegExp(`^(?!${TOKEN} )`)
const ODD_VALUE = new RegExp(`^${TOKEN}:[^\\r\\n]*(?:\\r\\n|$)`)

/** Gives where the head begins: one empty line before it is left over from the last body (RFC 9112 §2.2). */
export function startOf(bytes: Buffer): 0 | 2 {
  return bytes[0] === 0x0d && bytes[1] === 0x0a ? 2 : 0
}

/** Makes the error for a header line that is not well-formed; `text` begins with it. */
export function oddFieldLine(text: string): ApiError {
  return refused(ODD_VALUE.test(text) ? 'invalid_header' : 'malformed_request', 'a header line')
}

/** Makes the error for a request line that is not well-formed. */
export function oddRequestLine(text: string): ApiError {
  if (ODD_METHOD.test(text)) return refused('method_not_allowed', 'a method')
  return refused(ODD_TARGET.test(text) ? 'invalid_target' : 'malformed_request', 'a request line')
}

/** Asserts that the length of a body is spelled in the one way that every hop reads alike. Throws `malformed_request`. */
export function assertLength(length: string): void {
  if (!LENGTH.test(length)) throw refused('malformed_request', 'a content length')
}

/**
 * Asserts that a transfer coding is `chunked` alone, without a length beside it. HTTP/1.0 has no codings, and a hop before this
 * one may have read such a request in another way (RFC 9112 §6.1). Throws `malformed_request`.
 */
export function assertCoding(coding: string, hasLength: boolean, isHttp10: boolean): void {
  if (hasLength || isHttp10 || coding.toLowerCase() !== 'chunked')
    throw refused('malformed_request', 'a transfer coding')
}

/** Makes an error of the catalogue. Its cause names the part of the head that is wrong, and holds none of its bytes. */
export function refused(kind: ErrorKind, what: string): ApiError {
  return new ApiError(kind, { cause: `malformed: ${what}` })
}

/** The head of an HTTP/1.x request: text is Latin-1, one character for each byte (RFC 9112 §2.2). */
export interface RequestHead extends RequestLine {
  /** Whether the client lets the connection go on behind this request (RFC 9112 §9.3). */
  readonly keepsAlive: boolean
  /** Its URL serves only to route by its path; the Host is among the headers. */
  readonly request: BodilessRequest
  /** The length of the body that follows, in bytes; `CHUNKED` where its last chunk tells the end. */
  readonly bodyBytes: number
  /** Where the body begins in the bytes that were read. */
  readonly end: number
}

/** A body in the chunked coding (RFC 9112 §7.1). */
export const CHUNKED = -1

/** The limit on request line and headers together; nginx and Node have about the same. */
const HEAD_BYTES_MAX = 16 * 1024
/** A stand-in: Elysia looks for the path's first slash from the seventh character on, and reads none of the origin. */
const ORIGIN = 'http://nexcode.invalid'

/**
 * Reads the head of a request from the bytes of a connection; undefined: its end has not come.
 *
 * Accepts only what RFC 9112 spells, because a request that two servers read in two ways can be smuggled past one of
 * them (§11.2): no bare CR or LF, no folded line, no space before a colon, one length, and `chunked` as the only
 * coding. Throws `malformed_request`, `method_not_allowed`, `invalid_target`, `invalid_header` or `headers_too_large`.
 *
 * `memory` remembers the head: lines that it knows are not checked, and not cut into headers, again.
 *
 * @example
 * const head = readRequestHead(bytes)
 */
export function readRequestHead(bytes: Buffer, memory?: HeadMemory): RequestHead | undefined {
  const from = startOf(bytes)
  const end = bytes.indexOf('\r\n\r\n', from, 'latin1')
  if ((end === -1 ? bytes.byteLength : end + 4) - from > HEAD_BYTES_MAX)
    throw refused('headers_too_large', 'a long head')
  if (end === -1) return undefined
  const text = bytes.toString('latin1', from, end + 2)
  const known = memory?.find(text)
  if (known !== undefined) return headOf(known.line, known.request, end + 4)
  const line = readLine(text)
  const { method, target } = line
  const headers = readFields(text, text.indexOf('\r\n') + 2)
  const request = { method, url: ORIGIN + (target.startsWith('/') ? target : '/'), headers }
  const head = headOf(line, request, end + 4)
  memory?.learn(text, line, request)
  return head
}

function readLine(text: string): RequestLine {
  REQUEST_LINE.lastIndex = 0
  const line = REQUEST_LINE.exec(text)
  if (line === null) throw oddRequestLine(text)
  const [, method = '', target = '', minor] = line
  if (!KNOWN_METHODS.has(method)) throw refused('method_not_allowed', 'a method')
  return { method, target, isHttp10: minor === '0' }
}

function headOf({ method, target, isHttp10 }: RequestLine, request: BodilessRequest, end: number): RequestHead {
  const { headers } = request
  const keepsAlive = method !== 'CONNECT' && allowsMore(headers.get('connection'), isHttp10)
  return { method, target, isHttp10, keepsAlive, request, bodyBytes: bodyBytesOf(headers, isHttp10), end }
}

function allowsMore(connection: string | null, isHttp10: boolean): boolean {
  if (connection === null) return !isHttp10
  const options = connection.toLowerCase()
  return !options.includes('close') && (!isHttp10 || options.includes('keep-alive'))
}

/** Whether a request asks for a WebSocket (RFC 6455 §4.2.1). */
export function wantsWebSocket({ method, bodyBytes, request }: RequestHead): boolean {
  if (method !== 'GET' || bodyBytes !== 0) return false
  if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') return false
  return request.headers.get('connection')?.toLowerCase().includes('upgrade') === true
}

/**
 * Checks all header lines with one match, and then cuts them: a match for each line would cost more than both. Throws what `oddFieldLine`
 * finds.
 */
function readFields(text: string, from: number): Headers {
  FIELD_LINES.lastIndex = from
  FIELD_LINES.test(text)
  // A test that fails sets `lastIndex` back to 0.
  if (from < text.length && FIELD_LINES.lastIndex !== text.length)
    throw oddFieldLine(text.slice(Math.max(from, FIELD_LINES.lastIndex)))
  const headers = new Headers()
  for (let at = from; at < text.length; ) {
    const colon = text.indexOf(':', at)
    const end = text.indexOf('\r\n', colon)
    headers.append(text.slice(at, colon), text.slice(colon + 1, end))
    at = end + 2
  }
  return headers
}

/** The length of the body. Repeated headers are joined by a comma, and refused by that. Throws `malformed_request`. */
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
