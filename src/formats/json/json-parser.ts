import { type Begun, JsonBuilder, TOO_LONG_NAME, TOO_LONG_SCALAR, TooManyValues } from './json-builder.ts'
import { CLOSING, COLON, COMMA, endOfShortString, KIND_OF_BYTE, OPENING, STRING } from './json-scan.ts'
import type { Member } from './members.ts'
import { StringReader } from './string-reader.ts'

const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const COLON_BYTE = 0x3a
const SPACE = 0x20

/** The bytes that are scanned at a time, and about as many are parsed at once: a string of twice as much is read in pieces. */
const WINDOW_BYTES = 32 * 1024

/** Walking more values would keep other requests waiting. */
const VALUES_MAX = 1_000_000

// The memory that values take, in bytes, measured; the characters of strings are counted with the text.
const OBJECT_WEIGHT = 64
const LIST_WEIGHT = 48
const MEMBER_WEIGHT = 16
const ITEM_WEIGHT = 8
const STRING_WEIGHT = 32

/** Options that may differ from text to text. */
export interface JsonParserOptions {
  readonly windowBytes?: number | undefined
  readonly valuesMax?: number | undefined
}

/**
 * Parses a JSON text of an object or a list a little at a time, as `JSON.parse` would at once: the same values, and the same texts
 * refused, but for those whose values take too much memory, or that have a name, a number or white space of hundreds of kilobytes.
 *
 * Short parts are found and given to `JSON.parse`, so that only the values around them are made here. Nothing is recursive.
 *
 * @example
 * const parser = new JsonParser(bytes, 5 * bytes.byteLength)
 * while (!parser.goOn(() => slice.isOver())) await slice.rest()
 * const { value, members } = parser
 */
export class JsonParser {
  readonly #bytes: Uint8Array
  readonly #weightMax: number
  readonly #windowBytes: number
  readonly #valuesMax: number
  readonly #builder: JsonBuilder
  /** The end of the scanned text. */
  #at: number
  /** The start of the text that has been scanned, but not taken. */
  #from = 0
  #string: StringReader | undefined
  /** The open values that began since `#from`, from the outside inwards. */
  #begun: Begun[] = []
  /** The start of the last string. */
  #keyStart = 0
  #keyEnd = 0
  #weight = 0
  #valueCount = 0

  /**
   * `weightMax`: the memory that the values may take, about, in bytes; `windowBytes`: the bytes scanned at a time; `valuesMax`: the most
   * values.
   */
  constructor(
    bytes: Uint8Array,
    weightMax: number,
    { windowBytes = WINDOW_BYTES, valuesMax = VALUES_MAX }: JsonParserOptions = {},
  ) {
    this.#bytes = bytes
    this.#weightMax = weightMax
    this.#windowBytes = windowBytes
    this.#valuesMax = valuesMax
    this.#builder = new JsonBuilder(bytes)
    this.#at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  }

  /** The parsed value, when all of the text is read. */
  get value(): unknown {
    return this.#builder.value
  }

  /** The places of the outermost object's members; empty: it is a list. */
  get members(): readonly Member[] {
    return this.#builder.members
  }

  /** The memory that the values take, about, in bytes. */
  get weight(): number {
    return this.#weight + this.#builder.weight
  }

  /**
   * Reads on until the time is over, or all is read: then true. Throws `TooManyValues`; any other error means that the text is not JSON.
   */
  goOn(isOver: () => boolean): boolean {
    for (;;) {
      if (this.#string !== undefined) this.#readString(this.#string)
      else if (this.#builder.depth > 0) this.#look()
      else if (this.#isAround()) return true
      if (this.weight > this.#weightMax) throw new TooManyValues()
      if (isOver()) return false
    }
  }

  /** Asserts that only white space surrounds the value; true: the text has ended. */
  #isAround(): boolean {
    const stop = this.#at + this.#windowBytes
    let byte = this.#bytes[this.#at]
    while (this.#at < stop && (byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09)) {
      this.#at += 1
      byte = this.#bytes[this.#at]
    }
    if (this.#at === stop) return false
    const isBehind = this.#builder.value !== undefined
    if (isBehind && byte === undefined) return true
    if (isBehind || (byte !== OPEN_BRACE && byte !== OPEN_BRACKET)) throw new SyntaxError('no object, and no list')
    this.#enter(this.#at)
    this.#at += 1
    return false
  }

  /** Scans a window. */
  #look(): void {
    const bytes = this.#bytes
    const stop = Math.min(this.#at + this.#windowBytes, bytes.length)
    if (this.#at >= bytes.length) throw new SyntaxError('the text ends too soon')
    // Without a long string, no name and value are longer, except numbers and white space that nobody sends on purpose.
    if (this.#at - this.#from > 8 * this.#windowBytes) throw new TooManyValues(TOO_LONG_SCALAR)
    let at = this.#at
    // Counted here because this loop visits every byte.
    let weight = 0
    let values = 0
    while (at < stop) {
      const kind = KIND_OF_BYTE[bytes[at] ?? 0]
      if (kind === STRING) {
        const end = endOfShortString(bytes, at, at + 2 * this.#windowBytes)
        if (end === undefined) {
          this.#weight += weight
          this.#beginLong(at)
          return
        }
        weight += STRING_WEIGHT
        this.#keyStart = at
        this.#keyEnd = end
        at = end
        continue
      }
      if (kind === COMMA) {
        weight += ITEM_WEIGHT
        values += 1
        if (at - this.#from >= this.#windowBytes && this.#begun.length === 0) this.#take(at, undefined)
      } else if (kind === COLON) {
        // A name is kept once, however often it occurs.
        weight += MEMBER_WEIGHT - STRING_WEIGHT
      } else if (kind === OPENING) {
        weight += bytes[at] === OPEN_BRACE ? OBJECT_WEIGHT : LIST_WEIGHT
        this.#begun.push({ at, keyStart: this.#keyStart, keyEnd: this.#keyEnd })
      } else if (kind === CLOSING && this.#begun.pop() === undefined) {
        this.#close(at)
        if (this.#builder.depth === 0) break
      }
      at += 1
    }
    this.#weight += weight
    this.#valueCount += values
    if (this.#valueCount > this.#valuesMax) throw new TooManyValues('more than a million values')
    this.#at = this.#builder.depth === 0 ? at + 1 : at
    this.#enterBegun()
  }

  /** Values that go on behind the window are made here; the text before them and within them is taken. */
  #enterBegun(): void {
    const begun = this.#begun
    if (begun.length === 0) return
    this.#begun = []
    for (const one of begun) {
      this.#take(one.at, one)
      this.#enter(one.at)
    }
  }

  #beginLong(at: number): void {
    this.#enterBegun()
    if (!this.#builder.isInList && this.#byteBefore(at) !== COLON_BYTE) throw new TooManyValues(TOO_LONG_NAME)
    this.#take(at, { at, keyStart: this.#keyStart, keyEnd: this.#keyEnd })
    this.#string = new StringReader(this.#bytes, at)
  }

  #byteBefore(at: number): number | undefined {
    let before = at - 1
    while (before > this.#from && (this.#bytes[before] ?? 0) <= SPACE) before -= 1
    return this.#bytes[before]
  }

  #readString(string: StringReader): void {
    if (!string.goOn()) return
    this.#string = undefined
    this.#weight += STRING_WEIGHT
    this.#at = string.end
    this.#from = string.end
    this.#builder.put(string.text, string.end)
  }

  #take(to: number, child: Begun | undefined): void {
    if (this.weight > this.#weightMax) throw new TooManyValues()
    this.#builder.take(this.#from, to, child)
    this.#from = to
  }

  #enter(at: number): void {
    this.#builder.enter(this.#bytes[at] === OPEN_BRACE)
    this.#from = at + 1
  }

  #close(at: number): void {
    const isRight = this.#bytes[at] === (this.#builder.isInList ? CLOSE_BRACKET : CLOSE_BRACE)
    if (!isRight) throw new SyntaxError('one kind of bracket closes the other')
    this.#take(at, undefined)
    this.#builder.leave(at + 1)
    this.#from = at + 1
  }
}
