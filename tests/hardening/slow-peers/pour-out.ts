import type { Socket } from 'node:net'

const PIECE = new Uint8Array(64 * 1024).fill(0x78)

/** Writes so many bytes to a socket, as it takes them. */
export function pourOut(socket: Socket, bytes: number): void {
  let left = bytes
  const goOn = (): void => {
    while (left > 0 && !socket.destroyed) {
      left -= PIECE.byteLength
      if (socket.write(PIECE)) continue
      socket.once('drain', goOn)
      return
    }
  }
  goOn()
}
