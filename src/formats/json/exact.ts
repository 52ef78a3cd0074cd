import { endOfString } from './skip.ts'

/** A value of JSON that keeps all of its text but white space: numbers that a double would change stay as written. */
export type ExactJson = string | number | boolean | null | RawNumber | readonly ExactJson[] | ExactObject

/** An object of such values. */
export interface ExactObject {
  readonly [name: string]: ExactJson
}

/** A number as it was written, such as `1.0` or `9007199254740993`; `JSON.stringify` writes it so again. */
export interface RawNumber {
  readonly rawJSON: string
}

/** A feature of the language that its types do not name yet (ECMAScript, "JSON.parse source text access"). */
interface SourceTextJson {
  parse(text: string, reviver: Reviver): ExactJson
  rawJSON(text: string): RawNumber
  isRawJSON(value: unknown): boolean
}

type Reviver = (this: unknown, name: string, value: unknown, context: { readonly source?: string }) => unknown

const SOURCE_TEXT = JSON as unknown as SourceTextJson

/** A text that nests deeper is not read: functions that walk its value need the stack for it. */
const DEPTH_MAX = 500

const UTF_8 = new TextEncoder()

/**
 * Parses a JSON text without loss; undefined: it is not JSON, has a name twice in one object, or nests too deep.
 *
 * @example
 * JSON.stringify(parseExact('{"seed": 9007199254740993, "top_p": 1.0}')) // '{"seed":9007199254740993,"top_p":1.0}'
 */
export function parseExact(text: string): ExactJson | undefined {
  const bytes = UTF_8.encode(text)
  const { depth, members } = measure(bytes)
  if (depth > DEPTH_MAX) return undefined
  // The parser also counts the whole value as a member, of an object of its own.
  let found = -1
  const reviver: Reviver = function (_name, value, { source }) {
    if (!Array.isArray(this)) found += 1
    return typeof value === 'number' && source !== undefined && JSON.stringify(value) !== source
      ? SOURCE_TEXT.rawJSON(source)
      : value
  }
  try {
    const value = SOURCE_TEXT.parse(text, reviver)
    return found === members ? value : undefined
  } catch {
    return undefined
  }
}

/** Whether a value is a number that is kept as it was written. */
export function isRawNumber(value: unknown): value is RawNumber {
  return SOURCE_TEXT.isRawJSON(value)
}

/** Whether a value is an object, and not a number that is kept as it was written. */
export function isExactObject(value: unknown): value is ExactObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value)
}

/** How deep a text nests, and how many members all its objects have. */
function measure(bytes: Uint8Array): { readonly depth: number; readonly members: number } {
  let [at, open, depth, members] = [0, 0, 0, 0]
  while (at < bytes.length) {
    const byte = bytes[at]
    if (byte === 0x22) {
      at = endOfString(bytes, at)
      continue
    }
    if (byte === 0x5b || byte === 0x7b) open += 1
    else if (byte === 0x5d || byte === 0x7d) open -= 1
    else if (byte === 0x3a) members += 1
    depth = Math.max(depth, open)
    at += 1
  }
  return { depth, members }
}
