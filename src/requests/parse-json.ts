import type { Held } from '../exchange/memory-budget.ts'
import { TooManyValues } from '../formats/json/json-builder.ts'
import { JsonParser } from '../formats/json/json-parser.ts'
import { MemberScan } from '../formats/json/member-scan.ts'
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
  const parsed = ({ value, members, weight }: JsonParser): ParsedJson => {
    held?.().add(weight)
    return { value, members: Array.isArray(value) ? undefined : members }
  }
  const parser = new JsonParser(bytes, WEIGHT_FREE + WEIGHT_FACTOR * bytes.byteLength)
  const slice = Slice.amongMany()
  return goOn(parser, slice) ? parsed(parser) : inSlices(parser, slice).then(parsed)
}

/** The members of a text of up to this length are read at once: that takes less than half a millisecond. */
const SCANNED_AT_ONCE_BYTES_MAX = 256 * 1024
/** The memory that members take is counted from so many bytes on. */
const UNCOUNTED_WEIGHT_MAX = 64 * 1024

/**
 * Reads the members of a long JSON object, at once or in slices, and looks into the short ones only. Gives them by name; long ones are
 * `UNREAD`. To `idColons` are added the places that `MemberScan` adds there.
 *
 * Throws, or rejects, as `parseJson` does; any other error than its own means that the text is certainly no object of JSON.
 *
 * @example
 * const { value, members } = await scanMembers(bytes, () => memory.hold(exchange))
 */
export function scanMembers(
  bytes: Uint8Array,
  held: () => Held,
  idColons?: number[],
): MemberScan | Promise<MemberScan> {
  const scanned = (scan: MemberScan): MemberScan => {
    if (scan.weight > UNCOUNTED_WEIGHT_MAX) held().add(scan.weight)
    return scan
  }
  const scan = new MemberScan(bytes, undefined, idColons)
  if (bytes.byteLength <= SCANNED_AT_ONCE_BYTES_MAX) {
    goOn(scan, ENDLESS)
    return scanned(scan)
  }
  const slice = Slice.amongMany()
  return goOn(scan, slice) ? scanned(scan) : inSlices(scan, slice).then(scanned)
}

/**
 * Scans a text whose members have been read once more, for the places that `scanMembers` adds to its `idColons`.
 *
 * @example
 * const colons = idColons ?? findIdColons(bytes)
 */
export function findIdColons(bytes: Uint8Array): readonly number[] {
  const colons: number[] = []
  new MemberScan(bytes, undefined, colons).goOn(() => false)
  return colons
}

/** Reading that is done a little at a time. */
interface Reading {
  /** Reads on until the time is over, or all is read: then true. */
  readonly goOn: (isOver: () => boolean) => boolean
}

const ENDLESS: Pick<Slice, 'isOver'> = { isOver: () => false }

async function inSlices<R extends Reading>(reading: R, slice: Slice): Promise<R> {
  do await slice.rest()
  while (!goOn(reading, slice))
  return reading
}

function goOn(reading: Reading, slice: Pick<Slice, 'isOver'>): boolean {
  try {
    return reading.goOn(() => slice.isOver())
  } catch (thrown) {
    throw thrown instanceof TooManyValues ? tooManyValues(thrown) : thrown
  }
}

function tooManyValues({ message: excess }: TooManyValues): ApiError {
  if (excess === '') return new ApiError('too_many_values')
  const message = `The JSON of your request has ${excess}, which is more than this server takes. Send less in one request.`
  return new ApiError('too_many_values', { message })
}
