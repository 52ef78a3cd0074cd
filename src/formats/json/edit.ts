import type { Member } from './members.ts'

/** A change of a text: `text`, in UTF-8, replaces the bytes from `start` to before `end`. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** The changes to the members of one object. Members in neither list stay, with the text around them. */
export interface MemberChanges {
  /** Some of the object's members. */
  readonly removed: ReadonlySet<Member>
  /** New members, which are put first, in this order; values as JSON text. */
  readonly inserted: readonly (readonly [key: string, text: string])[]
}

const UTF_8 = new TextEncoder()

/**
 * Applies edits, which may come in any order and must not overlap, to a text; of two at one place, the one
 * that only inserts comes first. Without edits it gives the text itself.
 *
 * @example
 * const changed = applyEdits(bytes, [replaceValue(member, '0.7')])
 */
export function applyEdits(bytes: Uint8Array<ArrayBuffer>, edits: readonly Edit[]): Uint8Array<ArrayBuffer> {
  if (edits.length === 0) return bytes
  const sorted = edits.toSorted((one, other) => one.start - other.start || one.end - other.end)
  const pieces = sorted.map(({ text }) => (isShortAscii(text) ? text : UTF_8.encode(text)))
  let length = bytes.length
  for (const [index, { start, end }] of sorted.entries()) length += (pieces[index]?.length ?? 0) - (end - start)
  const changed = new Uint8Array(length)
  let from = 0
  let to = 0
  for (const [index, { start, end }] of sorted.entries()) {
    changed.set(bytes.subarray(from, start), to)
    to += start - from
    const piece = pieces[index] ?? ''
    if (typeof piece === 'string') for (let at = 0; at < piece.length; at += 1) changed[to + at] = piece.charCodeAt(at)
    else changed.set(piece, to)
    to += piece.length
    from = end
  }
  changed.set(bytes.subarray(from), to)
  return changed
}

/**
 * The pieces of the edited text, in order: for a caller that joins a long text a little at a time.
 *
 * @example
 * const changed = yield* joinInSteps(editedParts(bytes, edits))
 */
export function editedParts(bytes: Uint8Array<ArrayBuffer>, edits: readonly Edit[]): Uint8Array<ArrayBuffer>[] {
  const parts: Uint8Array<ArrayBuffer>[] = []
  let from = 0
  for (const { start, end, text } of edits.toSorted((one, other) => one.start - other.start || one.end - other.end)) {
    parts.push(bytes.subarray(from, start), UTF_8.encode(text))
    from = end
  }
  parts.push(bytes.subarray(from))
  return parts
}

/** For a longer text, calling an encoder is worth it. */
const SHORT_CHARS_MAX = 64
const ASCII_MAX = 0x7f

/** Whether each character of a text is its byte, and there are so few that an encoder's call would cost more. */
function isShortAscii(text: string): boolean {
  if (text.length > SHORT_CHARS_MAX) return false
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) > ASCII_MAX) return false
  return true
}

/**
 * Replaces a member's value by another one, as JSON text.
 *
 * @example
 * const edit = replaceValue(member, JSON.stringify('gpt-4o'))
 */
export function replaceValue({ valueStart, valueEnd }: Member, text: string): Edit {
  return { start: valueStart, end: valueEnd, text }
}

/**
 * Gives a member another name; its value and the whitespace around it stay.
 *
 * @example
 * const edit = renameKey(member, 'max_completion_tokens')
 */
export function renameKey({ keyStart, keyEnd }: Member, key: string): Edit {
  return { start: keyStart, end: keyEnd, text: JSON.stringify(key) }
}

/**
 * Removes and inserts members of the object whose opening brace stands at `brace`, and keeps its commas
 * right: `members` are all of its members, as `membersOf` gives them.
 *
 * A removed member takes the comma and the white space before it along, or those behind it if nothing is left before it.
 *
 * @example
 * const edits = changeMembers(brace, members, { removed: new Set(), inserted: [['user', '"shared"']] })
 */
export function changeMembers(brace: number, members: readonly Member[], changes: MemberChanges): Edit[] {
  const { removed, inserted } = changes
  const edits = removed.size === 0 ? [] : removals(members, removed)
  if (inserted.length === 0) return edits
  const text = inserted.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')
  const separator = members.length > removed.size ? ',' : ''
  edits.push({ start: brace + 1, end: brace + 1, text: text + separator })
  return edits
}

function removals(members: readonly Member[], removed: ReadonlySet<Member>): Edit[] {
  const edits: Edit[] = []
  /** The end of the last member that stays. */
  let keptEnd: number | undefined
  /** The start of the current run of removed members. */
  let start: number | undefined
  let end = 0
  for (const member of members) {
    if (removed.has(member)) {
      start ??= keptEnd ?? member.keyStart
      end = member.valueEnd
      continue
    }
    if (start !== undefined) edits.push({ start, end: keptEnd === undefined ? member.keyStart : end, text: '' })
    start = undefined
    keptEnd = member.valueEnd
  }
  if (start !== undefined) edits.push({ start, end, text: '' })
  return edits
}
