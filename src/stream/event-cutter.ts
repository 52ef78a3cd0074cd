import { joinBytes } from '../bytes/join-bytes.ts'

const LF = 0x0a
const CR = 0x0d
const NOTHING = new Uint8Array()

/**
 * Cuts a stream of server-sent events into whole events, each with the blank line at its end, whatever the chunks it comes in.
 *
 * A line ends with LF, CR or CR LF (WHATWG HTML §9.2.5). An event ends as soon as its blank line is there: the LF of a CR LF
 * that comes only later stands at the front of what follows.
 *
 * @example
 * const cutter = new EventCutter(1024 * 1024, (event) => event)
 * const ready = cutter.add(chunk)
 */
export class EventCutter {
  readonly #bytesMax: number
  readonly #rewrite: (event: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>
  /** The beginning of an event that is not complete: the first `#heldBytes` of it. */
  #held: Uint8Array<ArrayBuffer> = NOTHING
  #heldBytes = 0
  #isTooLong = false
  #isLineEmpty = true
  #isAfterCr = false

  /** Events of at most `bytesMax` bytes are rewritten; longer ones go on as they come. */
  constructor(bytesMax: number, rewrite: (event: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>) {
    this.#bytesMax = bytesMax
    this.#rewrite = rewrite
  }

  /** Takes a chunk, and gives what can go on now: the events that it completes, rewritten. */
  add(chunk: Uint8Array): Uint8Array<ArrayBuffer> {
    const ready: Uint8Array<ArrayBuffer>[] = []
    const own =
      chunk.buffer instanceof ArrayBuffer
        ? new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
        : chunk.slice()
    let from = 0
    for (const end of this.#ends(own)) {
      this.#finish(own.subarray(from, end), ready)
      from = end
    }
    this.#keep(own.subarray(from), ready)
    return join(ready)
  }

  /** The source has ended: what is left is no complete event, and goes on as it is. */
  end(): Uint8Array<ArrayBuffer> {
    return this.#takeHeld()
  }

  /** Where events end in a chunk. */
  *#ends(chunk: Uint8Array): Generator<number> {
    let at = 0
    let cr = chunk.indexOf(CR)
    while (at < chunk.byteLength) {
      if (this.#isAfterCr && chunk[at] === LF) at += 1
      this.#isAfterCr = false
      if (cr !== -1 && cr < at) cr = chunk.indexOf(CR, at)
      const lf = chunk.indexOf(LF, at)
      const end = lf === -1 || (cr !== -1 && cr < lf) ? cr : lf
      if (end === -1) {
        if (at < chunk.byteLength) this.#isLineEmpty = false
        return
      }
      const isBlank = this.#isLineEmpty && end === at
      this.#isLineEmpty = true
      this.#isAfterCr = chunk[end] === CR
      at = end + 1
      if (!isBlank) continue
      if (this.#isAfterCr && chunk[at] === LF) {
        this.#isAfterCr = false
        at += 1
      }
      yield at
    }
  }

  /** The last part of an event has come. */
  #finish(part: Uint8Array<ArrayBuffer>, ready: Uint8Array<ArrayBuffer>[]): void {
    const isTooLong = this.#isTooLong || this.#heldBytes + part.byteLength > this.#bytesMax
    this.#isTooLong = false
    const event = this.#heldBytes === 0 ? part : join([this.#takeHeld(), part])
    ready.push(isTooLong ? event : this.#rewrite(event))
  }

  /** A part of an event that is not its last. */
  #keep(part: Uint8Array<ArrayBuffer>, ready: Uint8Array<ArrayBuffer>[]): void {
    const size = this.#heldBytes + part.byteLength
    if (this.#isTooLong || size > this.#bytesMax) {
      this.#isTooLong = true
      ready.push(this.#takeHeld(), part)
      return
    }
    if (size > this.#held.byteLength) {
      // Twice the size each time: an event that comes byte by byte is not copied for every one.
      const larger = new Uint8Array(Math.min(this.#bytesMax, Math.max(1024, 2 * size)))
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

function join(parts: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const [first = NOTHING, ...others] = parts.filter(({ byteLength }) => byteLength > 0)
  if (others.length === 0) return first
  return joinBytes(parts)
}
