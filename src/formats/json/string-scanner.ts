import { joinBytes } from '../bytes/join-bytes.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** The strings to look for in a JSON text, and the functions that are told of them. */
export interface StringScannerOptions {
  /** Longer strings, in bytes, are not looked for. */
  readonly stringBytesMax: number
  /** Deeper values are skipped. */
  readonly depthMax: number
  /** Whether the strings of a member are wanted: its value, or the strings of its list. */
  readonly isWanted: (name: string) => boolean
  /** Whether the objects and lists in a member are skipped. */
  readonly isSkipped: (name: string) => boolean
  /** Is told of each wanted string, with the name of its member and its depth; the depth of the outermost object is 1. */
  readonly onString: (name: string, text: string, depth: number) => void
  /** Is told of the end of each object and list that is not skipped, with its depth and the name of its member, or of the one around it. */
  readonly onEnd: (depth: number, name: string) => void
}

/** Names are compared with short ones only. */
const NAME_BYTES_MAX = 64
const FROM_BYTES = new TextDecoder()

/**
 * Finds strings in a JSON text of any size that comes in chunks; it holds no more of it than the current string.
 *
 * Text outside of objects and lists is skipped, and so is text between two tokens that is not JSON: the lines of a
 * server-sent event can be given as they are. It never throws; in a text that is not JSON it finds meaningless strings, or none.
 *
 * @example
 * const scanner = new StringScanner({ isWanted: (name) => name === 'id', onString: (_, id) => ids.push(id), … })
 * for await (const chunk of body) scanner.add(chunk)
 */
export class StringScanner {
  readonly #options: StringScannerOptions
  /** For each surrounding container: whether it is an object, and the name of its member, or of the one around it. */
  #isObject: boolean[] = []
  #names: string[] = []
  /** The depth within a container that is skipped. */
  #unnoted = 0
  #name = ''
  #isKeyNext = false
  #isInString = false
  #isEscaped = false
  #isKey = false
  /** The bytes of the current string; undefined: it is not wanted. */
  #held: Uint8Array[] | undefined
  #heldBytes = 0

  constructor(options: StringScannerOptions) {
    this.#options = options
  }

  /** Takes a chunk. It keeps nothing of it but a copy of a string that goes on in the next one. */
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

  /** Starts anew, for another text. */
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

  /** The name of the member that has this value, or the list around it. */
  #nameHere(): string {
    return this.#isObject.at(-1) === true ? this.#name : (this.#names.at(-1) ?? '')
  }

  /** Takes the rest of a string in a chunk; gives where it ends. */
  #addString(chunk: Uint8Array, start: number): number {
    let from = start
    if (this.#isEscaped) {
      this.#isEscaped = false
      from += 1
    }
    for (;;) {
      const quote = chunk.indexOf(QUOTE, from)
      const end = quote === -1 ? chunk.byteLength : quote
      // An odd number of backslashes before a quote means that the string goes on.
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

/** The text of a string; undefined: its escapes are not JSON's. */
function textOf(parts: readonly Uint8Array[]): string | undefined {
  const raw = FROM_BYTES.decode(joinBytes(parts))
  if (!raw.includes('\\')) return raw
  try {
    return String(JSON.parse(`"${raw}"`))
  } catch {
    return undefined
  }
}
