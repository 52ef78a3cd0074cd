import type { Exchange } from '../exchange/exchange.ts'
import { codingsOf, formatOf } from '../formats/bytes/decode-body.ts'
import { isEventStream, isJsonType, isVagueType } from '../formats/http/media-types.ts'
import { isJsonObject, type JsonObject } from '../formats/json/json.ts'
import { MemberPicker } from '../formats/json/member-picker.ts'
import { SeenBytes } from '../openai/usage/seen-bytes.ts'
import { SeenText } from '../openai/usage/seen-text.ts'
import { USAGE_MEMBERS } from '../openai/usage/usage-members.ts'
import type { UsageTally } from '../openai/usage/usage-tally.ts'
import { DecodedBeside } from './decoded-beside.ts'
import { UsageEvents } from './usage-events.ts'

type OnChunk = (chunk: Uint8Array) => void
type OnValue = (value: JsonObject) => void

const FROM_LATIN = new TextDecoder('latin1')
const FROM_BYTES = new TextDecoder()
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const SPACE = 0x20
const PARSED_BYTES_MAX = 16 * 1024
const LINES_OF_JSON = /^application\/(?:x-ndjson|jsonl|json-seq)/i
const TEXT = /^text\//i

/**
 * Reads the usage in a good answer while it passes, for the exchange's tally and, where `isTold`, for the observers. Gives the function that takes the chunks;
 * undefined: nobody wants to hear it. Each body is to be read once.
 *
 * Observers hear, when the exchange ends, the last `usage` of the answer, or of the `response` in an event (OpenAI specification,
 * `CompletionUsage`, `ResponseUsage`); of encoded answers they hear nothing.
 *
 * @example
 * const onChunk = watchUsage(exchange, answer)
 */
export function watchUsage(
  exchange: Exchange,
  answer: Response,
  isTold = exchange.hasUsageObserver,
): OnChunk | undefined {
  const { tally } = exchange
  if ((tally === undefined && !isTold) || !answer.ok) return undefined
  const { headers } = answer
  const codings = codingsOf(headers.get('content-encoding'))
  const type = headers.get('content-type')
  const isPlain = codings.length === 0
  const onUsage = isTold && isPlain ? tellAtEnd(exchange) : undefined
  if (tally === undefined) return onUsage === undefined ? undefined : readerOf(type, onUsage, undefined)
  const read = readerOf(
    type,
    (value) => {
      tally.add(value)
      onUsage?.(value)
    },
    tally,
  )
  return isPlain ? read : decoded(exchange, codings, read, tally)
}

/** Gives the function that keeps the last usage, which observers hear at the end. */
function tellAtEnd(exchange: Exchange): OnValue {
  let last: JsonObject | undefined
  exchange.atEnd(() => {
    if (last !== undefined) exchange.onUsage(last)
  })
  return ({ usage, response }) => {
    if (isJsonObject(usage)) last = usage
    else if (isJsonObject(response) && isJsonObject(response['usage'])) last = response['usage']
  }
}

/** Makes the reader of a plain body; `tally` also wants to know what has passed. */
function readerOf(type: string | null, onValue: OnValue, tally: UsageTally | undefined): OnChunk {
  if (isEventStream(type)) {
    const seen = tally === undefined ? undefined : new SeenBytes((bytes) => tally.saw(bytes))
    if (seen !== undefined) tally?.beforeTold(seen.count)
    const events = new UsageEvents(onValue, seen?.add)
    return (chunk) => events.add(chunk)
  }
  const isVague = tally !== undefined && (tally.isJson === true || isVagueType(type))
  if (isVague || isJsonType(type) || LINES_OF_JSON.test(type ?? '')) {
    return jsonReader(onValue, tally)
  }
  const isText = TEXT.test(type ?? '')
  return (chunk) => tally?.saw(isText ? chunk.byteLength : 0)
}

/** Reads objects of JSON. One that comes at once, and is not long, is parsed: that costs a tenth of a search for its members. */
function jsonReader(onValue: OnValue, tally: UsageTally | undefined): OnChunk {
  let reader: { readonly picker: MemberPicker; readonly seen: SeenText } | undefined
  return (chunk) => {
    const whole = reader === undefined ? wholeObject(chunk) : undefined
    if (whole !== undefined) onValue(whole)
    if (isJsonObject(whole?.['usage'])) return tally?.saw(0)
    reader ??= { picker: new MemberPicker(USAGE_MEMBERS, onValue), seen: new SeenText() }
    if (tally !== undefined) tally.saw(reader.seen.add(FROM_LATIN.decode(chunk)))
    if (whole === undefined) reader.picker.add(chunk)
  }
}

/** The object that a chunk is; undefined: it is none, or more than that, or a long one. */
function wholeObject(chunk: Uint8Array): JsonObject | undefined {
  if (chunk.byteLength > PARSED_BYTES_MAX || chunk[0] !== OPEN_BRACE) return undefined
  let end = chunk.byteLength
  while (end > 0 && (chunk[end - 1] ?? 0) <= SPACE) end -= 1
  if (chunk[end - 1] !== CLOSE_BRACE) return undefined
  try {
    const value: unknown = JSON.parse(FROM_BYTES.decode(chunk))
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Reads an encoded body: what can't be decoded counts as seen only. */
function decoded(exchange: Exchange, codings: readonly string[], read: OnChunk, tally: UsageTally): OnChunk {
  const [coding = '', ...others] = codings
  const format = others.length === 0 ? formatOf(coding) : undefined
  if (format === undefined) return () => tally.saw(0)
  const beside = new DecodedBeside(format, read, (reading) => tally.waitFor(reading))
  exchange.atEnd(() => beside.end())
  return (chunk) => {
    tally.saw(0)
    beside.add(chunk)
  }
}
