import { isDeepStrictEqual } from 'node:util'
import { UNREAD } from '../../../src/formats/json/member-scan.ts'

/** Reads the members of a JSON object, a window at a time; throws where the text is none. */
export type ReadMembers = (bytes: Uint8Array, windowBytes: number) => Readonly<Record<string, unknown>>

const LONG_BYTES = 1024
const TO_BYTES = new TextEncoder()
const FROM_BYTES = new TextDecoder()

/**
 * Compares the members that are read of a text with those of `JSON.parse`; undefined: they are the same, or neither reads it.
 *
 * @example
 * const difference = differenceOf('{"a":1}', scanAll, 3)
 */
export function differenceOf(text: string, read: ReadMembers, windowBytes: number): string | undefined {
  const bytes = TO_BYTES.encode(text)
  // Half of a character has no bytes.
  const expected = parsed(FROM_BYTES.decode(bytes))
  let found: Readonly<Record<string, unknown>>
  try {
    found = read(bytes, windowBytes)
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) return `threw ${String(thrown)}`
    return expected === undefined ? undefined : `refused it: ${thrown.message}`
  }
  // What is wrong within a value that is skipped is not its business.
  if (expected === undefined) return undefined
  const names = Object.keys(expected)
  if (!isDeepStrictEqual(new Set(Object.keys(found)), new Set(names))) return `names ${Object.keys(found).join()}`
  for (const name of names) {
    const [here, there] = [found[name], expected[name]]
    if (here === UNREAD ? mayBeUnread(there) : isDeepStrictEqual(here, there)) continue
    return `${JSON.stringify(name)} is ${String(here)}`
  }
  return undefined
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}

/** Whether a value may be skipped: a list, an object, or a text that can be written in as many bytes. */
function mayBeUnread(value: unknown): boolean {
  if (typeof value === 'string') return value.length * 6 > LONG_BYTES
  return typeof value === 'object' && value !== null
}
