import { EventEnds } from './event-ends.ts'

const NOTHING = new Uint8Array()

/** A whole event, or a piece of one that is longer than the splitter holds. */
export interface EventPiece {
  /** Its bytes, with the blank line at the event's end. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Whether the event begins with it. */
  readonly isStart: boolean
  /** Whether the event ends with it: by its blank line, and not by the stream's end. */
  readonly isEnd: boolean
}

/**
 * Splits a stream of server-sent events into events, in whatever chunks it comes.
 *
 * An event is complete as soon as its blank line has come: the LF of a CR LF that comes only later stands at the front of the next event.
 * The pieces, joined in order, are exactly the bytes that came.
 *
 * An event of more than `bytesMax` bytes is not held any longer: its pieces are given as they come.
 *
 * @example
 * const splitter = new EventSplitter(1024 * 1024)
 * for (const { bytes, isStart, isEnd } of splitter.add(chunk)) if (isStart && isEnd) handle(parseEvent(bytes))
 */
export class EventSplitter {
  readonly #bytesMax: number
  readonly #ends = new EventEnds()
  /** The beginning of an incomplete event: the first `#heldBytes` of it. */
  #held: Uint8Array<ArrayBuffer> = NOTHING
  #heldBytes = 0
  /** Whether a piece of the event has been given already. */
  #isLong = false

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Takes a chunk, and gives the events that it completes; they may be views of it. */
  add(chunk: Uint8Array): EventPiece[] {
    return [...this.split(chunk)]
  }

  /** Gives them one after the other: a chunk may have thousands of events. The caller must take all of them. */
  *split(chunk: Uint8Array): Generator<EventPiece> {
    const own = owned(chunk)
    let from = 0
    for (const end of this.#ends.in(own)) {
      yield this.#finish(own.subarray(from, end))
      from = end
    }
    const piece = from < own.byteLength ? this.#hold(own.subarray(from)) : undefined
    if (piece !== undefined) yield piece
  }

  /** Ends the stream, and gives the rest of it, an event without its blank line; undefined: nothing is left. */
  end(): EventPiece | undefined {
    if (this.#heldBytes === 0) return undefined
    return { bytes: this.#takeHeld(), isStart: true, isEnd: false }
  }

  /** Takes the last part of an event. */
  #finish(part: Uint8Array<ArrayBuffer>): EventPiece {
    const isStart = !this.#isLong
    this.#isLong = false
    if (this.#heldBytes === 0) return { bytes: part, isStart, isEnd: true }
    this.#append(part)
    return { bytes: this.#takeHeld(), isStart, isEnd: true }
  }

  /** Takes a part of an event that is not its last; gives it if the event is long. */
  #hold(part: Uint8Array<ArrayBuffer>): EventPiece | undefined {
    if (this.#isLong) return { bytes: part, isStart: false, isEnd: false }
    this.#append(part)
    if (this.#heldBytes <= this.#bytesMax) return undefined
    this.#isLong = true
    return { bytes: this.#takeHeld(), isStart: true, isEnd: false }
  }

  #append(part: Uint8Array<ArrayBuffer>): void {
    const size = this.#heldBytes + part.byteLength
    if (size > this.#held.byteLength) {
      // The size doubles each time, so that an event that comes byte by byte is not copied for every byte.
      const larger = new Uint8Array(Math.max(1024, 2 * size))
      larger.set(this.#held.subarray(0, this.#heldBytes))
      this.#held = larger
    }
    this.#held.set(part, this.#heldBytes)
    this.#heldBytes = size
  }

  #takeHeld(): Uint8Array<ArrayBuffer> {
    const taken = this.#held.subarray(0, this.#heldBytes)
    this.#held = NOTHING
    this.#heldBytes = 0
    return taken
  }
}

function owned(chunk: Uint8Array): Uint8Array<ArrayBuffer> {
  return chunk.buffer instanceof ArrayBuffer
    ? new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    : new Uint8Array(chunk)
}
