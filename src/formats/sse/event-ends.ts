const LF = 0x0a
const CR = 0x0d

/**
 * Finds the ends of a stream's events, in whatever chunks it comes.
 *
 * A line ends with LF, CR or CR LF (WHATWG HTML §9.2.5). An event ends as soon as its blank line has come: the LF of a CR LF
 * that comes only later belongs to the next event. Successive blank lines in a chunk are one empty event: there may
 * be millions of them.
 *
 * @example
 * const ends = new EventEnds()
 * for (const end of ends.in(chunk)) handle(chunk.subarray(from, end))
 */
export class EventEnds {
  #isLineEmpty = true
  #isAfterCr = false
  /** Whether only blank lines have come since the last event ended. */
  #isEventEmpty = true;

  /** Takes a chunk, and gives the ends of events in it, each behind its blank line. The caller must take all of them. */
  *in(chunk: Uint8Array): Generator<number, void> {
    let at = 0
    let [lf, cr] = [chunk.indexOf(LF), chunk.indexOf(CR)]
    while (at < chunk.byteLength) {
      // The second half of a CR LF ends no line of its own.
      if (this.#isAfterCr && chunk[at] === LF) at += 1
      this.#isAfterCr = false
      if (this.#isEventEmpty) {
        const from = at
        while (chunk[at] === LF || chunk[at] === CR) at += 1
        this.#isAfterCr = at > from && chunk[at - 1] === CR
        if (at > from) yield at
        if (at < chunk.byteLength) this.#isEventEmpty = false
        // The next byte is no line end.
        this.#isAfterCr &&= at === chunk.byteLength
        if (at > from) continue
      }
      // Each line end is searched for once: a stream with one kind of line end has none of the other.
      if (lf !== -1 && lf < at) lf = chunk.indexOf(LF, at)
      if (cr !== -1 && cr < at) cr = chunk.indexOf(CR, at)
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
      this.#isEventEmpty = true
      yield at
    }
  }
}

/**
 * Gives the ends of events in a whole stream, also of a last one without its blank line. The last event may be
 * empty.
 *
 * @example
 * for (const end of eventEndsOf(bytes)) …
 */
export function* eventEndsOf(stream: Uint8Array): Generator<number, void> {
  yield* new EventEnds().in(stream)
  yield stream.byteLength
}
