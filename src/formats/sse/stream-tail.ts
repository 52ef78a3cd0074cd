import { joinBytes } from '../bytes/join-bytes.ts'
import { endsEvent, lastBytes, TAIL_BYTES } from './event-boundary.ts'
import { EventEnds } from './event-ends.ts'
import { LongEvent } from './long-event.ts'
import { type ParsedEvent, parseEvent } from './parse-event.ts'

const LF = 0x0a
const CR = 0x0d
const COLON = 0x3a
const NOTHING = new Uint8Array()
/** Of an event that costs more no byte is held. */
const LONG_BYTES = 256 * 1024

/** `data` and a line end: none with data is shorter. */
const EVENT_BYTES_MIN = 5
/** What is held is looked through for the beginning of the last event when it costs more than this. */
const HELD_BYTES = 64 * 1024
/** What a held chunk costs beside its bytes. */
const CHUNK_OVERHEAD_BYTES = 128

/**
 * The end of a stream of events, from the beginning of its last one on, while the stream passes by.
 *
 * It holds the last chunk, or a few where an event came in several, and copies none: nothing is read before somebody asks.
 *
 * @example
 * tail.add(chunk)
 * const isOver = tail.events().at(-1)?.data === '[DONE]'
 */
export class StreamTail {
  #last: Uint8Array = NOTHING
  /** Those before the last one that belong to what it is the end of. */
  #before: Uint8Array[] | undefined
  #beforeBytes = 0
  #limitBytes = HELD_BYTES
  #hasLetGo = false
  /** The chunk before the last one, where an event ended with it. */
  #letGo: Uint8Array = NOTHING
  /** The event that it is in, where that is long. */
  #long: LongEvent | undefined

  /** A chunk has come. */
  add(chunk: Uint8Array): void {
    if (this.#long !== undefined) {
      this.#addLong(this.#long, chunk)
      return
    }
    const last = this.#last
    // Most often a chunk is an event, or several: then all before it is over. Behind the last event comments may follow.
    if (last.byteLength === 0) this.#last = chunk
    else if (last.byteLength >= TAIL_BYTES && endsEvent(last) && beginsField(chunk)) {
      this.#letGo = last
      this.#last = chunk
      this.#before = undefined
      this.#hasLetGo = true
    } else if (chunk.byteLength > 0) this.#append(chunk)
  }

  /** Whether an event with data has come. */
  get hasEvents(): boolean {
    return this.#hasLetGo || this.events().length > 0
  }

  /** The events with data at the end of the stream, also one that lacks its blank line: at least the last of them, where there is one. */
  events(): ParsedEvent[] {
    if (this.#long !== undefined) return []
    return lastEvents(joinBytes(this.#chunks))
  }

  /** Those that came just before, as far as that is known: in the chunk before the end's first. */
  eventsBefore(): ParsedEvent[] {
    return lastEvents(this.#letGo)
  }

  /** The last bytes, as many as tell whether an event ends with them. */
  get lastBytes(): Uint8Array {
    return this.#chunks.slice(-TAIL_BYTES).reduce(lastBytes, NOTHING)
  }

  get #chunks(): readonly Uint8Array[] {
    return [...(this.#before ?? []), this.#last]
  }

  #append(chunk: Uint8Array): void {
    if (this.#before === undefined) {
      this.#before = []
      this.#beforeBytes = 0
      this.#limitBytes = HELD_BYTES
    }
    this.#before.push(this.#last)
    this.#beforeBytes += this.#last.byteLength + CHUNK_OVERHEAD_BYTES
    this.#last = chunk
    if (this.#beforeBytes > this.#limitBytes) this.#shorten(this.#before)
  }

  /** Lets go of all but the last event, and what has come of the next one. */
  #shorten(before: readonly Uint8Array[]): void {
    const held = joinBytes(before)
    let last = NOTHING
    let from = 0
    for (const end of new EventEnds().in(held)) {
      if (mayHaveData(held, from, end)) last = held.subarray(from, end)
      from = end
    }
    if (last.byteLength > 0) this.#hasLetGo = true
    const begun = held.subarray(from)
    if (begun.byteLength > LONG_BYTES) {
      this.#before = undefined
      this.#addLong(new LongEvent(begun), this.#last)
      return
    }
    const kept = joinBytes([last, begun])
    this.#before = [kept]
    this.#beforeBytes = kept.byteLength
    // Twice as much each time: one long event is not looked through for every chunk of it.
    this.#limitBytes = Math.max(HELD_BYTES, 2 * kept.byteLength)
  }

  #addLong(long: LongEvent, chunk: Uint8Array): void {
    const behind = long.add(chunk)
    this.#long = behind === undefined ? long : undefined
    this.#last = behind === undefined ? chunk : long.summary()
    if (behind !== undefined && behind.byteLength > 0) this.add(behind)
  }
}

/** The events with data in what is held: of a chunk of thousands of them, those in its last part, where there is one. */
function lastEvents(held: Uint8Array): ParsedEvent[] {
  if (held.byteLength <= HELD_BYTES) return eventsIn(held, 0)
  const last = held.subarray(held.byteLength - HELD_BYTES)
  // What it begins with is the end of another one.
  const [from = last.byteLength] = new EventEnds().in(last)
  const events = eventsIn(last, from)
  return events.length > 0 ? events : eventsIn(held, 0)
}

function eventsIn(held: Uint8Array, start: number): ParsedEvent[] {
  const events: ParsedEvent[] = []
  let from = start
  const read = (end: number): void => {
    const event = end - from < EVENT_BYTES_MIN ? undefined : parseEvent(held.subarray(from, end), from === 0)
    if (event?.data !== undefined) events.push(event)
    from = end
  }
  for (const end of new EventEnds().in(held.subarray(start))) read(start + end)
  read(held.byteLength)
  return events
}

/** Whether an event may have data: more than blank lines and comments. */
function mayHaveData(held: Uint8Array, start: number, end: number): boolean {
  let at = start
  while (at < end && (held[at] === LF || held[at] === CR)) at += 1
  return end - at >= EVENT_BYTES_MIN && beginsField(held.subarray(at, end))
}

/** Whether a chunk at the beginning of a line is that of a field: neither a comment nor a blank line. */
function beginsField(chunk: Uint8Array): boolean {
  const first = chunk[0]
  return first !== undefined && first !== COLON && first !== LF && first !== CR
}
