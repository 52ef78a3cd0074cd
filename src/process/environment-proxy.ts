import type { Env } from '../config/env-reader.ts'
import type { ProxyFor } from '../upstream/exact/proxy-of.ts'
import { readNoProxy } from './no-proxy.ts'

/**
 * Reads an environment's `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`. Names in small letters go before those in capitals, as
 * in curl and others. A proxy without a scheme is an `http://` one. undefined: the environment names no proxy.
 *
 * @example
 * const proxyFor = environmentProxy(process.env)
 */
export function environmentProxy(env: Env): ProxyFor | undefined {
  const all = read(env, 'ALL_PROXY')
  const proxies = { 'http:': read(env, 'HTTP_PROXY') ?? all, 'https:': read(env, 'HTTPS_PROXY') ?? all }
  if (proxies['http:'] === undefined && proxies['https:'] === undefined) return undefined
  const isDirect = readNoProxy(read(env, 'NO_PROXY') ?? '')
  return (url) => {
    const proxy = proxies[url.protocol === 'https:' ? 'https:' : 'http:']
    if (proxy === undefined || isDirect(url)) return undefined
    return new URL(proxy.includes('://') ? proxy : `http://${proxy}`)
  }
}

function read(env: Env, name: string): string | undefined {
  return [env[name.toLowerCase()], env[name]].map((value) => value?.trim()).find((value) => value)
}
