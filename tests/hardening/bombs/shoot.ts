import { connect } from 'node:net'

const NO_ANSWER_MS = 60_000

/**
 * Sends bytes on a connection of their own, and gives the status of the answer once all of that has come; 0: the connection was closed
 * without one, or there was none in a minute.
 *
 * @example
 * const status = await shoot(port, wireOf(bomb))
 */
export function shoot(port: number, wire: Uint8Array): Promise<number> {
  return new Promise((resolve) => {
    let head = ''
    const socket = connect(port, '127.0.0.1', () => void socket.write(wire))
    const end = (): void => {
      socket.destroy()
      resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0))
    }
    socket.setTimeout(NO_ANSWER_MS, end)
    socket.on('data', (chunk: Buffer) => {
      if (head.length < 16) head += chunk.toString('latin1', 0, 16)
    })
    socket.on('error', end)
    socket.on('close', end)
  })
}
