import type { UpstreamConnection } from './scripted-upstream.ts'

/** A body that is sent as fast as it is taken. */
export interface Flood {
  /** Bytes that the gateway's side, or the kernel between, has taken. */
  readonly accepted: () => number
  /** Resolves when all of it has been handed over, or the connection is closed. */
  readonly done: Promise<void>
  readonly hash: () => string
}

const PIECE_BYTES = 256 * 1024

/** Floods a chunked response with so many bytes that differ from piece to piece, and ends it. */
export function flood({ socket, chunk, endChunks }: UpstreamConnection, bytesTotal: number): Flood {
  const hasher = new Bun.CryptoHasher('sha256')
  const finished = Promise.withResolvers<void>()
  const before = socket.bytesWritten
  const piece = new Uint8Array(PIECE_BYTES)
  let sent = 0
  const pour = (): void => {
    while (sent < bytesTotal && !socket.destroyed) {
      piece.fill(sent / PIECE_BYTES)
      hasher.update(piece)
      sent += PIECE_BYTES
      chunk(piece)
      if (socket.writableNeedDrain) return
    }
    socket.off('drain', pour)
    endChunks()
    finished.resolve()
  }
  socket.on('drain', pour)
  socket.once('close', () => finished.resolve())
  pour()
  return {
    accepted: () => socket.bytesWritten - before - socket.writableLength,
    done: finished.promise,
    hash: () => hasher.digest('hex'),
  }
}

/** Waits until a number has not changed for a while. */
export async function settled(read: () => number, forMs: number): Promise<number> {
  for (let last = read(), since = performance.now(); ; ) {
    await Bun.sleep(20)
    const now = read()
    if (now !== last) {
      last = now
      since = performance.now()
    } else if (performance.now() - since >= forMs) return now
  }
}
