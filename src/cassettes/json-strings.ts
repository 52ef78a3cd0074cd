/** A string in a text that has JSON in it, at whichever depth of quoting: `"…"`, `\"…\"` within a string, and so on. */
export interface JsonString {
  /** Where its content starts. */
  readonly start: number
  readonly end: number
  /** The index behind its closing quote. */
  readonly next: number
  /** How many backslashes stand before each of its quotes. */
  readonly depth: number
}

/** The lengths of the longest name and of the longest value that are looked at. */
const NAME_CHARS_MAX = 128
const VALUE_CHARS_MAX = 64 * 1024
/** White space, plain or escaped as within a string. */
const SPACE = /(?:\s|\\+[nrt])*/y

/** A name and where its value begins. */
export interface JsonName {
  readonly name: JsonString
  /** The first character of the value. */
  readonly valueAt: number
}

/**
 * Finds the names of members in a text, whether all of it is JSON or only some, and also in JSON within a string of JSON.
 *
 * @example
 * for (const { name, valueAt } of jsonNames('data: {"a":"{\\"b\\":1}"}')) … // a, then b
 */
export function* jsonNames(text: string): Generator<JsonName> {
  for (let quote = text.indexOf('"'); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    const name = stringAt(text, quote, NAME_CHARS_MAX)
    if (name === undefined) continue
    const colon = skipQuotedSpace(text, name.next)
    if (text[colon] === ':') yield { name, valueAt: skipQuotedSpace(text, colon + 1) }
  }
}

/**
 * The string that begins at a place, in the same depth of quoting as another one; undefined: none does.
 *
 * @example
 * const value = stringFrom(text, valueAt, name.depth)
 */
export function stringFrom(text: string, at: number, depth: number): JsonString | undefined {
  return text[at + depth] === '"' ? stringAt(text, at + depth, VALUE_CHARS_MAX, depth) : undefined
}

/** The index behind the white space at a place. */
export function skipQuotedSpace(text: string, at: number): number {
  SPACE.lastIndex = at
  SPACE.test(text)
  return SPACE.lastIndex
}

/** The string whose opening quote is at a place. */
function stringAt(text: string, quote: number, charsMax: number, wanted?: number): JsonString | undefined {
  const depth = backslashesBefore(text, quote)
  // Each depth of quoting doubles them, and adds one.
  if ((wanted !== undefined && depth !== wanted) || (depth & (depth + 1)) !== 0) return undefined
  const start = quote + 1
  const until = start + charsMax
  for (let at = text.indexOf('"', start); at !== -1 && at <= until; at = text.indexOf('"', at + 1)) {
    const count = backslashesBefore(text, at)
    if (count % (2 * (depth + 1)) === depth) return { start, end: at - depth, next: at + 1, depth }
    if (count < depth) return undefined
  }
  return undefined
}

function backslashesBefore(text: string, at: number): number {
  let count = 0
  while (text[at - count - 1] === '\\') count += 1
  return count
}
