import { joinBytes } from '../bytes/join-bytes.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** What is of interest in a text of JSON. */
export interface StringScannerOptions {
  /** Longer strings are none of those looked for, in bytes. */
  readonly stringBytesMax: number
  /** Deeper values are passed over. */
  readonly depthMax: number
  /** Whether the strings of a member are looked for: its value, or the strings of the list that it is. */
  readonly isWanted: (name: string) => boolean
  /** Whether the objects and lists in a member are passed over. */
  readonly isSkipped: (name: string) => boolean
  /** Is told of each string looked for, where it stands and whether that is in an object; the depth of the outermost object is 1. */
  readonly onString: (name: string, text: string, depth: number) => void
  /** Is told of the end of each object and list that is not passed over, by its depth and by the name of the member that it is, or is in. */
  readonly onEnd: (depth: number, name: string) => void
}

/** Names are compared with short ones only. */
const NAME_BYTES_MAX = 64
const FROM_BYTES = new TextDecoder()

/**
 * Finds strings in a JSON text of any size that comes in chunks, without holding more of it than the string that it is in.
 *
 * What stands outside of objects and lists is passed over, and so is what is no JSON between two of its tokens: the lines of a
 * server-sent event can be given as they are. It never throws; of what is no JSON it finds strings that mean nothing, or none.
 *
 * @example
 * const scanner = new StringScanner({ isWanted: (name) => name === 'id', onString: (_, id) => ids.push(id), … })
 * for await (const chunk of body) scanner.add(chunk)
 */
export class StringScanner {
  readonly #options: StringScannerOptions
  /** Of each container around: whether it is an object, and the name of the member that it is, or is in. */
  #isObject: boolean[] = []
  #names: string[] = []
  /** How many containers deep it is in one that is passed over. */
  #unnoted = 0
  #name = ''
  #isKeyNext = false
  #isInString = false
  #isEscaped = false
  #isKey = false
  /** The bytes of the string that it is in; undefined: nobody looks for it. */
  #held: Uint8Array[] | undefined
  #heldBytes = 0

  constructor(options: StringScannerOptions) {
    this.#options = options
  }

  /** Takes a chunk. It is not kept, but for a copy of a string that goes on in the next one. */
  add(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.byteLength; ) {
      if (this.#isInString) {
        at = this.#addString(chunk, at)
        continue
      }
      this.#addToken(chunk[at] ?? 0)
      at += 1
    }
  }

  /** Begins anew: what follows is another text. */
  reset(): void {
    this.#isObject = []
    this.#names = []
    this.#unnoted = 0
    this.#isKeyNext = false
    this.#isInString = false
    this.#isEscaped = false
    this.#held = undefined
  }

  #addToken(byte: number): void {
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.#open(byte === OPEN_BRACE)
    else if (this.#names.length === 0) return
    else if (byte === QUOTE) this.#beginString()
    else if (byte === COMMA) this.#isKeyNext = this.#unnoted === 0 && this.#isObject.at(-1) === true
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) this.#close()
  }

  #open(isObject: boolean): void {
    const depth = this.#names.length
    const isMember = depth > 0 && this.#isObject[depth - 1] === true
    const name = isMember ? this.#name : (this.#names[depth - 1] ?? '')
    const isPassedOver =
      this.#unnoted > 0 || depth >= this.#options.depthMax || (isMember && this.#options.isSkipped(name))
    if (isPassedOver) {
      this.#unnoted += 1
      this.#isKeyNext = false
      return
    }
    this.#isObject.push(isObject)
    this.#names.push(name)
    this.#isKeyNext = isObject
  }

  #close(): void {
    this.#isKeyNext = false
    if (this.#unnoted > 0) {
      this.#unnoted -= 1
      return
    }
    const depth = this.#names.length
    const name = this.#names.pop() ?? ''
    this.#isObject.pop()
    this.#options.onEnd(depth, name)
  }

  #beginString(): void {
    this.#isInString = true
    this.#isKey = this.#isKeyNext
    this.#isKeyNext = false
    const isLookedFor = this.#unnoted === 0 && (this.#isKey || this.#options.isWanted(this.#nameHere()))
    this.#held = isLookedFor ? [] : undefined
    this.#heldBytes = 0
  }

  /** The name of the member that a value here is, or is in the list of. */
  #nameHere(): string {
    return this.#isObject.at(-1) === true ? this.#name : (this.#names.at(-1) ?? '')
  }

  /** Takes what is left of a string in a chunk; gives where that ends. */
  #addString(chunk: Uint8Array, start: number): number {
    let from = start
    if (this.#isEscaped) {
      this.#isEscaped = false
      from += 1
    }
    for (;;) {
      const quote = chunk.indexOf(QUOTE, from)
      const end = quote === -1 ? chunk.byteLength : quote
      // An odd number of backslashes in front says that the string goes on.
      let before = end - 1
      while (before >= from && chunk[before] === BACKSLASH) before -= 1
      const isEscaping = (end - before) % 2 === 0
      if (quote === -1) {
        this.#isEscaped = isEscaping
        this.#hold(chunk, start, end)
        return chunk.byteLength
      }
      if (!isEscaping) {
        this.#hold(chunk, start, end)
        this.#endString()
        return quote + 1
      }
      from = quote + 1
    }
  }

  #hold(chunk: Uint8Array, from: number, to: number): void {
    if (this.#held === undefined) return
    this.#heldBytes += to - from
    if (this.#heldBytes > (this.#isKey ? NAME_BYTES_MAX : this.#options.stringBytesMax)) this.#held = undefined
    else this.#held.push(chunk.slice(from, to))
  }

  #endString(): void {
    this.#isInString = false
    const text = this.#held === undefined ? undefined : textOf(this.#held)
    this.#held = undefined
    if (this.#isKey) this.#name = text ?? ''
    else if (text !== undefined) this.#options.onString(this.#nameHere(), text, this.#names.length)
  }
}

/** undefined: its escapes are none of JSON's. */
function textOf(parts: readonly Uint8Array[]): string | undefined {
  const raw = FROM_BYTES.decode(joinBytes(parts))
  if (!raw.includes('\\')) return raw
  try {
    return String(JSON.parse(`"${raw}"`))
  } catch {
    return undefined
  }
}
