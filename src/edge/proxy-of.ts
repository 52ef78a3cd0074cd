import type { Reach, UpstreamFetch } from '../upstream/send.ts'
import { readNoProxy } from './no-proxy.ts'

/** The proxy that the environment has for a URL; undefined: none. Throws where what it names is no URL. */
export type ProxyFor = (url: URL) => URL | undefined

type Env = Readonly<Record<string, string | undefined>>

/** What an environment says that sends nothing through a proxy. */
export const NO_PROXIES: ProxyFor = () => undefined

/**
 * Reads an environment's `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, of which each may stand in small letters,
 * which win (as curl and others read them). A proxy without a scheme is an `http://` one.
 *
 * @example
 * const proxyFor = createProxyFor(process.env)
 */
export function createProxyFor(env: Env): ProxyFor {
  const all = read(env, 'ALL_PROXY')
  const proxies = { 'http:': read(env, 'HTTP_PROXY') ?? all, 'https:': read(env, 'HTTPS_PROXY') ?? all }
  if (proxies['http:'] === undefined && proxies['https:'] === undefined) return NO_PROXIES
  const isDirect = readNoProxy(read(env, 'NO_PROXY') ?? '')
  return (url) => {
    const proxy = proxies[url.protocol === 'https:' ? 'https:' : 'http:']
    if (proxy === undefined || isDirect(url)) return undefined
    return new URL(proxy.includes('://') ? proxy : `http://${proxy}`)
  }
}

/**
 * The proxy to reach a URL through: the upstream's own, or none where it says so, else what the environment says.
 *
 * @example
 * const proxy = proxyOf(init, url, proxyFor)
 */
export function proxyOf(reach: Reach | undefined, url: URL, proxyFor: ProxyFor): URL | undefined {
  if (reach?.proxy === undefined) return proxyFor(url)
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

function read(env: Env, name: string): string | undefined {
  return [env[name.toLowerCase()], env[name]].map((value) => value?.trim()).find((value) => value)
}
