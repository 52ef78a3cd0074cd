import { TOKEN } from '../../formats/http/hop-by-hop.ts'
import { ApiError } from '../../openai/api-error.ts'
import type { ErrorKind } from '../../openai/error-catalogue.ts'

/** A standard `Request` makes GET of a method that it does not know, and capitals of `get`, which is another one. */
export const METHODS: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE'],
])

/** One line of a request, as far as RFC 9112 §3 spells it: method, target and minor version. Sticky. */
export const REQUEST_LINE = new RegExp(`(${TOKEN}) ([\\x21-\\x7e]+) HTTP/1\\.([01])\\r\\n`, 'y')
/** Lines of headers, one behind the other (RFC 9112 §5). Sticky. */
export const FIELD_LINES = new RegExp(`(?:${TOKEN}:[\\t -~\\x80-\\xff]*\\r\\n)+`, 'y')

/** As many digits as every number of bytes needs that JavaScript can count. */
const LENGTH = /^\d{1,15}$/
/** What may be wrong in a line whose form is right. */
const ODD_TARGET = new RegExp(`^${TOKEN} [^\\r\\n]+ HTTP/1\\.[01]\\r\\n`)
const ODD_METHOD = new RegExp(`^(?!${TOKEN} )`)
const ODD_VALUE = new RegExp(`^${TOKEN}:[^\\r\\n]*(?:\\r\\n|$)`)

/** What is wrong with a line of headers; `text` begins with it. */
export function oddFieldLine(text: string): ApiError {
  return refused(ODD_VALUE.test(text) ? 'invalid_header' : 'malformed_request', 'a header line')
}

/** What is wrong with a request line. */
export function oddRequestLine(text: string): ApiError {
  if (ODD_METHOD.test(text)) return refused('method_not_allowed', 'a method')
  return refused(ODD_TARGET.test(text) ? 'invalid_target' : 'malformed_request', 'a request line')
}

/** Asserts that the length of a body is spelled in the one way that every hop reads alike. */
export function assertLength(length: string): void {
  if (!LENGTH.test(length)) throw refused('malformed_request', 'a content length')
}

/**
 * Asserts that a transfer coding is `chunked` alone, without a length beside it. HTTP/1.0 has no codings, and a hop before this
 * one may have read such a request in another way (RFC 9112 §6.1).
 */
export function assertCoding(coding: string, hasLength: boolean, isHttp10: boolean): void {
  if (hasLength || isHttp10 || coding.toLowerCase() !== 'chunked')
    throw refused('malformed_request', 'a transfer coding')
}

/** An error of the catalogue, whose cause says what of the head is wrong, and none of its bytes. */
export function refused(kind: ErrorKind, what: string): ApiError {
  return new ApiError(kind, { cause: `malformed: ${what}` })
}
