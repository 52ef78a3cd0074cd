const QUOTE = 0x22
const BACKSLASH = 0x5c

/** The bytes of a string that are looked at, four at a time, before its end is searched for: most strings end sooner. */
const NEAR_BYTES = 64
// Four quotes, four backslashes, and the bits that tell whether a byte of a word is zero.
const QUOTES = 0x22222222
const BACKSLASHES = 0x5c5c5c5c
const LOW_BITS = 0x01010101
const HIGH_BITS = 0x80808080

/**
 * Gives the first byte behind a string's closing quote. `from`: a place within the string where no escape is under way.
 *
 * A string that goes on behind `stop` gives the place to go on from, as its complement (`~place`). A string without an end gives NaN.
 * `view` is a view of the same bytes.
 *
 * @example
 * const end = skipString(bytes, view, quote + 1, bytes.length)
 */
export function skipString(bytes: Uint8Array, view: DataView, from: number, stop: number): number {
  const lastWord = bytes.length - 4
  let at = from
  while (at < stop) {
    const nearEnd = Math.min(at + NEAR_BYTES, lastWord)
    let found = 0
    for (; at < nearEnd; at += 4) {
      const word = view.getInt32(at, true)
      const quotes = word ^ QUOTES
      const backslashes = word ^ BACKSLASHES
      found = (((quotes - LOW_BITS) & ~quotes) | ((backslashes - LOW_BITS) & ~backslashes)) & HIGH_BITS
      if (found !== 0) break
    }
    if (found !== 0) {
      at += (31 - Math.clz32(found & -found)) >> 3
      if (bytes[at] === QUOTE) return at + 1
      at += 2
      continue
    }
    const quote = bytes.indexOf(QUOTE, at)
    if (quote === -1) return Number.NaN
    // An odd number of backslashes before a quote means that the string goes on.
    let before = quote - 1
    while (before >= at && bytes[before] === BACKSLASH) before -= 1
    at = quote + 1
    if ((quote - before) % 2 === 1) return at
  }
  return ~at
}
