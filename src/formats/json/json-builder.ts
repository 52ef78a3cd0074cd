import { type Member, membersWithin } from './members.ts'

/** No object of any API has more members: whoever goes through them would keep others waiting. */
const MEMBERS_MAX = 20_000
/** Parsers elsewhere stop before. */
const DEPTH_MAX = 1000

/** A text has too many values, for its length or for those who go through them, or they nest too deep. */
export class TooManyValues extends Error {
  override readonly name = 'TooManyValues'
}

/** Something that is made piece by piece: where it stands, and where the string before it, which in an object is its name. */
export interface Begun {
  readonly at: number
  readonly keyStart: number
  readonly keyEnd: number
}

/** An object or list that has not ended. */
interface Open {
  readonly value: Record<string, unknown> | unknown[]
  /** Nothing of what it holds is there. */
  isEmpty: boolean
  /** Of an object. */
  memberCount: number
  /** What is being made in it; in an object, by that name. */
  child: Begun | undefined
  name: string
}

/** What the place of a member takes in memory, in bytes, measured. */
const PLACE_WEIGHT = 80

const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const BLANK = /^[ \t\r\n]*$/
const COMMA = /^[ \t\r\n]*,/

/**
 * Makes the value of a JSON text of its parts, as they are found: what is short is parsed at once, and put into the objects and
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
  /** Where the members of the outermost object stand; empty: it is a list. */
  readonly members: Member[] = []
  /** The whole value, when it is there. */
  value: Record<string, unknown> | unknown[] | undefined
  /** What the places of members take in memory, in bytes. */
  weight = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** How many objects and lists have begun and not ended. */
  get depth(): number {
    return this.#open.length
  }

  /** Whether the innermost of them is a list. */
  get isInList(): boolean {
    return Array.isArray(this.#open.at(-1)?.value)
  }

  /** An object or list begins. */
  enter(isObject: boolean): void {
    if (this.#open.length === DEPTH_MAX) throw new TooManyValues()
    this.#open.push({ value: isObject ? {} : [], isEmpty: true, memberCount: 0, child: undefined, name: '' })
  }

  /** The innermost one has ended before `end`. */
  leave(end: number): void {
    const left = this.#open.pop()
    if (left === undefined) throw new SyntaxError('nothing is open')
    if (this.#open.length === 0) this.value = left.value
    else this.put(left.value, end)
  }

  /** Takes what stands from `from` to before `to`, where the innermost one ends, a comma stands, or `child` begins. Throws where that is no JSON. */
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

  /** What was made piece by piece is there, and has ended before `end`. */
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
    // In place of what is made piece by piece there is a null for now.
    const members = JSON.parse(child === undefined ? `{${text}}` : `{${text}null}`) as Record<string, unknown>
    const target = open.value as Record<string, unknown>
    const names = Object.keys(members)
    open.memberCount += names.length
    if (open.memberCount > MEMBERS_MAX) throw new TooManyValues()
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

/** A member like any other, also by the one name that an assignment takes for something else. */
function setMember(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') object[name] = value
  else Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
}
