import type { Reach, UpstreamFetch } from '../send.ts'

/** The proxy that the environment has for a URL; undefined: none. Throws where what it names is no URL. */
export type ProxyFor = (url: URL) => URL | undefined

/**
 * The proxy to reach a URL through: the upstream's own, or none where it says so, else what the environment says.
 *
 * @example
 * const proxy = proxyOf(init, url, proxyFor)
 */
export function proxyOf(reach: Reach | undefined, url: URL, proxyFor: ProxyFor | undefined): URL | undefined {
  if (reach?.proxy === undefined) return proxyFor?.(url)
  return reach.proxy === false ? undefined : new URL(reach.proxy)
}

const NO_PROXY_NAMES = ['NO_PROXY', 'no_proxy'] as const

/**
 * Makes a `fetch` that goes through the proxy it is told, whatever the environment's `NO_PROXY` says: the runtime's own heeds
 * that, by its own reading, also for a proxy that it is told. It reads the environment while it is called, and not later.
 *
 * @example
 * const obedient = obeyProxy(fetch, process.env)
 */
export function obeyProxy(fetch: UpstreamFetch, env: Record<string, string | undefined>): UpstreamFetch {
  if (NO_PROXY_NAMES.every((name) => (env[name] ?? '') === '')) return fetch
  return (url, init) => {
    if (typeof init.proxy !== 'string') return fetch(url, init)
    const had = NO_PROXY_NAMES.map((name) => [name, env[name]] as const)
    for (const name of NO_PROXY_NAMES) delete env[name]
    try {
      return fetch(url, init)
    } finally {
      for (const [name, value] of had) if (value !== undefined) env[name] = value
    }
  }
}
