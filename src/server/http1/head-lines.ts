import { TOKEN } from '../../formats/http/hop-by-hop.ts'
import { ApiError } from '../../openai/api-error.ts'
import type { ErrorKind } from '../../openai/error-catalogue.ts'

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
