import { HeldValue } from './held-value.ts'
import { isJsonObject, type Json, type JsonObject } from './json.ts'
import { CLOSING, COLON, COMMA, KIND_OF_BYTE, OPENING, STRING } from './json-scan.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const SPACE = 0x20

/** A longer name, or a longer value, is not picked. */
const NAME_BYTES_MAX = 64
const VALUE_BYTES_MAX = 64 * 1024
/** Of lists, no more elements are looked into. */
const ELEMENTS_MAX = 20_000

/** The members to pick: `true`: with all that is in them; else those within. `*` stands for each element of a list. */
export interface PickedMembers {
  readonly [name: string]: true | PickedMembers
}

/** An object or a list that is looked into, with what was picked of it. */
interface Frame {
  readonly members: PickedMembers
  readonly picked: Record<string, Json> | Json[]
}

/**
 * Picks members of JSON objects of any size, which come in chunks, one after the other: it holds no more of them than is picked. A string
 * that is too long to be picked is picked as an empty one.
 *
 * It never throws; in a text that is not JSON it picks meaningless members, or none.
 *
 * @example
 * const picker = new MemberPicker({ usage: true, data: { '*': { url: true } } }, (picked) => tally.add(picked))
 * for await (const chunk of body) picker.add(chunk)
 */
export class MemberPicker {
  readonly #wanted: PickedMembers
  readonly #onObject: (picked: JsonObject) => void
  #frames: Frame[] = []
  #elements = 0
  /** The depth within a value that is held or passed over. */
  #inner = 0
  #name = ''
  #isNameNext = false
  #isValueNext = false
  #isInString = false
  #isEscaped = false
  #isName = false
  /** The wanted value, or the name, that the scan is in. */
  readonly #held = new HeldValue()

  /** `onObject` is told what was picked when an outermost object has ended. */
  constructor(wanted: PickedMembers, onObject: (picked: JsonObject) => void) {
    this.#wanted = wanted
    this.#onObject = onObject
  }

  /** Takes a chunk, of which it keeps nothing but copies. */
  add(chunk: Uint8Array): void {
    const { byteLength } = chunk
    for (let at = 0; at < byteLength; ) {
      if (this.#isInString) {
        at = this.#addString(chunk, at)
        continue
      }
      const byte = chunk[at] ?? 0
      const kind = KIND_OF_BYTE[byte] ?? 0
      if (kind !== 0) this.#addToken(kind, byte, chunk, at)
      else if (this.#isValueNext && byte > SPACE) this.#beginValue(at, false)
      at += 1
    }
    this.#held.leave(chunk)
  }

  #addToken(kind: number, byte: number, chunk: Uint8Array, at: number): void {
    if (kind === STRING) this.#beginString(at)
    else if (kind === OPENING) this.#open(byte === OPEN_BRACE, at)
    else if (kind === CLOSING) this.#close(chunk, at)
    else if (this.#inner > 0) return
    else if (kind === COLON) this.#isValueNext = true
    else if (kind === COMMA) {
      const isInList = Array.isArray(this.#frames.at(-1)?.picked)
      this.#endValue(chunk, at)
      this.#isNameNext = !isInList
      this.#isValueNext = isInList
    }
  }

  /** What is wanted of the value that begins here. */
  get #wantedHere(): true | PickedMembers | undefined {
    const frame = this.#frames.at(-1)
    if (frame === undefined) return this.#wanted
    const name = Array.isArray(frame.picked) ? '*' : this.#name
    return Object.hasOwn(frame.members, name) ? frame.members[name] : undefined
  }

  #beginString(at: number): void {
    if (this.#frames.length === 0) return
    this.#isInString = true
    if (this.#inner > 0) return
    this.#isName = this.#isNameNext
    this.#isNameNext = false
    if (this.#isName) this.#held.begin(at, true, NAME_BYTES_MAX)
    else this.#beginValue(at, true)
  }

  #beginValue(at: number, isString: boolean): void {
    this.#isValueNext = false
    if (this.#frames.length > 0 && this.#wantedHere === true) this.#held.begin(at, isString, VALUE_BYTES_MAX)
  }

  #open(isObject: boolean, at: number): void {
    this.#isNameNext = false
    const isValue = this.#isValueNext || this.#frames.length === 0
    this.#isValueNext = false
    if (this.#inner > 0 || !isValue) {
      this.#inner += 1
      return
    }
    const wanted = this.#wantedHere
    if (wanted === true) this.#held.begin(at, false, VALUE_BYTES_MAX)
    if (wanted === true || wanted === undefined || this.#elements >= ELEMENTS_MAX) {
      this.#inner = 1
      return
    }
    const picked: Record<string, Json> | Json[] = isObject ? {} : []
    if (this.#frames.length > 0) this.#put(picked as Json)
    this.#frames.push({ members: wanted, picked })
    this.#isNameNext = isObject
    this.#isValueNext = !isObject
  }

  #close(chunk: Uint8Array, at: number): void {
    this.#isNameNext = false
    this.#isValueNext = false
    if (this.#inner > 0) {
      this.#inner -= 1
      if (this.#inner === 0) this.#endValue(chunk, at + 1)
      return
    }
    this.#endValue(chunk, at)
    const frame = this.#frames.pop()
    if (frame === undefined || this.#frames.length > 0) return
    this.#elements = 0
    if (isJsonObject(frame.picked)) this.#onObject(frame.picked)
  }

  /** Takes the rest of a string in a chunk; gives where it ends. */
  #addString(chunk: Uint8Array, start: number): number {
    let from = start + (this.#isEscaped ? 1 : 0)
    this.#isEscaped = false
    for (;;) {
      const quote = chunk.indexOf(QUOTE, from)
      const end = quote === -1 ? chunk.byteLength : quote
      // An odd number of backslashes before a quote means that the string goes on.
      let before = end - 1
      while (before >= from && chunk[before] === BACKSLASH) before -= 1
      const isEscaping = (end - before) % 2 === 0
      if (quote === -1) {
        this.#isEscaped = isEscaping
        return chunk.byteLength
      }
      if (!isEscaping) {
        this.#isInString = false
        if (this.#inner === 0) this.#endString(chunk, quote + 1)
        return quote + 1
      }
      from = quote + 1
    }
  }

  #endString(chunk: Uint8Array, end: number): void {
    if (!this.#isName) {
      this.#endValue(chunk, end)
      return
    }
    const name = this.#held.end(chunk, end)
    this.#name = typeof name === 'string' ? name : ''
    this.#isName = false
  }

  #endValue(chunk: Uint8Array, end: number): void {
    if (!this.#held.isOpen) return
    const value = this.#held.end(chunk, end)
    if (value !== undefined) this.#put(value)
  }

  /** Notes a value that was picked where the scan stands. */
  #put(value: Json): void {
    const picked = this.#frames.at(-1)?.picked
    if (picked === undefined) return
    this.#elements += 1
    if (Array.isArray(picked)) picked.push(value)
    else picked[this.#name] = value
  }
}
