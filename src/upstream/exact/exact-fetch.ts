import type { UpstreamFetch, UpstreamInit } from '../send.ts'
import { type ProxyFor, proxyOf } from './proxy-of.ts'

/** Methods that the standard `fetch` gives no body to. */
const WITHOUT_BODY: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/**
 * Makes a `fetch` that also sends what the standard one can't: a target that a URL parser would write in another way
 * (`?q='a'`, `/{id}`), and a GET or HEAD with a body. Those few calls have a connection of their own, with the same
 * promises: exactly one request, no redirect followed, nothing decompressed, no clock, nothing read ahead.
 *
 * An https upstream behind a proxy that is itself reached by TLS is left to `fetch`, with the target as that writes it.
 *
 * `fetch` is told by which proxy it is to go, or that by none, wherever the environment names any: its own reading of that
 * is another one.
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
    // Loaded when it is first needed, and the HTTP client below it.
    return import('./fetch-exactly.ts').then(({ fetchExactly }) => fetchExactly(url, init, proxy))
  }
}

function isPlain(url: URL, { method, target, body }: UpstreamInit): boolean {
  return url.pathname + url.search === target && (body === null || !WITHOUT_BODY.has(method))
}

function canReach(url: URL, { protocol }: URL): boolean {
  return protocol === 'http:' || (protocol === 'https:' && url.protocol === 'http:')
}
