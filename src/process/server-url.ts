import type { Config } from '../config/config.ts'

/** Addresses that stand for all of a machine's, and can be listened on but not called. */
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::'])

/**
 * The URL of a server on this machine, as it can be typed into a browser or a `base_url`, without `/v1`.
 *
 * `wildcardName` stands for a host that is all of the machine's addresses.
 */
export function serverUrl(
  { host, tls }: Pick<Config['server'], 'host' | 'tls'>,
  port: number,
  wildcardName = 'localhost',
): string {
  const name = WILDCARDS.has(host) ? wildcardName : host
  return `${tls === undefined ? 'http' : 'https'}://${name.includes(':') ? `[${name}]` : name}:${port}`
}
