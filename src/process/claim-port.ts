import type { Config } from '../config/config.ts'

/**
 * Makes sure that nobody listens where a port is about to be listened on that can be shared, as workers share theirs, and a server
 * whose certificate can be replaced does with itself: any other program of this user that shares it too, such as a second server,
 * would go unnoticed. Throws the system's error where it can't listen.
 *
 * @example
 * claimPort(config.server)
 */
export function claimPort({ host, port }: Pick<Config['server'], 'host' | 'port'>): void {
  Bun.listen({ hostname: host, port, exclusive: true, socket: NOBODY }).stop(true)
}

/**
 * Makes sure that a certificate and its key can be served with. Throws what is wrong with them.
 *
 * @example
 * tryTls(config.server)
 */
export function tryTls({ tls }: Pick<Config['server'], 'tls'>): void {
  if (tls === undefined) return
  const texts = { cert: tls.cert, key: tls.key.reveal() }
  Bun.listen({ hostname: '127.0.0.1', port: 0, tls: texts, socket: NOBODY }).stop(true)
}

const NOBODY = { open: (client: Bun.Socket): void => void client.end(), data: (): void => undefined }
