import type { Duplex } from 'node:stream'
import type { Deadlines } from '../../timing/deadlines.ts'
import { LINGER_MS } from '../http1/client-socket.ts'

/**
 * Writes the last bytes to a client's socket and ends it. Resolves when it is closed, and never rejects.
 *
 * `cancelled`: the client left before it had taken them, or took none for `idleMs` (0: no limit).
 *
 * @example
 * const kind = await endSocket(client, bytes, deadlines, idleMs)
 */
export function endSocket(
  socket: Duplex,
  bytes: Uint8Array,
  deadlines: Deadlines,
  idleMs: number,
): Promise<'complete' | 'cancelled'> {
  return new Promise((resolve) => {
    const cut = (): void => void socket.destroy()
    const stall = deadlines.start(idleMs, cut)
    const linger = deadlines.start(LINGER_MS, cut)
    linger.suspend()
    socket.on('finish', () => {
      stall.clear()
      linger.touch()
    })
    socket.on('close', () => {
      stall.clear()
      linger.clear()
      resolve(socket.writableFinished ? 'complete' : 'cancelled')
    })
    socket.resume()
    socket.end(bytes)
  })
}
