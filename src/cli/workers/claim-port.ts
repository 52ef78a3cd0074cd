import type { Config } from '../../config/config.ts'

/**
 * Makes sure that nobody listens where the workers are about to: they share their port with any program of this user
 * that shares it too, such as a second server, and nobody would notice. Throws the system's error where it can't listen.
 *
 * @example
 * claimPort(config.server)
 */
export function claimPort({ host, port }: Config['server']): void {
  const socket = { open: (client: Bun.Socket): void => void client.end(), data: (): void => undefined }
  Bun.listen({ hostname: host, port, exclusive: true, socket }).stop(true)
}
