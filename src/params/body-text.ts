import { countKeys } from '../formats/json/equal.ts'
import { isJsonObject } from '../formats/json/json.ts'
import type { JsonBody } from '../formats/json/json-body.ts'
import { type Member, membersOf, objectStart } from '../formats/json/members.ts'
import { countMembers } from '../formats/json/skip.ts'
import { meantBy, type Names, type NameTree } from './name-tree.ts'
import type { ParsedObject } from './object-draft.ts'
import { sentTwice, spelledOtherwise } from './refusals.ts'

/** The text of a body that is an object: what it says beyond the parsed value. Each object is gone through once at most. */
export class BodyText {
  readonly bytes: Uint8Array
  /** Where the body's own object begins. */
  readonly brace: number
  /** The body's. */
  readonly value: ParsedObject
  readonly #json: JsonBody
  readonly #scanned = new Map<number, readonly Member[]>()

  /** `value`: the body's. */
  constructor(json: JsonBody, value: ParsedObject) {
    this.bytes = json.bytes
    this.brace = objectStart(json.bytes)
    this.#json = json
    this.value = value
  }

  /** Gives the members of the object whose opening brace stands at `brace`. */
  membersAt(brace: number): readonly Member[] {
    if (brace === this.brace) return this.#json.members
    const known = this.#scanned.get(brace)
    if (known !== undefined) return known
    const members = membersOf(this.bytes, brace)
    this.#scanned.set(brace, members)
    return members
  }

  /**
   * Throws `rules_not_applicable` where a name of the tree occurs more than once in its object: `JSON.parse` keeps the last
   * value, and an upstream may take the first; or where it is written in another case, which some take for the same. Objects without any of the names are not even gone through.
   */
  assertSentOnce(tree: NameTree): void {
    this.#assertWithin(tree, this.value, this.brace, [])
  }

  /**
   * Whether what came at a path is all that its text says: each name on the way, and each within the value, occurs once.
   * Where that holds, a value that equals another as parsed is also read like it by everyone else.
   */
  isPlain(names: Names): boolean {
    let value: unknown = this.value
    let start = this.brace
    let end = this.bytes.length
    for (const name of names) {
      const members = this.membersAt(start)
      const member = members.find(({ key }) => key === name)
      if (member === undefined || !isJsonObject(value)) return false
      if (members.findLast(({ key }) => key === name) !== member) return false
      value = value[name]
      start = member.valueStart
      end = member.valueEnd
    }
    return this.saysNoMore(value, start, end)
  }

  /** Whether a part of the text has no more members than its parsed value has names. */
  saysNoMore(value: unknown, start: number, end: number): boolean {
    return typeof value !== 'object' || countMembers(this.bytes, start, end) === countKeys(value)
  }

  #assertWithin(tree: NameTree, value: ParsedObject, brace: number, outer: Names): void {
    const names = Object.keys(value)
    const present: string[] = []
    for (const name of names) {
      if (tree.children.has(name)) present.push(name)
      const meant = meantBy(name, tree)
      if (meant !== undefined) throw spelledOtherwise([...outer, name], meant)
    }
    if (present.length === 0) return
    const members = this.membersAt(brace)
    if (members.length !== names.length) {
      const wanted = new Set(present)
      const found = new Set<string>()
      for (const { key } of members) {
        if (found.has(key)) throw sentTwice([...outer, key])
        if (wanted.has(key)) found.add(key)
      }
    }
    let places: ReadonlyMap<string, Member> | undefined
    for (const name of present) {
      const inner = tree.children.get(name)
      const child = value[name]
      if (inner === undefined || inner.children.size === 0 || !isJsonObject(child)) continue
      places ??= placesOf(members)
      const member = places.get(name)
      if (member !== undefined) this.#assertWithin(inner, child, member.valueStart, [...outer, name])
    }
  }
}

/** Where each name stands first; where one occurs twice, and that matters, the body has been refused. */
function placesOf(members: readonly Member[]): ReadonlyMap<string, Member> {
  return new Map(members.toReversed().map((member) => [member.key, member]))
}
