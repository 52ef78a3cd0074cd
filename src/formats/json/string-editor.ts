import { joinBytes } from '../bytes/join-bytes.ts'
import type { ByteEdit } from './byte-edits.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const SPACE = 0x20

/** A longer name is not on a path to a string. */
const NAME_BYTES_MAX = 256
/** A longer string stays as it is. */
const STRING_BYTES_MAX = 64 * 1024

/** The bytes of a string that are looked at one by one before the rest of it is searched. */
const NEAR_BYTES = 24

const FROM_BYTES = new TextDecoder()
const TO_BYTES = new TextEncoder()
const NOTHING = new Uint8Array()

/** The path of a value in a JSON text: the names that lead to it from the outermost object; `*` stands for each element of a list. */
export type JsonPath = readonly string[]

/** A node of the paths, at a name or `*`. */
interface Place {
  readonly children: Map<string, Place>
  /** The path that ends here. */
  path: JsonPath | undefined
}

/**
 * Changes strings of a JSON text of any size that comes in chunks. It holds back nothing but such a string, until its end
 * has come; every other byte stays as it is.
 *
 * Only a text that is an object is changed, and nothing behind it. It never throws; in a text that is not JSON it may change any string
 * that seems to stand at one of the paths.
 *
 * @example
 * const editor = new StringEditor([['model']], () => 'smart')
 * const edits: ByteEdit[] = []
 * editor.add(chunk, 0, chunk.byteLength, edits)
 */
export class StringEditor {
  readonly #root: Place
  readonly #edit: (text: string, path: JsonPath) => string | undefined
  /** The surrounding containers that a path may lead through: whether each is an object, and its place. */
  #around: { readonly isObject: boolean; readonly place: Place }[] = []
  /** The depth within a container that no path leads into. */
  #ignored = 0
  #isOver = false
  #name = ''
  #isNameNext = false
  /** The kind of the string that the scan is in. */
  #string: 'none' | 'name' | 'edited' | 'other' = 'none'
  #isEscaped = false
  /** The bytes of a name, or of a string to be changed, that came in earlier chunks. */
  #held: Uint8Array[] = []
  #heldBytes = 0
  #path: JsonPath = []

  /** `edit` gives the new text of a string; undefined: the string stays. */
  constructor(paths: readonly JsonPath[], edit: (text: string, path: JsonPath) => string | undefined) {
    this.#root = placesOf(paths)
    this.#edit = edit
  }

  /** Takes the bytes of a chunk from `from` to before `to`, and adds its changes to `edits`. */
  add(chunk: Uint8Array, from: number, to: number, edits: ByteEdit[]): void {
    let at = from
    while (at < to && !this.#isOver) {
      if (this.#string !== 'none') {
        at = this.#addString(chunk, at, at, to, edits)
        continue
      }
      const byte = chunk[at] ?? 0
      at += 1
      if (byte === QUOTE && (this.#around.length > 0 || this.#ignored > 0)) {
        this.#beginString()
        at = this.#addString(chunk, at - 1, at, to, edits)
      } else this.#addToken(byte)
    }
  }

  /** Gives the bytes that were held back of a string of which no more will come. */
  release(): Uint8Array {
    const held = this.#string === 'edited' ? joinBytes(this.#held) : NOTHING
    if (this.#string === 'edited') this.#string = 'other'
    this.#drop()
    return held
  }

  /** Starts anew, for another text. */
  reset(): void {
    this.#around = []
    this.#ignored = 0
    this.#isOver = false
    this.#isNameNext = false
    this.#string = 'none'
    this.#isEscaped = false
    this.#drop()
  }

  #addToken(byte: number): void {
    if (this.#around.length === 0) {
      if (byte === OPEN_BRACE) this.#enter(true, this.#root)
      // White space and a byte order mark may stand before the object.
      else if (byte > SPACE && ![0xef, 0xbb, 0xbf].includes(byte)) this.#isOver = true
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.#open(byte === OPEN_BRACE)
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) this.#close()
    else if (byte === COMMA) this.#isNameNext = this.#ignored === 0 && this.#around.at(-1)?.isObject === true
  }

  #open(isObject: boolean): void {
    const place = this.#ignored > 0 ? undefined : this.#placeHere()
    if (place === undefined) this.#ignored += 1
    else this.#enter(isObject, place)
  }

  #enter(isObject: boolean, place: Place): void {
    this.#around.push({ isObject, place })
    this.#isNameNext = isObject
  }

  #close(): void {
    this.#isNameNext = false
    if (this.#ignored > 0) this.#ignored -= 1
    else this.#around.pop()
    this.#isOver = this.#around.length === 0
  }

  /** The place of the value that begins here. */
  #placeHere(): Place | undefined {
    const inner = this.#around.at(-1)
    return inner?.place.children.get(inner.isObject ? this.#name : '*')
  }

  #beginString(): void {
    if (this.#isNameNext) {
      this.#string = 'name'
      this.#isNameNext = false
      return
    }
    const path = this.#ignored > 0 ? undefined : this.#placeHere()?.path
    this.#string = path === undefined ? 'other' : 'edited'
    if (path !== undefined) this.#path = path
  }

  /** Takes the rest of a string, which in this chunk begins at `start`; its text is read from `from` on. Gives where it ends. */
  #addString(chunk: Uint8Array, start: number, from: number, to: number, edits: ByteEdit[]): number {
    const end = this.#endOfString(chunk, from, to)
    if (this.#string === 'other') {
      if (end !== undefined) this.#string = 'none'
      return end ?? to
    }
    this.#hold(chunk, start, end ?? to)
    if (this.#string === 'edited') this.#change(start, end, to, edits)
    else if (end !== undefined) {
      this.#name = textOf(this.#held) ?? ''
      this.#string = 'none'
      this.#drop()
    }
    return end ?? to
  }

  /** Changes a string of which another part, perhaps the last, has been held. */
  #change(start: number, end: number | undefined, to: number, edits: ByteEdit[]): void {
    if (end === undefined) {
      const isTooLong = this.#heldBytes > STRING_BYTES_MAX
      edits.push({ start, end: to, bytes: isTooLong ? this.release() : NOTHING })
      return
    }
    const text = textOf(this.#held)
    const changed = text === undefined ? undefined : this.#edit(text, this.#path)
    const bytes = changed === undefined ? joinBytes(this.#held) : TO_BYTES.encode(JSON.stringify(changed))
    edits.push({ start, end, bytes })
    this.#string = 'none'
    this.#drop()
  }

  /** Gives the first byte behind a string; undefined: it goes on in the next chunk. */
  #endOfString(chunk: Uint8Array, start: number, to: number): number | undefined {
    let from = start
    if (this.#isEscaped && from < to) {
      this.#isEscaped = false
      from += 1
    }
    // Most strings end soon: a search costs more than looking at their bytes.
    for (const near = Math.min(from + NEAR_BYTES, to); from < near; from += 1) {
      const byte = chunk[from]
      if (byte === QUOTE) return from + 1
      if (byte === BACKSLASH) break
    }
    for (;;) {
      const quote = chunk.indexOf(QUOTE, from)
      const end = quote === -1 || quote >= to ? to : quote
      // An odd number of backslashes before a quote means that the string goes on.
      let before = end - 1
      while (before >= from && chunk[before] === BACKSLASH) before -= 1
      const isEscaping = (end - before) % 2 === 0
      if (end === to) {
        if (to > start) this.#isEscaped = isEscaping
        return undefined
      }
      if (!isEscaping) return quote + 1
      from = quote + 1
    }
  }

  #hold(chunk: Uint8Array, from: number, to: number): void {
    // A name that leads nowhere is not kept.
    if (this.#string === 'name' && this.#heldBytes > NAME_BYTES_MAX) return
    this.#heldBytes += to - from
    this.#held.push(chunk.slice(from, to))
  }

  #drop(): void {
    this.#held = []
    this.#heldBytes = 0
  }
}

function placesOf(paths: readonly JsonPath[]): Place {
  const root: Place = { children: new Map(), path: undefined }
  for (const path of paths) {
    let place = root
    for (const name of path) {
      const next = place.children.get(name) ?? { children: new Map<string, Place>(), path: undefined }
      place.children.set(name, next)
      place = next
    }
    place.path = path
  }
  return root
}

/** The text of a string with its quotes; undefined: its escapes are not JSON's. */
function textOf(parts: readonly Uint8Array[]): string | undefined {
  const [only] = parts
  const raw = FROM_BYTES.decode(parts.length === 1 && only !== undefined ? only : joinBytes(parts))
  if (!raw.includes('\\')) return raw.slice(1, -1)
  try {
    return String(JSON.parse(raw))
  } catch {
    return undefined
  }
}
