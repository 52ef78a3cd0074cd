const LF = 0x0a
const CR = 0x0d
/** The bytes at a stream's end that matter: the longest pair of line ends is CR LF CR LF, and its last three bytes are enough. */
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

/** Gives the last bytes of a stream after one more chunk, as many as `endsEvent` needs: a chunk may be a single byte. */
export function lastBytes(before: Uint8Array, chunk: Uint8Array): Uint8Array {
  if (chunk.byteLength >= TAIL_BYTES) return chunk.slice(-TAIL_BYTES)
  return new Uint8Array([...before, ...chunk].slice(-TAIL_BYTES))
}
