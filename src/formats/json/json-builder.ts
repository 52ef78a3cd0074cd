import { type Member, membersWithin } from './members.ts'

/** No object of any API has more members: walking them would keep other requests waiting. */
const MEMBERS_MAX = 20_000
/** Other parsers stop at less. */
const DEPTH_MAX = 1000

/**
 * Thrown for a text with too many values, for its length or for the functions that walk them, or with values that nest too deep. Its
 * message says of what there is too much, in words that can be sent; empty: the values take too much memory for the length of the text.
 */
export class TooManyValues extends Error {
  override readonly name = 'TooManyValues'
}

/** An object of more than `MEMBERS_MAX` members. */
export const TOO_MANY_MEMBERS = 'an object of more than 20,000 members, counting each time that a name occurs'
/** A name of more than 64 KiB. */
export const TOO_LONG_NAME = 'a name of more than 64 KiB'
/** A number, or white space, of more than 256 KiB. */
export const TOO_LONG_SCALAR = 'a number or white space of more than 256 KiB'

/** A value that is made piece by piece: its place, and the place of the string before it, which in an object is its name. */
export interface Begun {
  readonly at: number
  readonly keyStart: number
  readonly keyEnd: number
}

/** An object or list that has not ended. */
interface Open {
  readonly value: Record<string, unknown> | unknown[]
  /** Whether it has no members or elements yet. */
  isEmpty: boolean
  /** The number of members of an object. */
  memberCount: number
  /** The value that is being made in it; in an object, under that name. */
  child: Begun | undefined
  name: string
}

/** The memory that the place of a member takes, in bytes, measured. */
const PLACE_WEIGHT = 80

const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const BLANK = /^[ \t\r\n]*$/
const COMMA = /^[ \t\r\n]*,/

/**
 * Makes the value of a JSON text from its parts, as they are found: a short part is parsed at once, and put into the objects and
 * lists around it.
 *
 * @example
 * const builder = new JsonBuilder(bytes)
 * builder.enter(brace)
 * builder.take(brace + 1, end, undefined)
 * const value = builder.leave(end + 1)
 */
export class JsonBuilder {
  readonly #bytes: Uint8Array
  readonly #open: Open[] = []
  /** The places of the outermost object's members; empty: it is a list. */
  readonly members: Member[] = []
  /** The whole value, when it is complete. */
  value: Record<string, unknown> | unknown[] | undefined
  /** The memory that the places of members take, in bytes. */
  weight = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** The number of open objects and lists. */
  get depth(): number {
    return this.#open.length
  }

  /** Whether the innermost of them is a list. */
  get isInList(): boolean {
    return Array.isArray(this.#open.at(-1)?.value)
  }

  /** Begins an object or list. */
  enter(isObject: boolean): void {
    if (this.#open.length === DEPTH_MAX) throw new TooManyValues('more than 1,000 levels of objects and lists')
    this.#open.push({ value: isObject ? {} : [], isEmpty: true, memberCount: 0, child: undefined, name: '' })
  }

  /** Ends the innermost object or list, before `end`. */
  leave(end: number): void {
    const left = this.#open.pop()
    if (left === undefined) throw new SyntaxError('nothing is open')
    if (this.#open.length === 0) this.value = left.value
    else this.put(left.value, end)
  }

  /**
   * Takes the text from `from` to before `to`, where the innermost one ends, a comma stands, or `child` begins. Throws if it is not JSON.
   */
  take(from: number, to: number, child: Begun | undefined): void {
    const open = this.#open.at(-1)
    if (open === undefined) throw new SyntaxError('nothing is open')
    if (from === to && open.isEmpty && child === undefined) return
    const text = UTF_8.decode(this.#bytes.subarray(from, to))
    const isBlank = BLANK.test(text)
    if (isBlank && child === undefined) return
    const comma = open.isEmpty ? '' : COMMA.exec(text)?.[0]
    if (comma === undefined) throw new SyntaxError('values without a comma between')
    const values = text.slice(comma.length)
    if (child === undefined && BLANK.test(values)) throw new SyntaxError('a comma without a value')
    open.isEmpty = false
    open.child = child
    if (Array.isArray(open.value)) takeItems(open.value, values, child !== undefined)
    else this.#takeMembers(open, values, from + comma.length, to)
  }

  /** Puts a value that was made piece by piece, and has ended before `end`, into its place. */
  put(value: unknown, end: number): void {
    const open = this.#open.at(-1)
    if (open === undefined) throw new SyntaxError('nothing is open')
    if (Array.isArray(open.value)) {
      open.value.push(value)
      return
    }
    setMember(open.value, open.name, value)
    const { child } = open
    if (this.#open.length > 1 || child === undefined) return
    const { keyStart, keyEnd, at } = child
    this.members.push({ key: open.name, keyStart, keyEnd, valueStart: at, valueEnd: end })
  }

  #takeMembers(open: Open, text: string, from: number, to: number): void {
    const { child } = open
    // A null stands in for the value that is made piece by piece.
    const members = JSON.parse(child === undefined ? `{${text}}` : `{${text}null}`) as Record<string, unknown>
    const target = open.value as Record<string, unknown>
    const names = Object.keys(members)
    open.memberCount += names.length
    if (open.memberCount > MEMBERS_MAX) throw new TooManyValues(TOO_MANY_MEMBERS)
    for (const name of names) setMember(target, name, members[name])
    if (child !== undefined)
      open.name = String(JSON.parse(UTF_8.decode(this.#bytes.subarray(child.keyStart, child.keyEnd))))
    if (this.#open.length > 1) return
    const places = membersWithin(this.#bytes, from, child?.keyStart ?? to, names)
    for (const place of places) this.members.push(place)
    this.weight += places.length * PLACE_WEIGHT
  }
}

function takeItems(list: unknown[], text: string, hasChild: boolean): void {
  const items = JSON.parse(hasChild ? `[${text}null]` : `[${text}]`) as unknown[]
  if (hasChild) items.pop()
  list.push(...items)
}

/** Sets a member, also one named `__proto__`, to which an assignment would give another meaning. */
export function setMember(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') object[name] = value
  else Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
}
