import { type Nesting, SCANNED_BLOCK_BYTES, SCANNED_BYTES_MAX, STRAY, scanNesting } from './scan-nesting.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const CLOSE_BRACKET = 0x5d

/**
 * Finds the end of a list, an object or a string in a JSON text a little at a time, without looking into it: only its strings and the
 * number of open brackets count. Nothing is recursive.
 *
 * @example
 * const skipper = new ValueSkipper(bytes)
 * skipper.begin(bracket)
 * while (!skipper.goOn(skipper.at + windowBytes)) await slice.rest()
 * const end = skipper.at
 */
export class ValueSkipper {
  readonly #bytes: Uint8Array
  readonly #nesting: Nesting = { depth: 0, isInString: false, isEscaped: false }
  #at = 0
  /** The bracket that ends the value. */
  #closing = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** The end of the bytes that have been skipped. */
  get at(): number {
    return this.#at
  }

  /** Begins at the quote, bracket or brace at `start`. */
  begin(start: number): void {
    const byte = this.#bytes[start]
    const isString = byte === QUOTE
    this.#nesting.isInString = isString
    this.#nesting.isEscaped = false
    this.#nesting.depth = isString ? 0 : 1
    this.#closing = byte === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET
    this.#at = start + 1
  }

  /** Skips up to `stop`, or a little more; true: the value has ended before `at`. Throws where it does not end. */
  goOn(stop: number): boolean {
    const until = Math.min(stop, this.#bytes.length)
    const isEnd = this.#nesting.depth === 0 ? this.#skipString(until) : this.#skipNested(until)
    if (!isEnd && this.#at >= this.#bytes.length) throw new SyntaxError('a value without an end')
    return isEnd
  }

  #skipString(until: number): boolean {
    do {
      const quote = this.#nextQuote()
      const isEnd = this.#at === quote || (quote - this.#at) % 2 === 0
      this.#at = quote + 1
      if (isEnd) return true
    } while (this.#at < until)
    return false
  }

  #skipNested(until: number): boolean {
    const bytes = this.#bytes
    const nesting = this.#nesting
    for (;;) {
      // A long text is searched, which costs less than a scan. In a run of backslashes each search would go through all of the run again.
      if (nesting.isInString && !nesting.isEscaped && bytes[this.#at] !== BACKSLASH) this.#nextQuote()
      if (this.#at >= until) return false
      const blocks = Math.ceil(Math.min(until - this.#at, SCANNED_BYTES_MAX) / SCANNED_BLOCK_BYTES)
      const stop = Math.min(this.#at + blocks * SCANNED_BLOCK_BYTES, bytes.length)
      const end = scanNesting(bytes.subarray(this.#at, stop), nesting)
      if (end === STRAY) throw new SyntaxError('a backslash outside of strings')
      if (end !== -1) {
        this.#at += end
        if (bytes[this.#at - 1] !== this.#closing) throw new SyntaxError('another bracket closes it')
        return true
      }
      this.#at = stop
    }
  }

  /** Goes on, within a string, to the next quote, or to the backslashes before it; gives the place of the quote. */
  #nextQuote(): number {
    const bytes = this.#bytes
    const quote = bytes.indexOf(QUOTE, this.#at)
    if (quote === -1) throw new SyntaxError('a string without an end')
    let at = quote
    while (at > this.#at && bytes[at - 1] === BACKSLASH) at -= 1
    this.#at = at
    return quote
  }
}
