import { ignoreRejection } from '../ignore-rejection.ts'

/** Decodes a body that comes in chunks, as it comes. */
export interface ChunkDecoder {
  /** Takes the next bytes, and gives what can be read now; undefined: nobody can read them. */
  readonly add: (bytes: Uint8Array<ArrayBuffer>) => Promise<readonly Uint8Array[] | undefined>
  /** Lets go of it. */
  readonly close: () => void
}

/**
 * Makes what decodes a body as far as it has come: what a server has flushed can be read at once.
 *
 * @example
 * const decoder = createChunkDecoder('gzip')
 * const plain = await decoder.add(chunk)
 */
export function createChunkDecoder(format: Bun.CompressionFormat): ChunkDecoder {
  const { writable, readable } = new DecompressionStream(format)
  const writer = writable.getWriter()
  const reader = readable.getReader()
  let ready: Uint8Array[] = []
  const read = async (): Promise<void> => {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      ready.push(value)
    }
  }
  // What is wrong with the bytes is told to whoever writes them.
  void ignoreRejection(read())
  void ignoreRejection(writer.closed)
  return {
    async add(bytes) {
      try {
        // Settles when what came of these bytes has been read above.
        await writer.write(bytes)
      } catch {
        return undefined
      }
      const taken = ready
      ready = []
      return taken
    },
    close: () => void ignoreRejection(writer.abort()),
  }
}
