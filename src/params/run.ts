import { isEqualJson } from '../formats/json/equal.ts'
import { isJsonObject } from '../formats/json/json.ts'
import type { BodyText } from './body-text.ts'
import { isEqualField, numberOfField } from './form-field.ts'
import type { Names } from './name-tree.ts'
import { ObjectDraft, type ParsedObject } from './object-draft.ts'
import { notInAForm, parentNotAnObject, tooManyChanges } from './refusals.ts'

/** What a rule does with a parameter. */
export type Operation = 'deny' | 'allow' | 'rename' | 'drop' | 'defaults' | 'overrides' | 'clamp' | 'values'

/** Something that a rule has done. */
export interface Note {
  /** The rule's number. */
  readonly rule: number
  readonly operation: Operation
  readonly names: Names
  /** The value before; undefined: none. */
  readonly before: unknown
  /** The value after, or of a rename the new name; undefined: none. */
  readonly after: unknown
}

/** One body on its way through the rules. */
export interface Run {
  readonly root: ObjectDraft
  /** undefined: there is none, as of a form, whose fields are all text. */
  readonly text: BodyText | undefined
  readonly isForm: boolean
  /** Whether what is there is still what the caller sent. */
  isFirstPass: boolean
  /** Since the pass began. */
  changeCount: number
  readonly notes: Note[]
  /** What is noted, from the second pass on; undefined: nothing has been looked up. */
  noted: Set<string> | undefined
}

/** Begins the way of a body. */
export function startRun(value: ParsedObject, text: BodyText | undefined, isForm: boolean): Run {
  return { root: new ObjectDraft(value), text, isForm, isFirstPass: true, changeCount: 0, notes: [], noted: undefined }
}

/** More is not taken out of one request: it would keep all others waiting. */
const NOTES_MAX = 10_000

/** Notes each change, in what is told later once for each rule and parameter. Throws `rules_not_applicable` in a form, and for too many. */
export function note(run: Run, done: Note): void {
  if (run.isForm) throw notInAForm(done.names)
  run.changeCount += 1
  if (!run.isFirstPass) {
    run.noted ??= new Set(run.notes.map(keyOf))
    const key = keyOf(done)
    if (run.noted.has(key)) return
    run.noted.add(key)
  }
  if (run.notes.length === NOTES_MAX) throw tooManyChanges(NOTES_MAX)
  run.notes.push(done)
}

function keyOf({ rule, operation, names }: Note): string {
  return `${rule} ${operation} ${names.join('.')}`
}

/** Gives the object that the last name of a path stands in; undefined where it is absent, or is no object. */
export function parentOf(run: Run, names: Names): ObjectDraft | undefined {
  let draft: ObjectDraft | undefined = run.root
  for (let depth = 0; depth < names.length - 1 && draft !== undefined; depth += 1)
    draft = draft.child(names[depth] ?? '')
  return draft
}

/** Gives the value at a path; undefined where there is none. */
export function valueAt(run: Run, names: Names): unknown {
  return parentOf(run, names)?.get(lastOf(names))
}

/** Throws `rules_not_applicable` where something on the way to a path is there and is no object. Null counts as absent. */
export function assertReachable(run: Run, names: Names): void {
  let draft: ObjectDraft | undefined = run.root
  for (let depth = 0; depth < names.length - 1 && draft !== undefined; depth += 1) {
    const value = draft.get(names[depth] ?? '')
    if (value !== undefined && value !== null && !isJsonObject(value)) throw parentNotAnObject(names, depth + 1)
    draft = draft.child(names[depth] ?? '')
  }
}

/** Puts a value at a path, with the objects on the way to it where they are missing or null. */
export function put(run: Run, names: Names, value: unknown): void {
  let draft = run.root
  for (const name of names.slice(0, -1)) {
    if (draft.child(name) === undefined) draft.set(name, {})
    draft = draft.child(name) ?? draft
  }
  draft.set(lastOf(names), value)
}

/**
 * Whether what is at a path equals a value of a rule's, also to a reader that takes the first of two equal names. A form's
 * text equals what it would be as JSON.
 */
export function equals(run: Run, names: Names, expected: unknown): boolean {
  const value = valueAt(run, names)
  if (run.isForm) return isEqualField(value, expected)
  if (!isEqualJson(value, expected)) return false
  if (typeof value !== 'object' || value === null || run.text === undefined) return true
  const sent = namesSent(run, names)
  return !sent.isAsSent || run.text.isPlain(sent.names)
}

/** Gives the number at a path, in a form also one that is spelt out; undefined where there is something else. */
export function numberAt(run: Run, names: Names): number | undefined {
  const value = valueAt(run, names)
  if (typeof value === 'number') return value
  return run.isForm && typeof value === 'string' ? numberOfField(value) : undefined
}

/** A path by the names that the caller gave it, and whether what is there has come from the caller. */
export interface SentNames {
  readonly names: Names
  readonly isAsSent: boolean
}

/** Finds out what the caller calls a path; a name that was put in is called what it is. */
export function namesSent(run: Run, names: Names): SentNames {
  let draft: ObjectDraft | undefined = run.root
  let isAsSent = true
  const sent: string[] = []
  for (const name of names) {
    const nameSent: string | undefined = isAsSent ? draft?.nameSent(name) : undefined
    sent.push(nameSent ?? name)
    isAsSent &&= nameSent !== undefined && draft?.isAsSent(name) === true
    draft = draft?.child(name)
  }
  return { names: sent, isAsSent }
}

/** The last name of a path. */
export function lastOf(names: Names): string {
  return names.at(-1) ?? ''
}
