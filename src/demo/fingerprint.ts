const encoder = new TextEncoder()

/**
 * Sixteen hexadecimal digits that stand for the given parts: the same parts, the same digits.
 *
 * Two multiplicative lanes of 32 bits, after FNV-1a. Not for secrets: it only has to make one request's ids and
 * vectors differ from another's, at once and everywhere.
 */
export function fingerprint(...parts: readonly (string | Uint8Array)[]): string {
  let low = 0x811c9dc5
  let high = 0x9747b28c
  for (const part of parts) {
    for (const byte of typeof part === 'string' ? encoder.encode(part) : part) {
      low = Math.imul(low ^ byte, 0x01000193)
      high = Math.imul(high ^ byte, 0x5bd1e995) + (high >>> 15)
    }
    // A mark between the parts keeps ('ab', 'c') apart from ('a', 'bc').
    low = Math.imul(low ^ 0x1ff, 0x01000193)
    high = Math.imul(high ^ 0x1ff, 0x5bd1e995)
  }
  return hexadecimal(low ^ (high >>> 16)) + hexadecimal(high ^ (low >>> 13))
}

/** An endless, repeatable series of numbers in [0, 1) that begins from a fingerprint (the generator is mulberry32). */
export function numbersFrom(seed: string): () => number {
  let state = Number.parseInt(seed.slice(0, 8), 16) ^ Number.parseInt(seed.slice(8, 16), 16)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function hexadecimal(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0')
}
