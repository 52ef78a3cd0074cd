/** One member of an object, in its canonical form. */
export interface CanonicalMember {
  /** The name as JSON text. */
  readonly key: string
  /** The name, the colon and the value. */
  readonly text: string
}

/** Makes the canonical text of an object from its members: sorted by name, those of one name in their order. Sorts them in place. */
export function joinMembers(members: CanonicalMember[]): string {
  // The sort is stable: members of one name stay in their order.
  if (members.length > 1) members.sort(compare)
  let text = '{'
  for (const member of members) text += text.length === 1 ? member.text : `,${member.text}`
  return `${text}}`
}

function compare(one: CanonicalMember, other: CanonicalMember): number {
  return one.key < other.key ? -1 : one.key > other.key ? 1 : 0
}
