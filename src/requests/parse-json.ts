import type { Held } from '../exchange/memory-budget.ts'
import { TooManyValues } from '../formats/json/json-builder.ts'
import { JsonParser } from '../formats/json/json-parser.ts'
import type { Member } from '../formats/json/members.ts'
import { ApiError } from '../openai/api-error.ts'
import { Slice } from '../timing/slices.ts'

/** What a JSON text says. */
export interface ParsedJson {
  readonly value: unknown
  /** Where the members of the object that it is stand, where they have been found on the way. */
  readonly members: readonly Member[] | undefined
}

/** A text of up to so many bytes is parsed at once: however dense it is, that takes two milliseconds at most, also where hundreds of them come together. */
const AT_ONCE_BYTES_MAX = 32 * 1024
/** The values of any text may take so much memory, in bytes … */
const WEIGHT_FREE = 2 * 1024 * 1024
/** … and so many times its length on top of that. */
const WEIGHT_FACTOR = 5

const UTF_8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Parses a JSON text in UTF-8: a short one at once, a long one in slices, so that others get their turn. Of a long one, what its
 * values take in memory is added to what `held` gives.
 *
 * Throws, or rejects with, `too_many_values` and `memory_full`; whatever else is thrown means that it is no JSON, or neither an
 * object nor a list and long.
 *
 * @example
 * const { value } = await parseJson(bytes)
 */
export function parseJson(bytes: Uint8Array, held?: () => Held): ParsedJson | Promise<ParsedJson> {
  if (bytes.byteLength <= AT_ONCE_BYTES_MAX) return { value: JSON.parse(UTF_8.decode(bytes)), members: undefined }
  const parser = new JsonParser(bytes, WEIGHT_FREE + WEIGHT_FACTOR * bytes.byteLength)
  const slice = Slice.amongMany()
  return goOn(parser, slice) ? parsed(parser, held) : inSlices(parser, slice, held)
}

async function inSlices(parser: JsonParser, slice: Slice, held: (() => Held) | undefined): Promise<ParsedJson> {
  do await slice.rest()
  while (!goOn(parser, slice))
  return parsed(parser, held)
}

function goOn(parser: JsonParser, slice: Slice): boolean {
  try {
    return parser.goOn(() => slice.isOver())
  } catch (thrown) {
    throw thrown instanceof TooManyValues ? new ApiError('too_many_values') : thrown
  }
}

function parsed({ value, members, weight }: JsonParser, held: (() => Held) | undefined): ParsedJson {
  held?.().add(weight)
  return { value, members: Array.isArray(value) ? undefined : members }
}
