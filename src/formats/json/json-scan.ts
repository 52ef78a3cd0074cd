const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20
const ASCII_MAX = 0x7f
/** A text of up to this length is read from its characters, which costs less than a decoder's call. */
const SHORT_BYTES_MAX = 48

const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A string begins. */
export const STRING = 1
/** An object or a list begins. */
export const OPENING = 2
/** An object or a list ends. */
export const CLOSING = 3
/** The comma between two values. */
export const COMMA = 4
/** The colon between a name and its value. */
export const COLON = 5

/** The role of each byte outside of strings, for a scanner of the bounds of values; 0: none of these. */
export const KIND_OF_BYTE = new Uint8Array(256)
for (const [characters, kind] of [
  ['"', STRING],
  ['{[', OPENING],
  ['}]', CLOSING],
  [',', COMMA],
  [':', COLON],
] as const) {
  for (const character of characters) KIND_OF_BYTE[character.charCodeAt(0)] = kind
}

/** The bytes of a string that are looked at one by one before its end is searched for. */
const NEAR_BYTES = 24

/** A search that finds nothing in so many bytes takes a tenth of a millisecond. */
const SEARCHED_BYTES_MAX = 4 * 1024 * 1024

/** Gives the first byte behind the string whose opening quote stands at `start`; undefined: it does not end before `limit`. */
export function endOfShortString(bytes: Uint8Array, start: number, limit: number): number | undefined {
  let at = start + 1
  for (const near = Math.min(at + NEAR_BYTES, limit); at < near; ) {
    const byte = bytes[at]
    if (byte === QUOTE) return at + 1
    at += byte === BACKSLASH ? 2 : 1
  }
  if (at >= limit) return undefined
  // A view costs more than the rest of most searches.
  const searched = bytes.length - limit > SEARCHED_BYTES_MAX ? bytes.subarray(0, limit) : bytes
  while (at < limit) {
    const quote = searched.indexOf(QUOTE, at)
    if (quote === -1 || quote >= limit) return undefined
    let before = quote - 1
    while (before >= at && bytes[before] === BACKSLASH) before -= 1
    if ((quote - before) % 2 === 1) return quote + 1
    at = quote + 1
  }
  return undefined
}

/** Gives the text of a string whose quotes stand at `start` and before `end`. Throws if it is no string of JSON in UTF-8. */
export function textOfString(bytes: Uint8Array, start: number, end: number): string {
  let text = ''
  if (end - start > SHORT_BYTES_MAX) return parsedText(bytes, start, end)
  for (let at = start + 1; at < end - 1; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte < SPACE || byte === BACKSLASH || byte > ASCII_MAX) return parsedText(bytes, start, end)
    text += String.fromCharCode(byte)
  }
  return text
}

function parsedText(bytes: Uint8Array, start: number, end: number): string {
  return String(JSON.parse(UTF_8.decode(bytes.subarray(start, end))))
}
