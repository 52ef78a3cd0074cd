import { changeMembers, type Edit, renameKey, replaceValue } from '../formats/json/edit.ts'
import { isEqualJson } from '../formats/json/equal.ts'
import type { Member } from '../formats/json/members.ts'
import type { BodyText } from './body-text.ts'
import type { ObjectDraft } from './object-draft.ts'

/**
 * Gives the edits that make of a body's text what its draft says; none where that is no other value.
 *
 * A value that equals what came keeps its bytes, and so do all members that no rule has touched. Of a name that goes,
 * all members go.
 *
 * @example
 * const edits = editsOf(run.root, text)
 */
export function editsOf(root: ObjectDraft, text: BodyText): Edit[] {
  return editsWithin(root, text, text.brace)
}

function editsWithin(draft: ObjectDraft, text: BodyText, brace: number): Edit[] {
  const { moved, gone, added } = draft.changes()
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
    else edits.push(...valueEdits(draft.base[member.key], draft.get(now.name), member, text))
  }
  const inserted = added.map((name) => [name, JSON.stringify(draft.get(name))] as const)
  edits.push(...changeMembers(brace, members, { removed, inserted }))
  return edits
}

function valueEdits(came: unknown, value: unknown, member: Member, text: BodyText): Edit[] {
  if (came === value) return []
  const isSame = isEqualJson(came, value) && text.saysNoMore(came, member.valueStart, member.valueEnd)
  return isSame ? [] : [replaceValue(member, JSON.stringify(value))]
}
