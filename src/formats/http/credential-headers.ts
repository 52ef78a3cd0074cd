/**
 * Headers of a request that carry a key or token for this API, in the order in which they are read. They belong to the caller and to
 * the one server whose key it is; a server may read another of them than we do.
 */
export const KEY_HEADERS = [
  // RFC 9110 §11.6.2, with the scheme Bearer of RFC 6750: OpenAI's SDKs, and nearly all others.
  'authorization',
  // Anthropic's SDKs.
  'x-api-key',
  // Azure OpenAI.
  'api-key',
] as const

/** The header that carries a browser's session with the server that gave it (RFC 6265 §5.4). */
export const SESSION_HEADER = 'cookie'

/** The header that lists the subprotocols of a WebSocket (RFC 6455 §11.3.4); one of them may be a key. */
export const SUBPROTOCOLS_HEADER = 'sec-websocket-protocol'

/** The prefix of the subprotocol that holds a browser's key: a browser can set no headers on a WebSocket (OpenAI's realtime API). */
export const KEY_SUBPROTOCOL = 'openai-insecure-api-key.'

/**
 * All headers of a request that carry a credential, in lower case. `proxy-authorization` is for the next proxy alone (RFC 9110
 * §11.7.2), which is this server: nobody reads it here, and it goes nowhere.
 *
 * Each place that hides, compares or removes credentials takes this list, or derives its own from it with the reason beside it.
 *
 * @example
 * for (const name of CREDENTIAL_HEADERS) restore(headers, name)
 */
export const CREDENTIAL_HEADERS = [...KEY_HEADERS, SESSION_HEADER, 'proxy-authorization', SUBPROTOCOLS_HEADER] as const

/**
 * Removes all credentials from a request's headers. Of the subprotocols only the keys go: the others are no secret.
 *
 * @example
 * removeCredentials(headers)
 */
export function removeCredentials(headers: Headers): void {
  const protocols = headers.get(SUBPROTOCOLS_HEADER)
  for (const name of CREDENTIAL_HEADERS) if (name !== SUBPROTOCOLS_HEADER) headers.delete(name)
  if (!protocols?.includes(KEY_SUBPROTOCOL)) return
  const others = protocols.split(',').filter((one) => !one.trim().startsWith(KEY_SUBPROTOCOL))
  if (others.length > 0) headers.set(SUBPROTOCOLS_HEADER, others.join(',').trim())
  else headers.delete(SUBPROTOCOLS_HEADER)
}

/**
 * Gives the keys among the subprotocols of a WebSocket, by the value of their header; null: it is absent.
 *
 * @example
 * subprotocolKeys('realtime, openai-insecure-api-key.sk-1') // ['sk-1']
 */
export function subprotocolKeys(protocols: string | null): readonly string[] {
  if (!protocols?.includes(KEY_SUBPROTOCOL)) return []
  const keys = protocols.split(',').map((one) => one.trim())
  return keys.filter((one) => one.startsWith(KEY_SUBPROTOCOL)).map((one) => one.slice(KEY_SUBPROTOCOL.length))
}

/**
 * Writes a key as the value of a header: behind `Bearer ` in `authorization`, and alone in any other. The name is in lower case.
 *
 * @example
 * headers.set(keyHeader, keyHeaderValue(keyHeader, key.reveal()))
 */
export function keyHeaderValue(name: string, key: string): string {
  return name === 'authorization' ? `Bearer ${key}` : key
}
