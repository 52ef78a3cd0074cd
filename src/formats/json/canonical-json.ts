import { CanonicalScanner } from './canonical-scanner.ts'
import type { ExactJson } from './exact.ts'

const UTF_8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Gives the canonical form of a JSON text: two texts have the same form exactly if they mean the same.
 *
 * The order of an object's members and white space don't matter, and strings count by what they mean (`"\u0041"` is `"A"`).
 * Numbers count as they are written, since not every reader has doubles: `1`, `1.0` and `9007199254740993` stay what they are.
 * A name that occurs more than once keeps all of its members, in their order. A text that is not JSON in UTF-8 comes back as its
 * bytes, or as a text that no JSON has.
 *
 * Nothing here is recursive: a deeply nested value costs no stack.
 *
 * @example
 * canonicalJson(bytesOf('{ "b": 1.0, "a": "\\u0041" }')) // '{"a":"A","b":1.0}'
 */
export function canonicalJson(bytes: Uint8Array): string | Uint8Array {
  try {
    return new CanonicalScanner(UTF_8.decode(bytes)).scan()
  } catch {
    return bytes
  }
}

/** The canonical form of a longer body is its bytes: its text alone would take long to make. */
const READ_BYTES_MAX = 4 * 1024 * 1024

/**
 * Gives the canonical form with rests. A text of more than 4 MiB, or with an object of more than ten thousand members, a
 * thousand levels or as many lists and objects as would take far more memory than the text, comes back as its bytes.
 *
 * @example
 * const form = yield* canonicalInSteps(body)
 */
export function* canonicalInSteps(bytes: Uint8Array): Generator<void, string | Uint8Array, void> {
  if (bytes.byteLength > READ_BYTES_MAX) return bytes
  try {
    return yield* new CanonicalScanner(UTF_8.decode(bytes)).scanInSteps()
  } catch {
    return bytes
  }
}

/**
 * Writes a value in the canonical form, so that two values are written alike exactly if they are equal.
 *
 * @example
 * canonicalText({ b: 1, a: [true] }) // '{"a":[true],"b":1}'
 */
export function canonicalText(value: ExactJson): string {
  return new CanonicalScanner(JSON.stringify(value)).scan()
}
