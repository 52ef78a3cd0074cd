import { joinBytes } from '../bytes/join-bytes.ts'

/** A change of a chunk: other bytes replace those from `start` to before `end`. */
export interface ByteEdit {
  readonly start: number
  readonly end: number
  readonly bytes: Uint8Array
}

/**
 * Applies edits, which come in order, to a chunk and gives a new one; without edits it gives the chunk itself.
 *
 * @example
 * const changed = applyByteEdits(chunk, edits)
 */
export function applyByteEdits(chunk: Uint8Array, edits: readonly ByteEdit[]): Uint8Array {
  if (edits.length === 0) return chunk
  const parts: Uint8Array[] = []
  let from = 0
  for (const { start, end, bytes } of edits) {
    parts.push(chunk.subarray(from, start), bytes)
    from = end
  }
  parts.push(chunk.subarray(from))
  return joinBytes(parts)
}
