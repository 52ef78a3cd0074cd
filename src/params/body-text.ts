import { changeMembers, type Edit, renameKey, replaceValue } from '../formats/json/edit.ts'
import { countKeys, isEqualJson } from '../formats/json/equal.ts'
import { isJsonObject } from '../formats/json/json.ts'
import type { JsonBody } from '../formats/json/json-body.ts'
import { type Member, membersOf, objectStart } from '../formats/json/members.ts'
import { countMembers } from '../formats/json/skip.ts'
import type { EditedObject, ParsedObject } from './edited-object.ts'
import { meantBy, type Names, type NameTree } from './name-tree.ts'
import { sentTwice, spelledOtherwise } from './refusals.ts'

/** The text of a body that is an object, for facts that the parsed value does not tell. Each object is read once at most. */
export class BodyText {
  readonly bytes: Uint8Array
  /** The place of the body's opening brace. */
  readonly brace: number
  /** The parsed body. */
  readonly value: ParsedObject
  readonly #json: JsonBody
  readonly #scanned = new Map<number, readonly Member[]>()

  /** `value`: the parsed body. */
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
   * Throws `rules_not_applicable` if a name of the tree occurs more than once in its object: `JSON.parse` keeps the last
   * value, and an upstream may take the first. Also throws if it is written in another case, which some servers take for the same name.
   * Objects without any of the names are not read.
   */
  assertSentOnce(tree: NameTree): void {
    this.#assertWithin(tree, this.value, this.brace, [])
  }

  /**
   * Whether the parsed value at a path is all that the text says: each name on the way, and each within the value, occurs once.
   * If so, every reader sees the value that was parsed.
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

/** The first member of each name. A body with a name twice has been refused before if that matters. */
function placesOf(members: readonly Member[]): ReadonlyMap<string, Member> {
  return new Map(members.toReversed().map((member) => [member.key, member]))
}

/**
 * Gives the edits that turn a body's text into that of the edited object; none if the value is the same.
 *
 * A value that equals the received one keeps its bytes, and so do all members that no rule has touched. When a name is removed, all its
 * members go.
 *
 * @example
 * const edits = editsOf(run.root, text)
 */
export function editsOf(root: EditedObject, text: BodyText): Edit[] {
  return editsWithin(root, text, text.brace)
}

function editsWithin(object: EditedObject, text: BodyText, brace: number): Edit[] {
  const { moved, gone, added } = object.changes()
  if (moved.size === 0 && gone.size === 0) return []
  const members = text.membersAt(brace)
  const edits: Edit[] = []
  const removed = new Set<Member>()
  for (const member of members) {
    const now = moved.get(member.key)
    if (now === undefined) {
      if (gone.has(member.key)) removed.add(member)
      continue
    }
    if (now.name !== member.key) edits.push(renameKey(member, now.name))
    if (now.child !== undefined) edits.push(...editsWithin(now.child, text, member.valueStart))
    else edits.push(...valueEdits(object.base[member.key], object.get(now.name), member, text))
  }
  const inserted = added.map((name) => [name, JSON.stringify(object.get(name))] as const)
  edits.push(...changeMembers(brace, members, { removed, inserted }))
  return edits
}

function valueEdits(came: unknown, value: unknown, member: Member, text: BodyText): Edit[] {
  if (came === value) return []
  const isSame = isEqualJson(came, value) && text.saysNoMore(came, member.valueStart, member.valueEnd)
  return isSame ? [] : [replaceValue(member, JSON.stringify(value))]
}
