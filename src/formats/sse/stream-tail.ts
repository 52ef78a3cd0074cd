import { joinBytes } from '../bytes/join-bytes.ts'
import { endsEvent, lastBytes, TAIL_BYTES } from './event-boundary.ts'
import { EventEnds } from './event-ends.ts'
import { LongEvent } from './long-event.ts'
import { type ParsedEvent, parseEvent } from './parse-event.ts'

const LF = 0x0a
const CR = 0x0d
const COLON = 0x3a
const NOTHING = new Uint8Array()
/** No byte of an event that costs more is held. */
const LONG_BYTES = 256 * 1024

/** `data` and a line end: no event with data is shorter. */
const EVENT_BYTES_MIN = 5
/** The held bytes are searched for the beginning of the last event when they cost more than this. */
const HELD_BYTES = 64 * 1024
/** The cost of a held chunk beside its bytes. */
const CHUNK_OVERHEAD_BYTES = 128

/**
 * Keeps the end of a stream of events, from the beginning of its last event on, while the stream passes by.
 *
 * It holds the last chunk, or several if an event came in several, and copies none: nothing is read before somebody asks.
 *
 * @example
 * tail.add(chunk)
 * const isOver = tail.events().at(-1)?.data === '[DONE]'
 */
export class StreamTail {
  #last: Uint8Array = NOTHING
  /** The chunks before the last one that belong to the same event. */
  #before: Uint8Array[] | undefined
  #beforeBytes = 0
  #limitBytes = HELD_BYTES
  #hasLetGo = false
  /** The chunk before the last one, if an event ended with it. */
  #letGo: Uint8Array = NOTHING
  /** The current event, if it is long. */
  #long: LongEvent | undefined

  /** Takes a chunk. */
  add(chunk: Uint8Array): void {
    if (this.#long !== undefined) {
      this.#addLong(this.#long, chunk)
      return
    }
    const last = this.#last
    // Most often a chunk holds one or more whole events: then all before it is over. Comments may follow the last event.
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

  /**
   * Gives the events with data at the end of the stream, also one that lacks its blank line: at least the last of them, if there is one.
   */
  events(): ParsedEvent[] {
    if (this.#long !== undefined) return []
    return lastEvents(joinBytes(this.#chunks))
  }

  /** Gives the events just before those, if known: the ones in the chunk before the end's first. */
  eventsBefore(): ParsedEvent[] {
    return lastEvents(this.#letGo)
  }

  /** The last bytes, as many as are needed to tell whether an event ends with them. */
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

  /** Drops all but the last event, and the bytes of the next one. */
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
    // The limit doubles each time, so that one long event is not searched for every chunk of it.
    this.#limitBytes = Math.max(HELD_BYTES, 2 * kept.byteLength)
  }

  #addLong(long: LongEvent, chunk: Uint8Array): void {
    const behind = long.add(chunk)
    this.#long = behind === undefined ? long : undefined
    this.#last = behind === undefined ? chunk : long.summary()
    if (behind !== undefined && behind.byteLength > 0) this.add(behind)
  }
}

/** Gives the events with data in the held bytes: of a chunk with thousands of them, those in its last part, if there is one. */
function lastEvents(held: Uint8Array): ParsedEvent[] {
  if (held.byteLength <= HELD_BYTES) return eventsIn(held, 0)
  const last = held.subarray(held.byteLength - HELD_BYTES)
  // The part begins with the end of another event.
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

/** Whether an event may have data: it is more than blank lines and comments. */
function mayHaveData(held: Uint8Array, start: number, end: number): boolean {
  let at = start
  while (at < end && (held[at] === LF || held[at] === CR)) at += 1
  return end - at >= EVENT_BYTES_MIN && beginsField(held.subarray(at, end))
}

/** Whether a chunk at the beginning of a line begins a field, and not a comment or a blank line. */
function beginsField(chunk: Uint8Array): boolean {
  const first = chunk[0]
  return first !== undefined && first !== COLON && first !== LF && first !== CR
}
