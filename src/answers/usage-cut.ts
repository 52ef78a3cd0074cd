import { hasBytesAt } from '../formats/bytes/byte-string.ts'
import { joinBytes } from '../formats/bytes/join-bytes.ts'
import { applyEdits, changeMembers } from '../formats/json/edit.ts'
import { isJsonObject, type Json, type JsonObject } from '../formats/json/json.ts'
import { membersOf, objectStart } from '../formats/json/members.ts'
import { DataRanges } from '../formats/sse/data-ranges.ts'
import { endsEvent } from '../formats/sse/event-boundary.ts'
import { EventSplitter } from '../formats/sse/event-splitter.ts'
import { usageMemberIn } from '../openai/usage/usage-members.ts'
import type { Rewriting } from './rewrite-stream.ts'

const LF = 0x0a
const CR = 0x0d
/** A longer event goes on as it came: one that tells usage is short. */
const EVENT_BYTES_MAX = 256 * 1024
const NOTHING: Uint8Array<ArrayBuffer> = new Uint8Array()
const FROM_BYTES = new TextDecoder()
const NULL_MEMBER = new TextEncoder().encode(',"usage":null')
const CLOSE_BRACE = 0x7d

/** The way in which the usage is cut out of a stream. */
export interface UsageCutOptions {
  /** Whether it is also cut out of events that say something beside it: the server tells none unless it is asked. */
  readonly isCutEverywhere: boolean
  /** Is told of each event that tells usage. Nobody else needs to read them for that. */
  readonly onUsage: (value: JsonObject) => void
  /** Is given all chunks as they come; undefined: nobody wants them. */
  readonly onBytes: ((bytes: Uint8Array) => void) | undefined
}

/**
 * Cuts the usage that was asked for out of the events of a chat or text completion, so that the stream is what it would have been without
 * asking: the event that tells nothing else, and the `usage` members of others. All other bytes stay; an event goes on when it is complete.
 *
 * @example
 * const cut = new UsageCut({ isCutEverywhere: true, onUsage: (value) => tally.add(value), onBytes: seen.add })
 */
export class UsageCut implements Rewriting {
  readonly #options: UsageCutOptions
  readonly #splitter = new EventSplitter(EVENT_BYTES_MAX)
  /** Whether the beginning of an event is held. */
  #isOpen = false
  /** Whether an event with data has come: the first one tells the model. */
  #hasFirst = false
  /** Whether an event has been left out whose last line end may go on with a LF. */
  #isBeforeLf = false

  constructor(options: UsageCutOptions) {
    this.#options = options
  }

  readonly add = (chunk: Uint8Array): Uint8Array => {
    if (chunk.byteLength === 0) return chunk
    this.#options.onBytes?.(chunk)
    const isEnd = endsEvent(chunk)
    if (isEnd && !this.#isOpen && !this.#isBeforeLf && this.#hasFirst) {
      const member = usageMemberIn(chunk)
      if (member === -1) return chunk
      if (isNullMember(chunk, member)) return withoutNull(chunk, member)
    }
    const kept: Uint8Array[] = []
    for (const { bytes, isStart, isEnd: isWhole } of this.#splitter.split(chunk)) {
      const shown = this.#withoutLf(bytes)
      kept.push(isStart && isWhole ? this.#cut(shown) : shown)
    }
    this.#isOpen = !isEnd
    const [only] = kept
    return kept.length === 1 && only !== undefined ? only : joinBytes(kept)
  }

  readonly end = (): Uint8Array => {
    const rest = this.#splitter.end()
    return rest === undefined ? NOTHING : this.#cut(this.#withoutLf(rest.bytes))
  }

  #withoutLf(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    if (!this.#isBeforeLf || bytes.byteLength === 0) return bytes
    this.#isBeforeLf = false
    return bytes[0] === LF ? bytes.subarray(1) : bytes
  }

  /** Gives what is shown of an event. */
  #cut(event: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const isFirst = !this.#hasFirst
    const member = isFirst ? 0 : usageMemberIn(event)
    if (member === -1) return event
    if (!isFirst && isNullMember(event, member)) return withoutNull(event, member)
    const data = dataOf(event)
    if (data === undefined) return event
    const value = parsed(event.subarray(data.start, data.end))
    const usage = value?.['usage']
    if (value === undefined) return event
    this.#hasFirst = true
    if (usage !== null || isFirst || value['timings'] !== undefined) this.#options.onUsage(value)
    if (usage === undefined) return event
    if (isJsonObject(usage)) {
      if (!this.#options.isCutEverywhere && isToldAlways(usage)) return event
      const isAlone = tellsNothingElse(value)
      if (!isAlone && !this.#options.isCutEverywhere) return event
      if (isAlone) {
        this.#isBeforeLf = event[event.byteLength - 1] === CR
        // The LF in front of an event may belong to the end of the one before.
        return event[0] === LF ? event.subarray(0, 1) : NOTHING
      }
    }
    const json = event.subarray(0, data.end)
    const members = membersOf(json, data.start)
    const removed = new Set(members.filter(({ key }) => key === 'usage'))
    return applyEdits(event, changeMembers(objectStart(json, data.start), members, { removed, inserted: [] }))
  }
}

/**
 * Whether the first member at `start` that may tell usage is a `usage` that is null, in one event, or in several none of which says anything else of
 * usage. The next brace that closes is the last byte: so it is a member of the last event's object. Else it can't be told so easily.
 */
function isNullMember(bytes: Uint8Array, start: number): boolean {
  const comma = start - 1
  if (!hasBytesAt(bytes, comma, NULL_MEMBER)) return false
  const behind = comma + NULL_MEMBER.byteLength
  let end = bytes.byteLength
  while (end > behind && (bytes[end - 1] ?? 0) <= CR) end -= 1
  return bytes.indexOf(CLOSE_BRACE, behind) === end - 1 && usageMemberIn(bytes, behind) === -1
}

/** The place of an event's data; undefined: it has none, or several lines of it. */
function dataOf(event: Uint8Array): { readonly start: number; readonly end: number } | undefined {
  const found: { readonly start: number; readonly end: number }[] = []
  new DataRanges().add(event, (start, end) => found.push({ start, end }))
  return found.length === 1 ? found[0] : undefined
}

function parsed(bytes: Uint8Array): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(FROM_BYTES.decode(bytes))
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Whether it has a member of OpenRouter's, which tells its usage whether it is asked or not, also behind an address that nobody knows. */
function isToldAlways(usage: JsonObject): boolean {
  return isJsonObject(usage['cost_details'])
}

/** Whether an event with usage says nothing beside it: it has no choices, or only such that say nothing. Azure may tell of its filters there. */
function tellsNothingElse({ choices, prompt_filter_results: filters }: JsonObject): boolean {
  if (!Array.isArray(choices) || (Array.isArray(filters) && filters.length > 0)) return false
  return (choices as readonly Json[]).every((choice) => {
    if (!isJsonObject(choice)) return false
    const { delta = {}, text = '', finish_reason: reason = null, logprobs = null } = choice
    return (
      reason === null &&
      logprobs === null &&
      isEmpty(text) &&
      isJsonObject(delta) &&
      Object.entries(delta).every(isNothing)
    )
  })
}

function isNothing([name, value]: readonly [string, Json]): boolean {
  return name === 'role' || isEmpty(value)
}

function isEmpty(value: Json): boolean {
  return value === null || value === '' || (Array.isArray(value) && value.length === 0)
}

function withoutNull(bytes: Uint8Array, member: number): Uint8Array<ArrayBuffer> {
  const start = member - 1
  const kept = new Uint8Array(bytes.byteLength - NULL_MEMBER.byteLength)
  kept.set(bytes.subarray(0, start))
  kept.set(bytes.subarray(start + NULL_MEMBER.byteLength), start)
  return kept
}
