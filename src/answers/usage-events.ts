import { isJsonObject, type JsonObject } from '../formats/json/json.ts'
import { MemberPicker } from '../formats/json/member-picker.ts'
import { DataRanges } from '../formats/sse/data-ranges.ts'
import { endsEvent } from '../formats/sse/event-boundary.ts'
import { type EventPiece, EventSplitter } from '../formats/sse/event-splitter.ts'
import { parseEvent } from '../formats/sse/parse-event.ts'
import { mayTellUsage, USAGE_MEMBERS } from '../openai/usage/usage-members.ts'

/** A longer event is not held: its members are picked while it passes. */
const EVENT_BYTES_MAX = 64 * 1024

/** Each byte is one character: it costs a quarter of UTF-8, and no name that is looked for has others than ASCII's. */
const FROM_LATIN = new TextDecoder('latin1')

/**
 * Finds the events of a stream that may tell usage, and the first one, which tells the model, in whatever chunks they come. All others are
 * searched for a few words, and not parsed.
 *
 * @example
 * const events = new UsageEvents((value) => tally.add(value), (text) => tally.saw(seen.add(text)))
 */
export class UsageEvents {
  readonly #onValue: (value: JsonObject) => void
  readonly #onText: ((text: string) => void) | undefined
  readonly #splitter = new EventSplitter(EVENT_BYTES_MAX)
  #hasFirst = false
  /** Whether an event has begun that is not known to have ended. */
  #isOpen = false
  #long: { readonly ranges: DataRanges; readonly picker: MemberPicker } | undefined

  /** `onText` is told of all bytes, each as one character; an event is told as a whole, but for one that is too long. */
  constructor(onValue: (value: JsonObject) => void, onText?: (text: string) => void) {
    this.#onValue = onValue
    this.#onText = onText
  }

  /** Takes the next chunk. */
  add(chunk: Uint8Array): void {
    if (chunk.byteLength === 0) return
    const isEnd = endsEvent(chunk)
    if (this.#hasFirst && isEnd && !this.#isOpen) {
      const text = FROM_LATIN.decode(chunk)
      if (!mayTellUsage(text)) {
        this.#onText?.(text)
        return
      }
    }
    for (const piece of this.#splitter.split(chunk)) this.#read(piece)
    this.#isOpen = !isEnd
  }

  #read({ bytes, isStart, isEnd }: EventPiece): void {
    const text = FROM_LATIN.decode(bytes)
    this.#onText?.(text)
    if (isStart && isEnd) {
      if (!this.#hasFirst || mayTellUsage(text)) this.#parse(bytes)
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
