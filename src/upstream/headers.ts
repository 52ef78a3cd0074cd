/** What names of headers and methods are made of: the source of a regular expression (RFC 9110 §5.6.2). */
export const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"

const NAME = new RegExp(`^${TOKEN}$`)

/**
 * Headers that belong to one connection and never cross a proxy (RFC 9110 §7.6.1, with RFC 2616's
 * `Keep-Alive` and the de-facto `Proxy-Connection`).
 */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

const HOP_BY_HOP_NAMES = [...HOP_BY_HOP]

/** Headers of a request that speak of this hop: the host we are called by, and the wait for `100 Continue`. */
const REQUEST_ONLY_HERE = ['host', 'expect'] as const

/**
 * The caller's headers that go upstream: all but the hop-by-hop ones, those named by `Connection`, and Host.
 *
 * @example
 * const headers = requestHeaders(request.headers)
 */
export function requestHeaders(incoming: Headers): Headers {
  const headers = new Headers(incoming)
  removeHopByHop(headers)
  for (const name of REQUEST_ONLY_HERE) headers.delete(name)
  return headers
}

/**
 * Upstream's headers that go to the caller: all but the hop-by-hop ones and those named by `Connection`.
 *
 * @example
 * const headers = responseHeaders(head.headers)
 */
export function responseHeaders(upstream: Headers): Headers {
  const headers = new Headers(upstream)
  removeHopByHop(headers)
  return headers
}

/**
 * Takes out of headers what belongs to one connection: the hop-by-hop ones, and those named by `Connection`.
 *
 * @example
 * removeHopByHop(answer.headers)
 */
export function removeHopByHop(headers: Headers): void {
  const named = headers.get('connection')
  if (named !== null) for (const name of named.split(',')) deleteNamed(headers, name.trim())
  for (const name of HOP_BY_HOP_NAMES) headers.delete(name)
}

function deleteNamed(headers: Headers, name: string): void {
  // `Connection` may name anything, even what is no header name at all; Headers would throw on it.
  if (NAME.test(name)) headers.delete(name)
}
