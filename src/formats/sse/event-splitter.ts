import { EventEnds } from './event-ends.ts'

const NOTHING = new Uint8Array()

/** All of an event, or a piece of one that is longer than the splitter holds. */
export interface EventPiece {
  /** With the blank line at the event's end. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** The event begins with it. */
  readonly isStart: boolean
  /** The event ends with it: with its blank line, and not with the stream. */
  readonly isEnd: boolean
}

/**
 * Splits the bytes of a stream of server-sent events into events, whatever the chunks that they come in.
 *
 * An event is there as soon as its blank line is: the LF of a CR LF that comes only later stands at the front of what follows.
 * The pieces, one after the other, are the very bytes that came.
 *
 * Of an event of more than `bytesMax` bytes nothing is held any longer: it comes in pieces, as they come.
 *
 * @example
 * const splitter = new EventSplitter(1024 * 1024)
 * for (const { bytes, isStart, isEnd } of splitter.add(chunk)) if (isStart && isEnd) handle(parseEvent(bytes))
 */
export class EventSplitter {
  readonly #bytesMax: number
  readonly #ends = new EventEnds()
  /** The beginning of an event that is not complete: the first `#heldBytes` of it. */
  #held: Uint8Array<ArrayBuffer> = NOTHING
  #heldBytes = 0
  /** A piece of the event has been given already. */
  #isLong = false

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Takes a chunk, and gives the events that it completes; they may be views of it. */
  add(chunk: Uint8Array): EventPiece[] {
    return [...this.split(chunk)]
  }

  /** The same, one after the other: a chunk may be of thousands of events. All are to be taken. */
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

  /** The stream has ended: gives what is left, an event without its blank line; undefined: nothing. */
  end(): EventPiece | undefined {
    if (this.#heldBytes === 0) return undefined
    return { bytes: this.#takeHeld(), isStart: true, isEnd: false }
  }

  /** The last part of an event has come. */
  #finish(part: Uint8Array<ArrayBuffer>): EventPiece {
    const isStart = !this.#isLong
    this.#isLong = false
    if (this.#heldBytes === 0) return { bytes: part, isStart, isEnd: true }
    this.#append(part)
    return { bytes: this.#takeHeld(), isStart, isEnd: true }
  }

  /** Takes a part of an event that is not its last; gives it where the event is long. */
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
      // Twice the size each time: an event that comes byte by byte is not copied for every one.
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
