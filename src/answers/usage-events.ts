import { hasBytesAt } from '../formats/bytes/byte-string.ts'
import { isJsonObject, type JsonObject } from '../formats/json/json.ts'
import { MemberPicker } from '../formats/json/member-picker.ts'
import { DataRanges } from '../formats/sse/data-ranges.ts'
import { endsEvent } from '../formats/sse/event-boundary.ts'
import { type EventPiece, EventSplitter } from '../formats/sse/event-splitter.ts'
import { parseEvent } from '../formats/sse/parse-event.ts'
import { mayTellUsage, USAGE_MEMBERS, usageMemberIn } from '../openai/usage/usage-members.ts'

/** A longer event is not held: its members are picked while it passes. */
const EVENT_BYTES_MAX = 64 * 1024

/** Each byte is one character: it costs a quarter of UTF-8, and no name that is looked for has others than ASCII's. */
const FROM_LATIN = new TextDecoder('latin1')
const NULL_USAGE = new TextEncoder().encode('"usage":null')

/**
 * Finds the events of a stream that may tell usage, and the first one, which tells the model, in whatever chunks they come. All others are
 * searched for a few words, and not parsed.
 *
 * @example
 * const events = new UsageEvents((value) => tally.add(value), seen.add)
 */
export class UsageEvents {
  readonly #onValue: (value: JsonObject) => void
  readonly #onBytes: ((bytes: Uint8Array) => void) | undefined
  readonly #splitter = new EventSplitter(EVENT_BYTES_MAX)
  #hasFirst = false
  /** Whether an event has begun that is not known to have ended. */
  #isOpen = false
  #long: { readonly ranges: DataRanges; readonly picker: MemberPicker } | undefined

  /** `onBytes` is given all chunks as they come. */
  constructor(onValue: (value: JsonObject) => void, onBytes?: (bytes: Uint8Array) => void) {
    this.#onValue = onValue
    this.#onBytes = onBytes
  }

  /** Takes the next chunk. */
  add(chunk: Uint8Array): void {
    if (chunk.byteLength === 0) return
    this.#onBytes?.(chunk)
    const isEnd = endsEvent(chunk)
    if (this.#hasFirst && isEnd && !this.#isOpen && !mayTell(chunk)) return
    for (const piece of this.#splitter.split(chunk)) this.#read(piece)
    this.#isOpen = !isEnd
  }

  #read({ bytes, isStart, isEnd }: EventPiece): void {
    if (isStart && isEnd) {
      if (!this.#hasFirst || mayTell(bytes)) this.#parse(bytes)
      return
    }
    this.#long ??= { ranges: new DataRanges(), picker: new MemberPicker(USAGE_MEMBERS, this.#onValue) }
    const { ranges, picker } = this.#long
    ranges.add(bytes, (start, end) => picker.add(bytes.subarray(start, end)))
    if (isEnd) this.#long = undefined
  }

  #parse(bytes: Uint8Array): void {
    const { data } = parseEvent(bytes, !this.#hasFirst)
    if (data === undefined) return
    this.#hasFirst = true
    try {
      const value: unknown = JSON.parse(data)
      if (isJsonObject(value)) this.#onValue(value)
    } catch {
      // What is no JSON tells nothing.
    }
  }
}

/** Whether events may tell usage. Only what stands behind the first name of it is decoded, but for a `usage` that is null, as many events have. */
function mayTell(bytes: Uint8Array): boolean {
  let at = usageMemberIn(bytes)
  while (at !== -1 && hasBytesAt(bytes, at, NULL_USAGE)) at = usageMemberIn(bytes, at + NULL_USAGE.byteLength)
  return at !== -1 && mayTellUsage(FROM_LATIN.decode(bytes.subarray(at)))
}
