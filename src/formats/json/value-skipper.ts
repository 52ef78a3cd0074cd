import { type IdNames, type Nesting, STRAY } from './nesting.ts'
import { SCANNED_BLOCK_BYTES, SCANNED_BYTES_MAX } from './nesting-code.ts'
import { scanNesting } from './scan-nesting.ts'

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
  readonly #idNames: IdNames | undefined
  readonly #nesting: Nesting = { depth: 0, isInString: false, isEscaped: false }
  #at = 0
  /** The bracket that ends the value. */
  #closing = 0

  /** The places of the colons behind names that may be those of ids are added to `idColons`. */
  constructor(bytes: Uint8Array, idColons?: number[]) {
    this.#bytes = bytes
    this.#idNames = idColons === undefined ? undefined : { base: 0, colons: idColons }
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

  /**
   * Skips up to `stop`, or a little more; true: the value has ended before `at`. Throws where it does not end. No search goes beyond `stop`:
   * a string of many megabytes, or a run of as many backslashes, would keep other requests waiting.
   */
  goOn(stop: number): boolean {
    const until = Math.min(stop, this.#bytes.length)
    const isEnd = this.#nesting.depth === 0 ? this.#skipString(until) : this.#skipNested(until)
    if (!isEnd && this.#at >= this.#bytes.length) throw new SyntaxError('a value without an end')
    return isEnd
  }

  #skipString(until: number): boolean {
    const window = this.#bytes.subarray(0, until)
    let { isEscaped } = this.#nesting
    let at = this.#at
    let isEnd = false
    while (at < until && !isEnd) {
      const start = isEscaped ? at + 1 : at
      at = quoteOrEnd(window, start)
      isEscaped = (at - textEnd(window, start, at)) % 2 === 1
      isEnd = at < until && !isEscaped
    }
    this.#nesting.isEscaped = isEscaped
    this.#at = isEnd ? at + 1 : at
    return isEnd
  }

  #skipNested(until: number): boolean {
    const bytes = this.#bytes
    const nesting = this.#nesting
    const window = bytes.subarray(0, until)
    while (this.#at < until) {
      // A long text is searched, which costs less than a scan; the scan goes on at the backslashes before its quote, if any.
      if (nesting.isInString && !nesting.isEscaped && bytes[this.#at] !== BACKSLASH) {
        this.#at = textEnd(window, this.#at, quoteOrEnd(window, this.#at))
      }
      if (this.#at === until) break
      const blocks = Math.ceil(Math.min(until - this.#at, SCANNED_BYTES_MAX) / SCANNED_BLOCK_BYTES)
      const stop = Math.min(this.#at + blocks * SCANNED_BLOCK_BYTES, bytes.length)
      if (this.#idNames !== undefined) this.#idNames.base = this.#at
      const end = scanNesting(bytes.subarray(this.#at, stop), nesting, this.#idNames)
      if (end === STRAY) throw new SyntaxError('a byte outside of strings that JSON does not have there')
      if (end !== -1) {
        this.#at += end
        if (bytes[this.#at - 1] !== this.#closing) throw new SyntaxError('another bracket closes it')
        return true
      }
      this.#at = stop
    }
    return false
  }
}

/** The place of the next quote in a window; its end: there is none. */
function quoteOrEnd(window: Uint8Array, from: number): number {
  const quote = window.indexOf(QUOTE, from)
  return quote === -1 ? window.length : quote
}

/** The end of a string's text before the backslashes that stand before `end`. */
function textEnd(window: Uint8Array, from: number, end: number): number {
  let at = end
  while (at > from && window[at - 1] === BACKSLASH) at -= 1
  return at
}
