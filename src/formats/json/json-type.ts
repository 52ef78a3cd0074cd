/** JSON's media types (RFC 8259 §11, RFC 6839 §3.1). */
const JSON_TYPE = /^application\/(?:json|[\w.+-]+\+json)/i

/**
 * Whether a `Content-Type` says JSON; null: there is none, and it does not.
 *
 * @example
 * if (isJsonType(answer.headers.get('content-type'))) …
 */
export function isJsonType(contentType: string | null): boolean {
  return contentType !== null && JSON_TYPE.test(contentType)
}
