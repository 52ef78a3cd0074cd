/** What a text is made of, as shares of its bytes. */
export interface TextShares {
  /** Of characters beyond ASCII. */
  readonly other: number
  /** Of characters that are written as `\u4f60`. */
  readonly escaped: number
  /** Of digits, capitals and operators among the rest, of which keys, numbers and code have many, and words few. */
  readonly dense: number
}

/** A part of a text, by its first byte and the one behind its last. */
export interface TextSpan {
  readonly start: number
  readonly end: number
}

/** A text that nobody has seen: mostly words. */
export const UNSEEN_TEXT: TextShares = { other: 0.3, escaped: 0, dense: 0.1 }

/** By a character of ASCII: 1 for digits, capitals and operators. JSON's own signs are none: they join other signs in a token. */
const DENSE: Uint8Array = Uint8Array.from({ length: 128 }, (_, byte) =>
  /[0-9A-Z()[\]<>=+*/;&|!]/.test(String.fromCharCode(byte)) ? 1 : 0,
)
/** The bytes that are looked at. */
const SAMPLES = 512
const BACKSLASH = 0x5c
const LETTER_U = 0x75
/** The bytes of an escape, and the share of digits in it. */
const ESCAPE_BYTES = 6
const DIGITS_OF_ESCAPES = 0.45

/**
 * Looks at some hundreds of bytes of a JSON text, evenly over it, and leaves out the spans that are no text (in their order).
 *
 * @example
 * const shares = sharesOf(bytes, [])
 */
export function sharesOf(bytes: Uint8Array, without: readonly TextSpan[]): TextShares {
  const left = without.reduce((sum, { start, end }) => sum - (end - start), bytes.length)
  const step = stepOf(left)
  let seen = 0
  let other = 0
  let escapes = 0
  let dense = 0
  let [span, ...spans] = without
  // Looked up in the loop, an entry that a list does not have would cost ten times as much as all else.
  let spanStart = span?.start ?? Infinity
  for (let at = 0; at < bytes.length; at += step) {
    if (at >= spanStart) {
      at = Math.max(at, span?.end ?? 0)
      ;[span, ...spans] = spans
      spanStart = span?.start ?? Infinity
      if (at >= bytes.length) break
    }
    const byte = bytes[at] ?? 0
    seen += 1
    if (byte >= 0x80) other += 1
    else if (byte === BACKSLASH && bytes[at + 1] === LETTER_U) escapes += 1
    else if (DENSE[byte] === 1) dense += 1
  }
  if (seen === 0) return UNSEEN_TEXT
  const escaped = Math.min(1, (escapes * ESCAPE_BYTES) / seen)
  const rest = Math.max(1, seen - other - escaped * seen)
  return {
    other: Math.min(other / seen, 1 - escaped),
    escaped,
    dense: Math.max(0, dense - escaped * seen * DIGITS_OF_ESCAPES) / rest,
  }
}

/** No multiple of 2 or 3: each place of an escape, which has six bytes, comes up as often as the others. */
function stepOf(bytes: number): number {
  const step = Math.floor(bytes / SAMPLES) | 1
  return step % 3 === 0 ? step + 2 : step
}
