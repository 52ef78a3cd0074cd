import type { Reach } from '../upstream/send.ts'

/**
 * The proxy to reach a URL through: the upstream's own, or none where it says so, else what the environment says.
 *
 * @example
 * const proxy = proxyOf(init, url, proxyFor)
 */
export function proxyOf(reach: Reach | undefined, url: URL, proxyFor: (url: URL) => URL | undefined): URL | undefined {
  if (reach?.proxy === undefined) return proxyFor(url)
  return reach.proxy === false ? undefined : new URL(reach.proxy)
}
