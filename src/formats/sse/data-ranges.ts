const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
/** The bytes of a data line in front of its data. */
const DATA = new TextEncoder().encode('data:')
const BYTE_ORDER_MARK = new Uint8Array([0xef, 0xbb, 0xbf])

/** Is told the place of data in the given bytes, and whether its line ends with it. */
export type OnData = (start: number, end: number, isLineEnd: boolean) => void

/**
 * Finds the data in the lines of server-sent events (WHATWG HTML §9.2.6), of any size and in whatever pieces they come, without
 * holding any of it: the one space behind the colon is not part of it.
 *
 * @example
 * const ranges = new DataRanges()
 * ranges.add(piece.bytes, (start, end) => look(piece.bytes.subarray(start, end)))
 */
export class DataRanges {
  /** The number of bytes of `data:` that the line begins with. */
  #matched = 0
  /** The state of the current line; `other`: it is no data line. */
  #line: 'field' | 'space' | 'data' | 'other' = 'field'
  /** The bytes of a byte order mark that have come at the very start of the stream; undefined: the start is over. */
  #mark: number | undefined = 0

  /** Takes some bytes, and tells of the data in them. */
  add(bytes: Uint8Array, onData: OnData): void {
    let at = this.#skipMark(bytes)
    while (at < bytes.byteLength) {
      const byte = bytes[at] ?? 0
      if (this.#line === 'field') at = this.#addField(byte, at)
      else if (this.#line === 'space') {
        this.#line = 'data'
        if (byte === SPACE) at += 1
      } else at = this.#addRest(bytes, at, onData)
    }
  }

  #skipMark(bytes: Uint8Array): number {
    let at = 0
    while (this.#mark !== undefined && at < bytes.byteLength) {
      if (this.#mark === BYTE_ORDER_MARK.byteLength || bytes[at] !== BYTE_ORDER_MARK[this.#mark]) this.#mark = undefined
      else {
        this.#mark += 1
        at += 1
      }
    }
    return at
  }

  #addField(byte: number, at: number): number {
    if (byte === LF || byte === CR) {
      this.#matched = 0
      return at + 1
    }
    if (byte !== DATA[this.#matched]) this.#line = 'other'
    else {
      this.#matched += 1
      if (this.#matched === DATA.byteLength) this.#line = 'space'
    }
    return at + 1
  }

  /** Takes the rest of a line whose kind is known. */
  #addRest(bytes: Uint8Array, at: number, onData: OnData): number {
    const lf = bytes.indexOf(LF, at)
    const cr = bytes.subarray(at, lf === -1 ? undefined : lf).indexOf(CR)
    const end = cr === -1 ? lf : at + cr
    const isLineEnd = end !== -1
    const stop = isLineEnd ? end : bytes.byteLength
    if (this.#line === 'data') onData(at, stop, isLineEnd)
    if (!isLineEnd) return stop
    this.#line = 'field'
    this.#matched = 0
    return stop + 1
  }
}
