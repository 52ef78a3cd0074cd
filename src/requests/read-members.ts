import { readAnyBytes } from '../formats/bytes/byte-string.ts'
import { foldName } from '../formats/json/fold-name.ts'
import { isJsonObject } from '../formats/json/json.ts'
import type { JsonBody } from '../formats/json/json-body.ts'
import { UNREAD } from '../formats/json/member-scan.ts'
import type { Member } from '../formats/json/members.ts'
import { skipSpace } from '../formats/json/skip.ts'
import { isWordsByName } from '../openai/inner-members.ts'
import { isModelName } from '../openai/model-names.ts'
import type { Rules } from '../params/rules.ts'
import { findKnown, KNOWN_BYTES_MAX, rememberKnown } from './known-values.ts'

const QUOTE = 0x22
const OPEN_BRACE = 0x7b
const OPEN_BRACKET = 0x5b
/** A text of up to this length is parsed at once. A longer string is read with all of its body. */
const AT_ONCE_BYTES_MAX = 32 * 1024
/** So many bytes of such texts are parsed in one go. With more of them, all of the body is read, in slices. */
const ALL_AT_ONCE_BYTES_MAX = 256 * 1024
/** Texts whose value tells what other members are. */
const TELLING: ReadonlySet<string> = new Set(['name', 'type', 'endpoint', 'purpose'])
/** A list of up to this length is searched at once: that takes half a millisecond for 1 MiB. */
const SEARCHED_BYTES_MAX = 4 * 1024 * 1024
/** The names that tell a call in a list, and the escapes by which a letter of a name may be written. */
const CALL_NAMES = /"(?:body|params)"\s*:|\\u00[67]/
const FROM_BYTES = new TextDecoder('utf-8', { fatal: true })

/** The parts of a body that are to be read. */
export interface WantedMembers {
  /** The rules, of which any may be applied to it. */
  readonly rules: Pick<Rules, 'reads'>
  /** Whether the models, the calls and the limits within it are judged (`requests/judge-inner.ts`). */
  readonly isJudged: boolean
}

/**
 * Reads the long members of a body that decide anything: those that a rule is about, and, where models and calls within the body are judged,
 * all that are not free text, as messages are. Gives the body itself where none is to be read. Where a name occurs twice, all is read.
 *
 * Throws, or rejects with, the `ApiError` of a text that can't be parsed.
 *
 * @example
 * const json = await readMembers(read, { rules: snapshot.rules, isJudged: snapshot.modelsDecide })
 */
export function readMembers(json: JsonBody, wanted: WantedMembers): JsonBody | Promise<JsonBody> {
  const { outline, members } = json
  if (json.unread === undefined || !isJsonObject(outline)) return json
  const hasTwins = members.length !== Object.keys(outline).length
  const missing = members.filter(
    (member) => (outline[member.key] as unknown) === UNREAD && isWanted(member, json, wanted, hasTwins),
  )
  if (missing.length === 0) return json
  const isString = ({ valueStart }: Member): boolean => json.bytes[valueStart] === QUOTE
  const isLong = ({ valueStart, valueEnd }: Member): boolean => valueEnd - valueStart > AT_ONCE_BYTES_MAX
  const short = missing.filter((one) => !isLong(one))
  const shortBytes = short.reduce((bytes, { valueStart, valueEnd }) => bytes + valueEnd - valueStart, 0)
  const isMuch = shortBytes > ALL_AT_ONCE_BYTES_MAX
  if (hasTwins || isMuch || missing.some((one) => isString(one) && isLong(one))) return json.readWhole()
  const values = new Map<string, unknown>()
  const reading = readInto(values, missing, json)
  return reading === undefined ? json.withValues(values) : reading.then(() => json.withValues(values))
}

/** Reads the members from `from` on, one after the other. */
function readInto(
  values: Map<string, unknown>,
  members: readonly Member[],
  json: JsonBody,
  from = 0,
): Promise<void> | undefined {
  for (const [index, { key, valueStart, valueEnd }] of members.slice(from).entries()) {
    const value = memberValue(json.bytes.subarray(valueStart, valueEnd), json)
    if (value instanceof Promise) {
      return value.then((read) => {
        values.set(key, read)
        return readInto(values, members, json, from + index + 1)
      })
    }
    values.set(key, value)
  }
  return undefined
}

function isWanted(
  { key, valueStart, valueEnd }: Member,
  { bytes }: JsonBody,
  { rules, isJudged }: WantedMembers,
  hasTwins: boolean,
): boolean {
  // A server in JavaScript may take the members of `__proto__` for those of the body.
  if (key === '__proto__' || rules.reads(key)) return true
  const byte = bytes[valueStart]
  // Messages count as one prompt, unless they are a list of lists.
  if (key === 'messages' && byte === OPEN_BRACKET && bytes[skipSpace(bytes, valueStart + 1)] === OPEN_BRACKET)
    return true
  if (!isJudged) return false
  // The input of an agent is as long as messages are, and free text where it holds no calls.
  if (byte === OPEN_BRACKET && key === 'input') return hasTwins || mayHoldCalls(bytes.subarray(valueStart, valueEnd))
  // A list of another name may hold calls.
  if (byte === OPEN_BRACKET) return key !== 'messages'
  if (byte === OPEN_BRACE) return !isWordsByName(key)
  return TELLING.has(key) || isModelName(foldName(key))
}

/** Whether an element of a list may be a call of its own (`bringsCall`), or the list is too long to be searched at once. */
function mayHoldCalls(list: Uint8Array): boolean {
  return list.byteLength > SEARCHED_BYTES_MAX || CALL_NAMES.test(readAnyBytes(list))
}

/** The value of a member's text; a promise where it is long and has not come before. */
function memberValue(bytes: Uint8Array, { unread }: JsonBody): unknown {
  const text = bytes[0] === QUOTE || bytes.byteLength > KNOWN_BYTES_MAX ? undefined : textOf(bytes)
  const known = text === undefined ? undefined : findKnown(text)
  if (known !== undefined) return known
  const remember = (value: unknown): unknown => {
    if (text !== undefined && typeof value === 'object' && value !== null) rememberKnown(text, value)
    return value
  }
  const parsing = unread?.parse(bytes)
  return parsing instanceof Promise ? parsing.then(({ value }) => remember(value)) : remember(parsing?.value)
}

/** The text of bytes in UTF-8; undefined: they are something else, which their parser will tell. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return FROM_BYTES.decode(bytes)
  } catch {
    return undefined
  }
}
