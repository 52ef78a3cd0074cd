import { endOfString, endOfValue, skipSpace } from './skip.ts'

/** The place of an object's member in a JSON text; all offsets are in bytes, and each end is the first byte behind. */
export interface Member {
  /** The name without its quotes and escapes. */
  readonly key: string
  /** The place of the name's opening quote. */
  readonly keyStart: number
  readonly keyEnd: number
  readonly valueStart: number
  readonly valueEnd: number
}

const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const COMMA = 0x2c
const ASCII_MAX = 0x7f
/** For a longer name, calling a decoder is worth it. */
const SHORT_KEY_BYTES_MAX = 48

const UTF_8 = new TextDecoder()

/**
 * Finds the members of the object that begins at `start`, behind any whitespace and, at the very front, a byte order mark.
 *
 * A name that occurs twice is listed twice. A value that is no object has no members. From `start` on, the bytes must be JSON that
 * `JSON.parse` has accepted: others may throw a SyntaxError or give members that mean nothing, but never take an endless
 * search. Nothing here is recursive: a deeply nested value costs no stack.
 *
 * `expected` are names that are likely to come in this order, such as the parsed object's: a name that does is not decoded
 * from its bytes.
 *
 * @example
 * const model = membersOf(bytes).find(({ key }) => key === 'model')
 */
export function membersOf(bytes: Uint8Array, start = 0, expected: readonly string[] = NONE): Member[] {
  const brace = objectStart(bytes, start)
  return bytes[brace] === OPEN_BRACE ? membersWithin(bytes, brace + 1, bytes.length, expected) : []
}

/**
 * Finds the members of an object from `from` on, where its first member or the text before that stands: up to the object's end, or to `to`.
 *
 * @example
 * const members = membersWithin(bytes, brace + 1, bytes.length)
 */
export function membersWithin(
  bytes: Uint8Array,
  from: number,
  to: number,
  expected: readonly string[] = NONE,
): Member[] {
  const members: Member[] = []
  let at = skipSpace(bytes, from)
  while (at < to && bytes[at] !== CLOSE_BRACE) {
    const keyStart = at
    const keyEnd = endOfString(bytes, keyStart)
    const valueStart = skipSpace(bytes, skipSpace(bytes, keyEnd) + 1)
    const valueEnd = endOfValue(bytes, valueStart)
    const likely = expected[members.length]
    const key =
      likely !== undefined && isKey(bytes, keyStart, keyEnd, likely) ? likely : decodeKey(bytes, keyStart, keyEnd)
    members.push({ key, keyStart, keyEnd, valueStart, valueEnd })
    at = skipSpace(bytes, valueEnd)
    if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1)
  }
  return members
}

/**
 * Gives the place of a value behind white space and, at the very front, a byte order mark.
 *
 * @example
 * bytes[objectStart(bytes)] === 0x7b
 */
export function objectStart(bytes: Uint8Array, start = 0): number {
  const hasMark = start === 0 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
  return skipSpace(bytes, hasMark ? 3 : start)
}

const NONE: readonly string[] = []

/** Whether the name stands there exactly as it is: plain, without an escape. */
function isKey(bytes: Uint8Array, keyStart: number, keyEnd: number, name: string): boolean {
  if (keyEnd - keyStart - 2 !== name.length) return false
  for (let at = 0; at < name.length; at += 1) {
    const code = name.charCodeAt(at)
    if (code > ASCII_MAX || code === BACKSLASH || bytes[keyStart + 1 + at] !== code) return false
  }
  return true
}

/** Decodes a name: a short plain one from its characters, which costs a third of a decoder's call. */
function decodeKey(bytes: Uint8Array, keyStart: number, keyEnd: number): string {
  let key = ''
  const end = keyEnd - 1
  if (end - keyStart > SHORT_KEY_BYTES_MAX) return decodeWithEscapes(bytes, keyStart, keyEnd)
  for (let at = keyStart + 1; at < end; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte === BACKSLASH || byte > ASCII_MAX) return decodeWithEscapes(bytes, keyStart, keyEnd)
    key += String.fromCharCode(byte)
  }
  return key
}

function decodeWithEscapes(bytes: Uint8Array, keyStart: number, keyEnd: number): string {
  return String(JSON.parse(UTF_8.decode(bytes.subarray(keyStart, keyEnd))))
}
