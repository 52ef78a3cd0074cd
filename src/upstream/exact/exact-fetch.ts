import { createAttachment } from '../../formats/attachment.ts'
import { ignoreRejection } from '../../formats/ignore-rejection.ts'
import type { UpstreamFetch, UpstreamInit } from '../send.ts'
import { type ProxyFor, proxyOf } from './proxy-of.ts'

/** Methods that the standard `fetch` sends without a body. */
const WITHOUT_BODY: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/**
 * Makes a `fetch` that also sends calls that the standard one can't: a target that a URL parser would change
 * (`?q='a'`, `/{id}`), and a GET or HEAD with a body. Each of those few calls gets a connection of its own, with the same
 * promises: exactly one request, no redirect followed, nothing decompressed, no clock, nothing read ahead.
 *
 * A call to an https upstream behind a proxy that is itself reached by TLS is left to `fetch`, which may change the target.
 *
 * If the environment names a proxy, each call tells `fetch` which proxy to use, or none: `fetch` reads the environment
 * by other rules.
 *
 * @example
 * const app = createApp({ config, version, log, fetch: createExactFetch(fetch, proxyFor), sha256 })
 */
export function createExactFetch(fetch: UpstreamFetch, proxyFor: ProxyFor | undefined): UpstreamFetch {
  return (url, init) => {
    const isLeft = isPlain(url, init)
    if (isLeft && proxyFor === undefined) return fetch(url, init)
    const proxy = proxyOf(init, url, proxyFor)
    if (isLeft || (proxy !== undefined && !canReach(url, proxy))) {
      return fetch(url, { ...init, proxy: proxy?.href ?? false })
    }
    // Loaded on first use, together with the HTTP client below it.
    return import('./fetch-exactly.ts').then(({ fetchExactly }) => fetchExactly(url, init, proxy))
  }
}

function isPlain(url: URL, { method, target, body }: UpstreamInit): boolean {
  return writtenTarget(url) === target && (body === null || !WITHOUT_BODY.has(method))
}

const writtenTargets = createAttachment<URL, string>('written target')

/** Gives the target that the runtime writes for a URL: made once, since the URLs of a target are one object, and are not changed. */
function writtenTarget(url: URL): string {
  const known = writtenTargets.get(url)
  if (known !== undefined) return known
  const written = url.pathname + url.search
  writtenTargets.set(url, written)
  return written
}

function canReach(url: URL, { protocol }: URL): boolean {
  return protocol === 'http:' || (protocol === 'https:' && url.protocol === 'http:')
}

/** Variables of certificates that the runtime reads before its first TLS connection, and never again if that fails. */
const CERTIFICATES = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR'] as const
/** A path that can't exist: it is below a file. */
const NOWHERE = '/dev/null/none'

/**
 * Makes the runtime open the descriptors for its calls, and read its certificates, before the first call. When no descriptor is left
 * then, the runtime ends the process, or trusts none of the certificates from then on. Sends nothing.
 *
 * @example
 * warmUpFetch(process.env)
 */
export function warmUpFetch(env: Record<string, string | undefined>): void {
  const scheme = CERTIFICATES.some((name) => (env[name] ?? '') !== '') ? 'https' : 'http'
  void ignoreRejection(fetch(`${scheme}://localhost/`, { unix: NOWHERE }))
}
