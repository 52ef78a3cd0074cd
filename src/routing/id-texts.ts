import { endOfString, endOfValue, skipSpace } from '../formats/json/skip.ts'
import { namesObject, OBJECT_ID_CHARS_MAX } from '../openai/object-ids.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACKET = 0x5b
const SPACE = 0x20
/** So many places, texts and bytes of lists are gone through in ten milliseconds. */
const COLONS_MAX = 200_000
const TEXTS_MAX = 20_000
const LIST_BYTES_MAX = 1024 * 1024
/** Each character may be written as an escape of six bytes. */
const ID_BYTES_MAX = 6 * OBJECT_ID_CHARS_MAX + 2
const [ID, TOOL_CALL_ID] = ['"id"', '"tool_call_id"'].map((name) => new TextEncoder().encode(name)) as [
  Uint8Array,
  Uint8Array,
]

const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Gives what `idTextsAt` gives; undefined: there is so many that other requests would be kept waiting.
 *
 * @example
 * const texts = fewIdTextsAt(bytes, colons)
 */
export function fewIdTextsAt(bytes: Uint8Array, colons: readonly number[]): string[] | undefined {
  if (colons.length > COLONS_MAX) return undefined
  return gatherTexts(bytes, colons, TEXTS_MAX, LIST_BYTES_MAX)
}

/**
 * Gives the texts of the members whose colons stand at some places of a JSON text, in order: of those whose names hold an id, or a list of
 * ids. All strings in such a list are given, whatever else is in it. A text that is no JSON is left out: the upstream judges it.
 *
 * @example
 * const texts = idTextsAt(bytes, colons)
 */
export function idTextsAt(bytes: Uint8Array, colons: readonly number[]): string[] {
  return gatherTexts(bytes, colons, Number.POSITIVE_INFINITY, bytes.length) ?? []
}

/** The texts at such places; undefined: there are more, or their lists have more bytes. */
function gatherTexts(
  bytes: Uint8Array,
  colons: readonly number[],
  textsMax: number,
  listBytesMax: number,
): string[] | undefined {
  const texts: string[] = []
  let listBytesLeft = listBytesMax
  let listEnd = 0
  for (const colon of colons) {
    // The strings of a list within a list have been found.
    if (colon < listEnd || !isIdBefore(bytes, colon)) continue
    const start = skipSpace(bytes, colon + 1)
    if (bytes[start] === QUOTE) addText(bytes, start, endOfString(bytes, start), texts)
    else if (bytes[start] === OPEN_BRACKET) {
      listEnd = endOfValue(bytes.subarray(0, start + listBytesLeft + 1), start)
      listBytesLeft -= listEnd - start
      if (listBytesLeft < 0) return undefined
      addStrings(bytes, start, listEnd, texts, textsMax)
    }
    if (texts.length > textsMax) return undefined
  }
  return texts
}

/** Whether the member whose colon stands there holds an id. */
function isIdBefore(bytes: Uint8Array, colon: number): boolean {
  let end = colon
  while (end > 0 && (bytes[end - 1] ?? 0) <= SPACE) end -= 1
  if (bytes[end - 1] !== QUOTE) return false
  // A transcript of an agent has hundreds of these two.
  if (endsWith(bytes, end, ID)) return true
  if (endsWith(bytes, end, TOOL_CALL_ID)) return false
  for (let start = end - 2; start >= 0; start -= 1) {
    if (bytes[start] !== QUOTE) continue
    let before = start
    while (bytes[before - 1] === BACKSLASH) before -= 1
    const name = (start - before) % 2 === 0 ? textFrom(bytes, start, end) : undefined
    if (name !== undefined) return namesObject(name)
    start = before
  }
  return false
}

/** Whether a name stands before `end` with its quotes: it is none where an escape makes its first quote part of a longer one. */
function endsWith(bytes: Uint8Array, end: number, name: Uint8Array): boolean {
  const start = end - name.length
  for (let at = 0; at < name.length; at += 1) if (bytes[start + at] !== name[at]) return false
  return bytes[start - 1] !== BACKSLASH
}

function addStrings(bytes: Uint8Array, from: number, to: number, texts: string[], textsMax: number): void {
  for (let at = from; at < to && texts.length <= textsMax; ) {
    if (bytes[at] !== QUOTE) at += 1
    else {
      const end = endOfString(bytes, at)
      addText(bytes, at, end, texts)
      at = end
    }
  }
}

function addText(bytes: Uint8Array, start: number, end: number, texts: string[]): void {
  if (end - start > ID_BYTES_MAX) return
  const text = textFrom(bytes, start, end)
  if (text !== undefined) texts.push(text)
}

/** The text of a string, in one piece: it is looked up. Undefined: it is none of JSON. */
function textFrom(bytes: Uint8Array, start: number, end: number): string | undefined {
  try {
    return String(JSON.parse(UTF_8.decode(bytes.subarray(start, end))))
  } catch {
    return undefined
  }
}
