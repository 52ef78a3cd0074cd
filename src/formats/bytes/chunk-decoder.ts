import { ignoreRejection } from '../ignore-rejection.ts'

/** Decodes a body that comes in chunks, as it comes. */
export interface ChunkDecoder {
  /** Takes the next bytes, and gives the decoded bytes so far; undefined: the bytes are malformed. */
  readonly add: (bytes: Uint8Array<ArrayBuffer>) => Promise<readonly Uint8Array[] | undefined>
  /** Releases the decoder. */
  readonly close: () => void
}

/**
 * Makes a decoder of a body that still arrives: bytes that a server has flushed can be read at once.
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
  // The writer gets the error of malformed bytes, too.
  void ignoreRejection(read())
  void ignoreRejection(writer.closed)
  return {
    async add(bytes) {
      try {
        // Settles after the decoded bytes of this chunk have been read above.
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
