const LF = 0x0a
const CR = 0x0d

/**
 * Cuts the bytes of a stream into events, each with the blank line at its end, whatever the chunks they come in.
 *
 * A line ends with LF, CR or CR LF (WHATWG HTML §9.2.5). An event is there as soon as its blank line is: the LF of a CR LF
 * that comes only later stands at the front of the next one.
 *
 * @example
 * for (const raw of cut.add(chunk)) handle(raw)
 */
export class EventCut {
  readonly #bytesMax: number
  #held: Uint8Array[] = []
  #heldBytes = 0
  #isLineEmpty = true
  #isAfterCr = false

  /** Of an event of more than `bytesMax` bytes, `add` throws a `RangeError`. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Takes a chunk, and gives the events that it completes. */
  add(chunk: Uint8Array): Uint8Array[] {
    const events: Uint8Array[] = []
    let from = 0
    for (let at = 0; at < chunk.byteLength; ) {
      const end = this.#lineEnd(chunk, at)
      if (end === -1) {
        this.#isLineEmpty = false
        this.#isAfterCr = false
        break
      }
      // The second half of a CR LF ends no line of its own.
      const isHalf = this.#isAfterCr && end === at && chunk[end] === LF
      const isBlank = !isHalf && this.#isLineEmpty && end === at
      this.#isAfterCr = chunk[end] === CR
      this.#isLineEmpty = true
      at = end + 1
      if (!isBlank) continue
      if (this.#isAfterCr && chunk[at] === LF) {
        this.#isAfterCr = false
        at += 1
      }
      events.push(this.#finish(chunk.subarray(from, at)))
      from = at
    }
    this.#hold(chunk.subarray(from))
    return events
  }

  /** What is left at the end of the stream: an event without its blank line; undefined: nothing. */
  end(): Uint8Array | undefined {
    return this.#heldBytes === 0 ? undefined : this.#finish(new Uint8Array())
  }

  #lineEnd(chunk: Uint8Array, from: number): number {
    const lf = chunk.indexOf(LF, from)
    const cr = chunk.subarray(from, lf === -1 ? undefined : lf).indexOf(CR)
    return cr === -1 ? lf : from + cr
  }

  #finish(part: Uint8Array): Uint8Array {
    if (this.#heldBytes === 0) return part
    const whole = new Uint8Array(this.#heldBytes + part.byteLength)
    let at = 0
    for (const piece of [...this.#held, part]) {
      whole.set(piece, at)
      at += piece.byteLength
    }
    this.#held = []
    this.#heldBytes = 0
    return whole
  }

  #hold(part: Uint8Array): void {
    if (part.byteLength === 0) return
    this.#heldBytes += part.byteLength
    if (this.#heldBytes > this.#bytesMax) throw new RangeError('an event of the stream is too long')
    this.#held.push(part)
  }
}
