// These functions do not parse a media type's parameters: each looks at the beginning of a `Content-Type`, in any case, as
// lenient readers do. null or undefined: there is no `Content-Type`.

const JSON_TYPE = /^application\/(?:json|[\w.+-]+\+json)/i
const JSON_OR_VAGUE = /^(?:application\/(?:json|[\w.+-]+\+json|x-www-form-urlencoded)|text\/plain)/i
const EVENT_STREAM = /^text\/event-stream/i
const PAGE = /^text\/html/i
const VAGUE = /^(?:text\/plain\b|$)/i

/**
 * Whether a `Content-Type` says JSON (RFC 8259 §11, RFC 6839 §3.1).
 *
 * @example
 * if (isJsonType(answer.headers.get('content-type'))) …
 */
export function isJsonType(contentType: string | null | undefined): boolean {
  return typeof contentType === 'string' && JSON_TYPE.test(contentType)
}

/**
 * Whether the body of a request may be JSON by its `Content-Type`: JSON's own, none, or one that clients send by default,
 * whatever the body is (curl's is a form).
 *
 * @example
 * if (mayBeJsonRequest(request.headers.get('content-type'))) …
 */
export function mayBeJsonRequest(contentType: string | null | undefined): boolean {
  return typeof contentType !== 'string' || JSON_OR_VAGUE.test(contentType)
}

/**
 * Whether the `Content-Type` of an answer is absent or `text/plain`, which some servers send with any body.
 *
 * @example
 * if (isVagueType(answer.headers.get('content-type'))) …
 */
export function isVagueType(contentType: string | null | undefined): boolean {
  return VAGUE.test(contentType ?? '')
}

/**
 * Whether a `Content-Type` says server-sent events (WHATWG HTML §9.2).
 *
 * @example
 * const isStream = isEventStream(answer.headers.get('content-type'))
 */
export function isEventStream(contentType: string | null | undefined): boolean {
  return typeof contentType === 'string' && EVENT_STREAM.test(contentType)
}

/**
 * Whether a `Content-Type` says HTML: a page, such as a proxy's or a login's.
 *
 * @example
 * if (isPage(answer.headers.get('content-type'))) …
 */
export function isPage(contentType: string | null | undefined): boolean {
  return typeof contentType === 'string' && PAGE.test(contentType)
}
