import { createExactFetch } from '../edge/exact-fetch.ts'
import { createProxyFor, obeyProxy, type ProxyFor } from '../edge/proxy-of.ts'
import type { UpstreamFetch } from '../upstream/send.ts'

/** How whatever this program sends goes out: by one reading of the environment's proxies. */
export interface WayOut {
  readonly fetch: UpstreamFetch
  readonly proxyFor: ProxyFor
}

/**
 * Opens the way out, as the environment says now.
 *
 * @example
 * const { fetch, proxyFor } = openWayOut()
 */
export function openWayOut(): WayOut {
  const proxyFor = createProxyFor(process.env)
  return { fetch: createExactFetch(obeyProxy(fetch as UpstreamFetch, process.env), proxyFor), proxyFor }
}
