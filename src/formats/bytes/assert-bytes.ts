/**
 * Asserts that a chunk from somebody else's stream is bytes. The runtime's own servers take texts and buffers as well; here a chunk is
 * copied by its length into memory that is used again, and anything but a `Uint8Array` would leave another caller's bytes in its place.
 *
 * Throws a `TypeError` that names the type of the chunk.
 *
 * @example
 * const { value } = await reader.read()
 * assertBytes(value)
 */
export function assertBytes(chunk: unknown): asserts chunk is Uint8Array {
  if (chunk instanceof Uint8Array) {
    // The bytes of a detached buffer belong to another thread by now.
    if (chunk.buffer instanceof ArrayBuffer && chunk.buffer.detached) throw notBytes('a detached Uint8Array')
    return
  }
  const isObject = typeof chunk === 'object' && chunk !== null
  throw notBytes(isObject ? `an ${chunk.constructor?.name ?? 'object'}` : chunk === null ? 'null' : `a ${typeof chunk}`)
}

function notBytes(what: string): TypeError {
  return new TypeError(`a stream of bytes has to give Uint8Arrays, and gave ${what}`)
}
