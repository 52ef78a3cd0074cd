import type { Config } from '../config/config.ts'

/**
 * Asserts that nobody listens on a port that is about to be shared: by workers, or by the two listeners of a server whose certificate is
 * replaced. On a shared port, another program of this user, such as a second server, would go unnoticed. Throws the system's error
 * when it can't listen alone.
 *
 * @example
 * assertPortIsFree(config.server)
 */
export function assertPortIsFree({ host, port }: Pick<Config['server'], 'host' | 'port'>): void {
  Bun.listen({ hostname: host, port, exclusive: true, socket: CLOSE_AT_ONCE }).stop(true)
}

/**
 * Asserts that a server can listen with a certificate and its key. Throws the error of listening with them.
 *
 * @example
 * assertTlsWorks(config.server)
 */
export function assertTlsWorks({ tls }: Pick<Config['server'], 'tls'>): void {
  if (tls === undefined) return
  const texts = { cert: tls.cert, key: tls.key.reveal() }
  Bun.listen({ hostname: '127.0.0.1', port: 0, tls: texts, socket: CLOSE_AT_ONCE }).stop(true)
}

const CLOSE_AT_ONCE = { open: (client: Bun.Socket): void => void client.end(), data: (): void => undefined }
