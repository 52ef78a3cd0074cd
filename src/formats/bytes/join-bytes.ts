/**
 * Joins several arrays to one.
 *
 * @example
 * const whole = joinBytes(chunks)
 */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.byteLength
  }
  return joined
}

/** The bytes that are copied between two rests. */
const PIECE_BYTES = 1024 * 1024

/**
 * Joins arrays with rests, by yielding. A single array is not copied.
 *
 * @example
 * const whole = yield* joinInSteps(chunks)
 */
export function* joinInSteps(parts: readonly Uint8Array[]): Generator<void, Uint8Array<ArrayBuffer>, void> {
  const [only] = parts
  if (only?.buffer instanceof ArrayBuffer && parts.length === 1) return only as Uint8Array<ArrayBuffer>
  const bytes = parts.reduce((sum, { byteLength }) => sum + byteLength, 0)
  if (bytes <= PIECE_BYTES) return joinBytes(parts)
  const joined = new Uint8Array(bytes)
  yield* copyInSteps(parts, joined, 0)
  return joined
}

/**
 * Copies parts behind each other into an array, from `start` on, with rests, by yielding.
 *
 * @example
 * yield* copyInSteps(chunks, encoded, head.byteLength)
 */
export function* copyInSteps(
  parts: Iterable<Uint8Array>,
  into: Uint8Array<ArrayBuffer>,
  start: number,
): Generator<void, void, void> {
  let [at, restAt] = [start, start + PIECE_BYTES]
  for (const part of parts) {
    for (let from = 0; from < part.byteLength; from += PIECE_BYTES) {
      into.set(part.subarray(from, from + PIECE_BYTES), at + from)
      if (at + from < restAt) continue
      restAt = at + from + PIECE_BYTES
      yield
    }
    at += part.byteLength
  }
}
