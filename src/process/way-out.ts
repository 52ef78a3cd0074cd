import { createExactFetch } from '../upstream/exact/exact-fetch.ts'
import { obeyProxy, type ProxyFor } from '../upstream/exact/proxy-of.ts'
import type { UpstreamFetch } from '../upstream/send.ts'
import { environmentProxy } from './environment-proxy.ts'

/** How whatever this program sends goes out: by one reading of the environment's proxies. */
export interface WayOut {
  readonly fetch: UpstreamFetch
  readonly proxyFor: ProxyFor | undefined
}

/**
 * Opens the way out, as the environment says now.
 *
 * @example
 * const { fetch, proxyFor } = openWayOut()
 */
export function openWayOut(): WayOut {
  const proxyFor = environmentProxy(process.env)
  return { fetch: createExactFetch(obeyProxy(fetch as UpstreamFetch, process.env), proxyFor), proxyFor }
}
