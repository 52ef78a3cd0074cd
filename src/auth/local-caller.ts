/** What a proxy in front adds: whoever is behind it is not on this machine. */
const FORWARDING_HEADERS = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'] as const

/**
 * Tells whether a caller of a loopback server is a program of this machine, and not a web page that a browser
 * on it shows, or a stranger behind a proxy on it: those may not spend the server's key.
 *
 * A web page gives itself away by its `Origin` or, after DNS rebinding, by a public name as the Host.
 */
export function isLocalCaller(headers: Headers, corsOrigins: readonly string[]): boolean {
  if (FORWARDING_HEADERS.some((name) => headers.has(name))) return false
  if (!isPrivateName(hostnameOf(headers.get('host') ?? ''))) return false
  const origin = headers.get('origin')
  if (origin === null) return headers.get('sec-fetch-site') !== 'cross-site'
  return corsOrigins.includes(origin) || isPrivateOrigin(origin)
}

function isPrivateOrigin(origin: string): boolean {
  const url = URL.parse(origin)
  return url !== null && isLoopbackName(url.hostname)
}

/** A name without a dot, an address, or one under a suffix that public DNS never serves (RFC 6761, RFC 6762, RFC 8375). */
function isPrivateName(name: string): boolean {
  if (isLoopbackName(name) || !name.includes('.')) return true
  return /^[\d.]+$/.test(name) || /\.(local|internal|home\.arpa|test)$/.test(name)
}

function isLoopbackName(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost') || name === '[::1]' || /^127(\.\d+){3}$/.test(name)
}

function hostnameOf(host: string): string {
  return host.replace(/:\d*$/, '').toLowerCase()
}
