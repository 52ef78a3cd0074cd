import type { Config } from '../config/config.ts'

/** Addresses that stand for all addresses of a machine: a server can listen on them, but nobody can call them. */
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::'])

/**
 * Gives the URL of a server on this machine, as a person types it into a browser or a `base_url`, without `/v1`.
 *
 * `wildcardName` takes the place of a host that stands for all of the machine's addresses.
 */
export function serverUrl(
  { host, tls }: Pick<Config['server'], 'host' | 'tls'>,
  port: number,
  wildcardName = 'localhost',
): string {
  const name = WILDCARDS.has(host) ? wildcardName : host
  return `${tls === undefined ? 'http' : 'https'}://${name.includes(':') ? `[${name}]` : name}:${port}`
}
