import { skipString } from './skip-string.ts'

const QUOTE = 0x22
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const CLOSE_BRACKET = 0x5d
/** Makes a brace of a bracket, and leaves a brace as it is. */
const BRACE_BIT = 0x20

/**
 * Finds the end of a list, an object or a string in a JSON text a little at a time, without looking into it: only its strings and the number of open brackets
 * count. Nothing is recursive.
 *
 * @example
 * const skipper = new ValueSkipper(bytes)
 * skipper.begin(bracket)
 * while (!skipper.goOn(skipper.at + windowBytes)) await slice.rest()
 * const end = skipper.at
 */
export class ValueSkipper {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0
  /** The number of open lists and objects. */
  #depth = 0
  /** The bracket that ends the value. */
  #closing = 0
  #isInString = false

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** The end of the bytes that have been skipped. */
  get at(): number {
    return this.#at
  }

  /** Begins at the quote, bracket or brace at `start`. */
  begin(start: number): void {
    const byte = this.#bytes[start]
    this.#isInString = byte === QUOTE
    this.#depth = this.#isInString ? 0 : 1
    this.#closing = byte === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET
    this.#at = start + 1
  }

  /** Skips up to `stop`, or a little more; true: the value has ended before `at`. Throws where it does not end. */
  goOn(stop: number): boolean {
    const bytes = this.#bytes
    const until = Math.min(stop, bytes.length)
    let at = this.#isInString ? this.#skipString(this.#at, until) : this.#at
    let depth = this.#depth
    while (at < until && depth > 0 && !this.#isInString) {
      const byte = bytes[at] ?? 0
      at += 1
      if (byte === QUOTE) at = this.#skipString(at, until)
      else if ((byte | BRACE_BIT) === OPEN_BRACE) depth += 1
      else if ((byte | BRACE_BIT) === CLOSE_BRACE) depth -= 1
    }
    const isEnd = depth === 0 && !this.#isInString
    if (isEnd && this.#depth > 0 && bytes[at - 1] !== this.#closing) throw new SyntaxError('another bracket closes it')
    if (!isEnd && at >= bytes.length) throw new SyntaxError('a value without an end')
    this.#depth = depth
    this.#at = at
    return isEnd
  }

  /** Skips a string from a place within it, and gives its end, or the place from which it goes on. */
  #skipString(from: number, stop: number): number {
    const end = skipString(this.#bytes, this.#view, from, stop)
    if (Number.isNaN(end)) throw new SyntaxError('a string without an end')
    this.#isInString = end < 0
    return this.#isInString ? ~end : end
  }
}
