import { createExactFetch } from '../upstream/exact/exact-fetch.ts'
import { obeyProxy, type ProxyFor } from '../upstream/exact/proxy-of.ts'
import type { UpstreamFetch } from '../upstream/send.ts'
import { environmentProxy } from './environment-proxy.ts'

/** The `fetch` of this program, and the environment's proxies that it uses. */
export interface ProcessFetch {
  readonly fetch: UpstreamFetch
  readonly proxyFor: ProxyFor | undefined
}

/**
 * Makes the `fetch` of this program: it sends targets and bodies unchanged, and reads the environment's proxies once, now.
 *
 * @example
 * const { fetch, proxyFor } = createProcessFetch()
 */
export function createProcessFetch(): ProcessFetch {
  const proxyFor = environmentProxy(process.env)
  return { fetch: createExactFetch(obeyProxy(fetch as UpstreamFetch, process.env), proxyFor), proxyFor }
}
