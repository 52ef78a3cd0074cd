import { rememberNames } from '../openai/inner-members.ts'

/** A value of JSON, and the text that it was parsed of. */
interface KnownValue {
  readonly text: string
  readonly value: object
}

/** The longest text that is kept, in UTF-8. Agents have tools of up to 100 KB. */
export const KNOWN_BYTES_MAX = 128 * 1024
/** The length of all texts together, in characters. */
const ALL_CHARS_MAX = 512 * 1024
/** A shorter text is parsed in no time. */
const TEXT_CHARS_MIN = 1024

/** The one that was asked for last comes last. */
const known: KnownValue[] = []
let charCount = 0
const plain = new WeakSet<object>()

/**
 * Finds the value of a text that has come before; undefined: it has not, or was forgotten. Agents send the same tools with each request, and
 * to compare two texts costs a tenth of parsing one. A known value is shared between requests: nobody may change it.
 *
 * @example
 * const value = findKnown(text) ?? JSON.parse(text)
 */
export function findKnown(text: string): object | undefined {
  for (let at = known.length - 1; at >= 0; at -= 1) {
    const one = known[at]
    if (one === undefined || one.text.length !== text.length || one.text !== text) continue
    if (at < known.length - 1) {
      known.splice(at, 1)
      known.push(one)
    }
    return one.value
  }
  return undefined
}

/** Keeps the value of a text. A few hundred KB of texts are kept: the one that nobody has sent for the longest goes. */
export function rememberKnown(text: string, value: object): void {
  if (text.length < TEXT_CHARS_MIN) return
  known.push({ text, value })
  rememberNames(value)
  charCount += text.length
  while (charCount > ALL_CHARS_MAX) charCount -= known.shift()?.text.length ?? charCount
}

/** Whether it is known of a value that no name occurs twice in one object of its text. */
export function isKnownPlain(value: unknown): boolean {
  return typeof value === 'object' && value !== null && plain.has(value)
}

/** Notes that no name occurs twice in one object of a value's text. */
export function rememberPlain(value: unknown): void {
  if (typeof value === 'object' && value !== null) plain.add(value)
}
