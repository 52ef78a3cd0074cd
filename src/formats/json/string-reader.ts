const QUOTE = 0x22
const BACKSLASH = 0x5c
const SMALL_U = 0x75

/** The bytes of a string that are read at a time. */
const PIECE_BYTES = 64 * 1024

const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
/** The control characters, all before the space, which no string of JSON may hold unescaped. */
const CONTROL = /[^ -\uffff]/

/**
 * Reads a long string of a JSON text, piece by piece.
 *
 * @example
 * const reader = new StringReader(bytes, quote)
 * while (!reader.goOn()) await slice.rest()
 * const { text, end } = reader
 */
export class StringReader {
  readonly #bytes: Uint8Array
  #at: number
  /** The text that has been read so far. */
  text = ''

  /** `start`: the place of the opening quote. */
  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes
    this.#at = start + 1
  }

  /** The end of the bytes that have been read. */
  get end(): number {
    return this.#at
  }

  /** Reads a piece; true: it was the last one. Throws if it is not a string of JSON, or not UTF-8. */
  goOn(): boolean {
    const from = this.#at
    const limit = from + PIECE_BYTES
    const searched = this.#bytes.subarray(from, limit)
    const quote = searched.indexOf(QUOTE)
    const backslash = searched.indexOf(BACKSLASH)
    const isEnd = quote !== -1
    if (backslash !== -1 && (!isEnd || backslash < quote)) return this.#readEscaped(from, limit)
    const end = isEnd ? from + quote : this.#boundary(limit)
    const piece = UTF_8.decode(this.#bytes.subarray(from, end))
    if (CONTROL.test(piece)) throw new SyntaxError('a control character in a string')
    return this.#add(piece, end, isEnd)
  }

  #readEscaped(from: number, limit: number): boolean {
    let at = from
    while (at < limit && this.#bytes[at] !== QUOTE) {
      if (at >= this.#bytes.length) throw new SyntaxError('a string without an end')
      at += this.#bytes[at] !== BACKSLASH ? 1 : this.#bytes[at + 1] === SMALL_U ? 6 : 2
    }
    const isEnd = this.#bytes[at] === QUOTE
    const end = isEnd ? at : this.#boundary(at)
    const piece: unknown = JSON.parse(`"${UTF_8.decode(this.#bytes.subarray(from, end))}"`)
    return this.#add(String(piece), end, isEnd)
  }

  #add(piece: string, end: number, isEnd: boolean): boolean {
    this.text = this.text === '' ? piece : this.text + piece
    this.#at = isEnd ? end + 1 : end
    return isEnd
  }

  /** The next place where a character begins. */
  #boundary(from: number): number {
    let at = from
    while (((this.#bytes[at] ?? 0) & 0xc0) === 0x80) at += 1
    if (at >= this.#bytes.length) throw new SyntaxError('a string without an end')
    return at
  }
}
