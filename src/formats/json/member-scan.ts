import { setMember, TOO_LONG_NAME, TOO_LONG_SCALAR, TOO_MANY_MEMBERS, TooManyValues } from './json-builder.ts'
import { endOfShortString, textOfString } from './json-scan.ts'
import type { Member } from './members.ts'
import { ValueSkipper } from './value-skipper.ts'

const QUOTE = 0x22
const COLON = 0x3a
const COMMA = 0x2c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const SPACE = 0x20

/** The bytes that are scanned at a time. */
const WINDOW_BYTES = 32 * 1024
/** The length of a value that is parsed, in bytes. No list or object is, and no longer string. */
const PARSED_BYTES_MAX = 1024
// Nobody sends longer ones on purpose. `JsonParser` has the same limits.
const NAME_BYTES_MAX = 64 * 1024
const SCALAR_BYTES_MAX = 256 * 1024
/** No object of any API has more members. */
const MEMBERS_MAX = 20_000
/** The memory that a member and its place take, in bytes, about. */
const MEMBER_WEIGHT = 160

const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Stands for a value that has not been looked into. */
export const UNREAD: unique symbol = Symbol('unread')

/** The part of the object that comes next. */
type Part = 'brace' | 'first name' | 'name' | 'colon' | 'value' | 'comma' | 'nothing'

/**
 * Reads the members of a JSON object, and skips what is in them: numbers, words and short strings are parsed, lists, objects and long
 * strings are `UNREAD`. Of two members with one name the last one counts, as in `JSON.parse`.
 *
 * Whatever is wrong between the members, or does not end, is found. What is wrong within a skipped value is not. Nothing is recursive.
 *
 * @example
 * const scan = new MemberScan(bytes)
 * while (!scan.goOn(() => slice.isOver())) await slice.rest()
 * const { model } = scan.value
 */
export class MemberScan {
  /** The members by name. */
  readonly value: Record<string, unknown> = {}
  /** The places of all members, in order. */
  readonly members: Member[] = []
  readonly #bytes: Uint8Array
  readonly #skipper: ValueSkipper
  readonly #windowBytes: number
  #at: number
  #next: Part = 'brace'
  #name = ''
  #keyStart = 0
  #keyEnd = 0
  #valueStart = 0
  #isSkipping = false

  /**
   * `windowBytes`: the bytes that are scanned at a time. To `idColons` are added the places of the colons, within skipped values, behind
   * names that may be those of objects' ids, and behind some other names.
   */
  constructor(bytes: Uint8Array, windowBytes: number = WINDOW_BYTES, idColons?: number[]) {
    this.#bytes = bytes
    this.#skipper = new ValueSkipper(bytes, idColons)
    this.#windowBytes = windowBytes
    this.#at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  }

  /** The memory that the members take, about, in bytes. */
  get weight(): number {
    return this.members.length * MEMBER_WEIGHT
  }

  /** Reads on until the time is over, or all is read: then true. Throws `TooManyValues`, or any other error where this is no object. */
  goOn(isOver: () => boolean): boolean {
    for (;;) {
      const stop = Math.min(this.#at + this.#windowBytes, this.#bytes.length)
      if (this.#isSkipping) {
        this.#isSkipping = !this.#skipper.goOn(stop)
        this.#at = this.#skipper.at
        if (!this.#isSkipping) this.#endMember(UNREAD)
      }
      if (!this.#isSkipping && this.#readMembers(stop)) return true
      if (isOver()) return false
    }
  }

  /** Reads up to a value that is skipped, or to `stop`; true: the text has ended. */
  #readMembers(stop: number): boolean {
    while (!this.#isSkipping) {
      const byte = this.#skipSpace(stop)
      if (this.#at >= stop && stop < this.#bytes.length) return false
      if (this.#next === 'nothing') {
        if (byte !== undefined) throw new SyntaxError('a text behind the object')
        return true
      }
      this.#readPart(byte)
    }
    return false
  }

  #readPart(byte: number | undefined): void {
    const part = this.#next
    if (part === 'value') this.#readValue(byte)
    else if (part === 'comma') {
      if (byte !== COMMA && byte !== CLOSE_BRACE) throw new SyntaxError('no comma between two members')
      this.#at += 1
      this.#next = byte === COMMA ? 'name' : 'nothing'
    } else if (part === 'colon') {
      if (byte !== COLON) throw new SyntaxError('no colon behind a name')
      this.#at += 1
      this.#next = 'value'
    } else if (part === 'brace') {
      if (byte !== OPEN_BRACE) throw new SyntaxError('no object')
      this.#at += 1
      this.#next = 'first name'
    } else if (part === 'first name' && byte === CLOSE_BRACE) {
      this.#at += 1
      this.#next = 'nothing'
    } else this.#readName(byte)
  }

  #readName(byte: number | undefined): void {
    if (byte !== QUOTE) throw new SyntaxError('no name')
    const end = this.#endOfShort(NAME_BYTES_MAX)
    if (end === undefined) {
      if (this.#at + NAME_BYTES_MAX < this.#bytes.length) throw new TooManyValues(TOO_LONG_NAME)
      throw new SyntaxError('a name without an end')
    }
    if (this.members.length === MEMBERS_MAX) throw new TooManyValues(TOO_MANY_MEMBERS)
    this.#name = textOfString(this.#bytes, this.#at, end)
    this.#keyStart = this.#at
    this.#keyEnd = end
    this.#at = end
    this.#next = 'colon'
  }

  #readValue(byte: number | undefined): void {
    this.#next = 'comma'
    this.#valueStart = this.#at
    if (byte === QUOTE) {
      const end = this.#endOfShort(PARSED_BYTES_MAX)
      if (end !== undefined) {
        const text = textOfString(this.#bytes, this.#at, end)
        this.#at = end
        this.#endMember(text)
        return
      }
    } else if (byte !== OPEN_BRACE && byte !== OPEN_BRACKET) {
      this.#readScalar()
      return
    }
    this.#isSkipping = true
    this.#skipper.begin(this.#at)
  }

  /** Adds the member whose value has ended here. */
  #endMember(value: unknown): void {
    const key = this.#name
    const [keyStart, keyEnd, valueStart] = [this.#keyStart, this.#keyEnd, this.#valueStart]
    setMember(this.value, key, value)
    this.members.push({ key, keyStart, keyEnd, valueStart, valueEnd: this.#at })
  }

  #readScalar(): void {
    const start = this.#at
    const limit = start + SCALAR_BYTES_MAX
    let end = start
    for (; end < limit; end += 1) {
      const byte = this.#bytes[end]
      if (byte === undefined || byte <= SPACE || byte === COMMA || byte === CLOSE_BRACE) break
    }
    if (end === limit) throw new TooManyValues(TOO_LONG_SCALAR)
    const value: unknown = JSON.parse(UTF_8.decode(this.#bytes.subarray(start, end)))
    this.#at = end
    this.#endMember(value)
  }

  /** The end of a string that begins here and has at most `bytesMax` bytes; undefined: it is longer, or has no end. */
  #endOfShort(bytesMax: number): number | undefined {
    return endOfShortString(this.#bytes, this.#at, Math.min(this.#at + bytesMax, this.#bytes.length))
  }

  /** Skips white space up to `stop`, and gives the byte behind it. */
  #skipSpace(stop: number): number | undefined {
    const bytes = this.#bytes
    let at = this.#at
    let byte = bytes[at]
    while (at < stop && (byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09)) {
      at += 1
      byte = bytes[at]
    }
    this.#at = at
    return byte
  }
}
