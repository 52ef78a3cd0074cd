/** A token, of which the names of headers and methods are made: the source of a regular expression (RFC 9110 §5.6.2). */
export const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"

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
