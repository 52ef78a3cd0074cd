import { Slice } from '../../timing/slices.ts'

/** So much is looked through and written at once. */
const BATCH_BYTES = 128 * 1024

/** Whether some chunks are more than is looked through at once. */
export function isLong(chunks: readonly Uint8Array[]): boolean {
  let bytes = 0
  for (const { byteLength } of chunks) bytes += byteLength
  return bytes > BATCH_BYTES
}

/** Gives chunks of megabytes in pieces, with others served between them: a source may have all of its body ready. */
export async function* batchesOf(chunks: readonly Uint8Array[]): AsyncGenerator<readonly Uint8Array[], void> {
  const slice = new Slice()
  let batch: Uint8Array[] = []
  let bytes = 0
  for (const chunk of chunks) {
    for (let from = 0; from < chunk.byteLength; ) {
      const piece = chunk.subarray(from, from + BATCH_BYTES - bytes)
      batch.push(piece)
      bytes += piece.byteLength
      from += piece.byteLength
      if (bytes < BATCH_BYTES) continue
      if (slice.isOver()) await slice.rest()
      yield batch
      batch = []
      bytes = 0
    }
  }
  if (batch.length > 0) yield batch
}
