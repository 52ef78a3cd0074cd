import { joinBytes } from '../bytes/join-bytes.ts'

/** A change of a chunk: its bytes from `start` to before `end` give way to others. */
export interface ByteEdit {
  readonly start: number
  readonly end: number
  readonly bytes: Uint8Array
}

/**
 * Makes a new chunk of one and its edits, which come in order; without any it is the chunk itself.
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
