import { type ReadLimits, tooLarge } from '../exchange/collect-bytes.ts'
import type { Held } from '../exchange/memory-budget.ts'
import { canDecode, isEncoded } from '../formats/bytes/decode-body.ts'
import { decodedBytesMax } from '../formats/bytes/decode-limit.ts'
import { JsonBody, type UnreadParts } from '../formats/json/json-body.ts'
import { type MemberScan, UNREAD } from '../formats/json/member-scan.ts'
import { objectStart } from '../formats/json/members.ts'
import { skipSpace } from '../formats/json/skip.ts'
import { ApiError } from '../openai/api-error.ts'
import { fewIdTextsAt, idTextsAt } from '../routing/id-texts.ts'
import { decodeInTurns } from './decode-in-turns.ts'
import { findIdColons, type ParsedJson, parseJson, scanMembers } from './parse-json.ts'
import { type Incoming, readBytes } from './read-bytes.ts'

/**
 * How much of a JSON body is parsed: all of it, or the members of a long object, whose long values are left `UNREAD`. A short body, and
 * one that is no object, is always parsed as a whole. `ids`: the members, and the texts in long values at places where ids of objects may
 * stand; all, where there are too many of these to be found at once. With `members` and `ids later` they are found when somebody asks for
 * them, by a second scan; with `ids later` at first in a body that has room for too many.
 */
export type Depth = 'whole' | 'members' | 'ids' | 'ids later'

/** The ids in a body of up to this length are found at once, however many there are. */
const IDS_LATER_BYTES_MAX = 512 * 1024
/** A body of up to this length is parsed as a whole: that takes no longer than to skip what is in it. */
const SHORT_BYTES_MAX = 8 * 1024
/** The brace of an object is looked for in the first so many bytes. */
const BEGINNING_BYTES = 256
const OPEN_BRACE = 0x7b

/**
 * Reads a request's body once, and parses a copy of it.
 *
 * A short body that has arrived is parsed at once. Throws, or rejects with, `request_too_large` (also for a body that
 * decodes to more), `decodes_to_too_much`, `memory_full`, `too_many_values`, `unsupported_content_encoding`,
 * `unsupported_content_type` (a form where JSON belongs) or `invalid_json`.
 *
 * @example
 * const { bytes, value } = await readJson(exchange, { bytesMax: config.limits.jsonBytesMax, memory })
 */
export function readJson(incoming: Incoming, limits: ReadLimits, depth: Depth = 'whole'): JsonBody | Promise<JsonBody> {
  const reading = readBytes(incoming, limits)
  return reading instanceof Uint8Array
    ? parseBody(reading, incoming, limits, depth)
    : reading.then((bytes) => parseBody(bytes, incoming, limits, depth))
}

/**
 * Parses a copy of a request's body that is there, decoded as its headers say.
 *
 * @example
 * const { value } = await parseBody(bytes, exchange, limits)
 */
export function parseBody(
  bytes: Uint8Array<ArrayBuffer>,
  incoming: Incoming,
  limits: ReadLimits,
  depth: Depth = 'whole',
): JsonBody | Promise<JsonBody> {
  const codings = incoming.request.headers.get('content-encoding')
  if (codings === null || !isEncoded(codings)) return parse({ bytes }, incoming, limits, depth)
  if (!canDecode(codings)) throw new ApiError('unsupported_content_encoding')
  return decode(bytes, codings, incoming, limits).then((plain) =>
    parse({ bytes: plain, encoded: bytes }, incoming, limits, depth),
  )
}

async function decode(
  bytes: Uint8Array<ArrayBuffer>,
  codings: string,
  incoming: Incoming,
  { bytesMax, memory }: ReadLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  const plain = await decodeInTurns(bytes, codings, bytesMax, memory.hold(incoming))
  if (plain === undefined) throw new ApiError('unsupported_content_encoding')
  if (plain instanceof Uint8Array) return plain
  throw decodedBytesMax(bytes.byteLength) < bytesMax ? new ApiError('decodes_to_too_much') : tooLarge(bytesMax)
}

/** A body as plain JSON text, and as it came, where that is another form of it. */
interface Received {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly encoded?: Uint8Array<ArrayBuffer>
}

function parse(received: Received, incoming: Incoming, limits: ReadLimits, depth: Depth): JsonBody | Promise<JsonBody> {
  const { bytes } = received
  const isWhole = depth === 'whole' || bytes.byteLength <= SHORT_BYTES_MAX || !beginsObject(bytes)
  return refusing(incoming, () =>
    isWhole ? parseWhole(received, incoming, limits) : parseMembers(received, incoming, limits, depth),
  )
}

/** Parses, and throws, or rejects with, the `ApiError` of a text that can't be. */
function refusing<T>(incoming: Incoming, parseText: () => T | Promise<T>): T | Promise<T> {
  try {
    const parsing = parseText()
    if (!(parsing instanceof Promise)) return parsing
    return parsing.catch((cause: unknown) => {
      throw notJson(incoming, cause)
    })
  } catch (cause) {
    throw notJson(incoming, cause)
  }
}

/** Whether a text is an object, if it is JSON, and shows it at its beginning: a list has no members, and long white space is read in slices. */
function beginsObject(bytes: Uint8Array): boolean {
  return bytes[objectStart(bytes.subarray(0, BEGINNING_BYTES))] === OPEN_BRACE
}

function parseWhole(
  { bytes, encoded }: Received,
  incoming: Incoming,
  { memory }: ReadLimits,
): JsonBody | Promise<JsonBody> {
  let held: Held | undefined
  const body = ({ value, members }: ParsedJson): JsonBody => new JsonBody(bytes, value, { encoded, members, held })
  const parsing = parseJson(bytes, () => {
    held = memory.hold(incoming)
    return held
  })
  return parsing instanceof Promise ? parsing.then(body) : body(parsing)
}

function parseMembers(
  received: Received,
  incoming: Incoming,
  limits: ReadLimits,
  depth: Depth,
): JsonBody | Promise<JsonBody> {
  const { bytes, encoded } = received
  const findsIds = depth === 'ids' || (depth === 'ids later' && bytes.byteLength > IDS_LATER_BYTES_MAX)
  const idColons: number[] | undefined = findsIds ? [] : undefined
  const body = ({ value, members }: MemberScan): JsonBody | Promise<JsonBody> => {
    // The model is always read, however long it is.
    if (value['model'] === UNREAD) return parseWhole(received, incoming, limits)
    const unread = members.filter(({ key }) => value[key] === UNREAD).map(({ keyEnd }) => skipSpace(bytes, keyEnd))
    const own = findsIds ? fewIdTextsAt(bytes, unread) : NO_TEXTS
    const within = idColons === undefined ? NO_TEXTS : fewIdTextsAt(bytes, idColons)
    if (own === undefined || within === undefined) return parseWhole(received, incoming, limits)
    const findIdTexts = (): readonly string[] =>
      findsIds ? [...own, ...within] : [...idTextsAt(bytes, unread), ...idTextsAt(bytes, findIdColons(bytes))]
    return new JsonBody(bytes, value, { encoded, members, unread: new Unread(findIdTexts, incoming, limits) })
  }
  const scanning = scanMembers(bytes, () => limits.memory.hold(incoming), idColons)
  return scanning instanceof Promise ? scanning.then(body) : body(scanning)
}

const NO_TEXTS: readonly string[] = []

/** The parts of a long body that have not been read, and how they are; a class, because each long body has one. */
class Unread implements UnreadParts {
  readonly #findIdTexts: () => readonly string[]
  readonly #incoming: Incoming
  readonly #limits: ReadLimits
  #idTexts: readonly string[] | undefined
  #held: Held | undefined

  constructor(findIdTexts: () => readonly string[], incoming: Incoming, limits: ReadLimits) {
    this.#findIdTexts = findIdTexts
    this.#incoming = incoming
    this.#limits = limits
  }

  /** Found when they are first asked for: a transcript has hundreds of them, and while no object is known, nobody asks. */
  get idTexts(): readonly string[] {
    this.#idTexts ??= this.#findIdTexts()
    return this.#idTexts
  }

  parse(bytes: Uint8Array): ParsedJson | Promise<ParsedJson> {
    const hold = (): Held => {
      this.#held ??= this.#limits.memory.hold(this.#incoming)
      return this.#held
    }
    return refusing(this.#incoming, () => parseJson(bytes, hold))
  }

  drop(): void {
    this.#held?.drop()
  }
}

/** A parser's message quotes the text, which is the caller's prompt: the cause keeps only its kind. */
function notJson({ request }: Incoming, cause: unknown): ApiError {
  if (cause instanceof ApiError) return cause
  const contentType = request.headers.get('content-type') ?? ''
  const reason = cause instanceof Error ? cause.name : 'unknown'
  const mediaType = contentType.split(';', 1)[0]?.trim() ?? ''
  if (!mediaType.startsWith('multipart/')) return new ApiError('invalid_json', { cause: reason })
  return new ApiError('unsupported_content_type', {
    message: `Unsupported content type: '${mediaType}'. This API method only accepts 'application/json' requests, but you specified the header 'Content-Type: ${mediaType}'. Please try again with a supported content type.`,
  })
}
