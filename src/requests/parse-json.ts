import type { Held } from '../exchange/memory-budget.ts'
import { TooManyValues } from '../formats/json/json-builder.ts'
import { JsonParser } from '../formats/json/json-parser.ts'
import type { Member } from '../formats/json/members.ts'
import { ApiError } from '../openai/api-error.ts'
import { Slice } from '../timing/slices.ts'

/** A JSON text as it was parsed. */
export interface ParsedJson {
  readonly value: unknown
  /** The places of the object's members, where the parser has found them on the way. */
  readonly members: readonly Member[] | undefined
}

/** A text of up to this length is parsed at once: the densest one takes two milliseconds, also where hundreds arrive together. */
const AT_ONCE_BYTES_MAX = 32 * 1024
/** The memory that the values of any text may take, in bytes … */
const WEIGHT_FREE = 2 * 1024 * 1024
/** … and the multiple of its length that they may take beyond that. */
const WEIGHT_FACTOR = 5

const UTF_8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Parses a JSON text in UTF-8: a short one at once, a long one in slices, so that other requests get their turn. The memory that the values
 * of a long text take is added to what `held` gives.
 *
 * Throws, or rejects with, `too_many_values` and `memory_full`. Any other error means that the text is no JSON, or is long and neither an
 * object nor a list.
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
