import type { Slice } from '../../timing/slices.ts'

/** The size of a piece that is read through and written at once. */
const BATCH_BYTES = 128 * 1024

/** Chunks of this size or less take no time worth counting. */
const SHORT_BYTES_MAX = 16 * 1024

/** Whether some chunks take a moment to read through. An extension's own stream may give values that are no chunks: others refuse them. */
export function isLong(chunks: readonly (Uint8Array | null | undefined)[]): boolean {
  let bytes = 0
  for (const chunk of chunks) bytes += chunk?.byteLength ?? 0
  return bytes > SHORT_BYTES_MAX
}

/** Gives long chunks in pieces, and lets other work run between them: a source may have megabytes ready. `slice` is the stream's own. */
export async function* batchesOf(
  chunks: readonly Uint8Array[],
  slice: Slice,
): AsyncGenerator<readonly Uint8Array[], void> {
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
  if (batch.length === 0) return
  if (slice.isOver()) await slice.rest()
  yield batch
}
