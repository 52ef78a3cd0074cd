import type { Reach, UpstreamFetch } from '../send.ts'

/** Gives the proxy that the environment names for a URL; undefined: none. Throws when the environment's value is no URL. */
export type ProxyFor = (url: URL) => URL | undefined

/**
 * Gives the proxy to reach a URL through; undefined: none. The upstream's own setting goes before the environment. Throws what `proxyFor`
 * throws.
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
 * Makes a `fetch` that uses the proxy of its call, whatever `NO_PROXY` says: the runtime's own applies `NO_PROXY`, by rules of its
 * own, even to a proxy that the call names. It reads the environment during the call and not later, so the variables are hidden meanwhile.
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
