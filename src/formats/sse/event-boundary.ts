const LF = 0x0a
const CR = 0x0d
/** How much of a stream's end tells: the longest pair of line endings is CR LF CR LF, and its last three bytes are enough. */
export const TAIL_BYTES = 3

/**
 * Tells whether a stream that ends with these bytes stands at an event boundary: at its very start, or behind
 * a blank line in any of the three spellings (WHATWG HTML §9.2.5).
 */
export function endsEvent(tail: Uint8Array): boolean {
  const length = tail.byteLength
  if (length === 0) return true
  const last = tail[length - 1]
  const second = tail[length - 2]
  if (last === LF) return second === LF || (second === CR && tail[length - 3] === LF)
  return last === CR && second === CR
}

/** The last bytes of a stream behind one more chunk, as many as `endsEvent` needs: a chunk may be a single byte. */
export function lastBytes(before: Uint8Array, chunk: Uint8Array): Uint8Array {
  if (chunk.byteLength >= TAIL_BYTES) return chunk.slice(-TAIL_BYTES)
  return new Uint8Array([...before, ...chunk].slice(-TAIL_BYTES))
}
