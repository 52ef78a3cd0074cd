const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const OPEN_BRACKET = 0x5b
const SPACE = 0x20

/** Bytes that a string is read one by one before the rest of it is searched: most strings in dense JSON end sooner. */
const NEAR_BYTES = 24

// The role of a byte in skipping a nested value.
const OTHER = 0
const STRING = 1
const OPENING = 2
const CLOSING = 3
const NESTING = byteClasses([
  ['"', STRING],
  ['{[', OPENING],
  ['}]', CLOSING],
])
/** The characters that end a number or a literal. */
const SCALAR_END = byteClasses([[' \t\r\n,]}', 1]])

/** Gives the first byte at or after `at` that is no whitespace of JSON. */
export function skipSpace(bytes: Uint8Array, at: number): number {
  let next = at
  // All four kinds of whitespace, and no byte that may stand outside of a string, are below or at a space.
  while (next < bytes.length && (bytes[next] ?? 0) <= SPACE) next += 1
  return next
}

/**
 * Gives the first byte behind the string whose opening quote stands at `start`; at most the length of the bytes.
 *
 * A long string is searched from quote to quote; an odd number of backslashes before a quote means that the string goes on.
 */
export function endOfString(bytes: Uint8Array, start: number): number {
  let at = start + 1
  const nearEnd = Math.min(at + NEAR_BYTES, bytes.length)
  while (at < nearEnd) {
    const byte = bytes[at]
    if (byte === QUOTE) return at + 1
    at += byte === BACKSLASH ? 2 : 1
  }
  for (;;) {
    const quote = bytes.indexOf(QUOTE, at)
    if (quote === -1) return bytes.length
    if (!isEscaped(bytes, quote, at)) return quote + 1
    at = quote + 1
  }
}

/** Gives the first byte behind the value that begins at `start`; at most the length of the bytes. */
export function endOfValue(bytes: Uint8Array, start: number): number {
  const first = bytes[start]
  if (first === QUOTE) return endOfString(bytes, start)
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return endOfNested(bytes, start)
  let at = start
  while (at < bytes.length && SCALAR_END[bytes[at] ?? 0] === OTHER) at += 1
  return at
}

/**
 * Counts the members of all objects in a value, however deep, from its text: each has one colon outside of strings.
 *
 * @example
 * countMembers(bytes, valueStart, valueEnd) // 2 for {"a":{"b":1}}, and for {"a":1,"a":2}
 */
export function countMembers(bytes: Uint8Array, start: number, end: number): number {
  let count = 0
  let at = start
  while (at < end) {
    const byte = bytes[at]
    if (byte === 0x3a) count += 1
    at = byte === QUOTE ? endOfString(bytes, at) : at + 1
  }
  return count
}

function endOfNested(bytes: Uint8Array, start: number): number {
  let depth = 0
  let at = start
  while (at < bytes.length) {
    const kind = NESTING[bytes[at] ?? 0]
    if (kind === STRING) {
      at = endOfString(bytes, at)
      continue
    }
    at += 1
    if (kind === OPENING) depth += 1
    else if (kind === CLOSING) {
      depth -= 1
      if (depth === 0) return at
    }
  }
  return bytes.length
}

/** Whether the quote at `at` is part of a string's text; `from` is a place in that text where no escape is under way. */
function isEscaped(bytes: Uint8Array, at: number, from: number): boolean {
  let before = at - 1
  while (before >= from && bytes[before] === BACKSLASH) before -= 1
  return (at - before) % 2 === 0
}

function byteClasses(groups: readonly (readonly [characters: string, kind: number])[]): Uint8Array {
  const classes = new Uint8Array(256)
  for (const [characters, kind] of groups) {
    for (const character of characters) classes[character.charCodeAt(0)] = kind
  }
  return classes
}
