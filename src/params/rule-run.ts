import { isEqualJson } from '../formats/json/equal.ts'
import { isJsonObject } from '../formats/json/json.ts'
import type { BodyText } from './body-text.ts'
import { EditedObject, type ParsedObject } from './edited-object.ts'
import { isEqualField, numberOfField } from './form-fields.ts'
import type { Names } from './name-tree.ts'
import { notInAForm, parentNotAnObject, tooManyChanges } from './refusals.ts'

/** An operation of a rule on a parameter. */
export type RuleOperation = 'deny' | 'allow' | 'rename' | 'drop' | 'defaults' | 'overrides' | 'clamp' | 'values'

/** A change that a rule has made. */
export interface ParamChange {
  /** The rule's number. */
  readonly rule: number
  readonly operation: RuleOperation
  readonly names: Names
  /** The value before; undefined: none. */
  readonly before: unknown
  /** The value after, or the new name of a rename; undefined: none. */
  readonly after: unknown
}

/** One body on its way through the rules. */
export interface RuleRun {
  readonly root: EditedObject
  /** undefined: a form, whose fields are all text. */
  readonly text: BodyText | undefined
  readonly isForm: boolean
  /** Whether the values are still those that the caller sent. */
  isFirstPass: boolean
  /** The changes since the pass began. */
  changeCount: number
  readonly changes: ParamChange[]
  /** The keys of `changes`, from the second pass on; undefined: not needed yet. */
  recordedKeys: Set<string> | undefined
}

/** Starts the run of a body. */
export function startRun(value: ParsedObject, text: BodyText | undefined, isForm: boolean): RuleRun {
  return {
    root: new EditedObject(value),
    text,
    isForm,
    isFirstPass: true,
    changeCount: 0,
    changes: [],
    recordedKeys: undefined,
  }
}

/** The most changes that are made to one request: more would keep all others waiting. */
const CHANGES_MAX = 10_000

/** Records a change, once for each rule and parameter. Throws `rules_not_applicable` in a form, and for too many changes. */
export function recordChange(run: RuleRun, change: ParamChange): void {
  if (run.isForm) throw notInAForm(change.names)
  run.changeCount += 1
  if (!run.isFirstPass) {
    run.recordedKeys ??= new Set(run.changes.map(keyOf))
    const key = keyOf(change)
    if (run.recordedKeys.has(key)) return
    run.recordedKeys.add(key)
  }
  if (run.changes.length === CHANGES_MAX) throw tooManyChanges(CHANGES_MAX)
  run.changes.push(change)
}

function keyOf({ rule, operation, names }: ParamChange): string {
  return `${rule} ${operation} ${names.join('.')}`
}

/** Gives the object that holds the last name of a path; undefined: it is absent, or no object. */
export function parentOf(run: RuleRun, names: Names): EditedObject | undefined {
  let object: EditedObject | undefined = run.root
  for (let depth = 0; depth < names.length - 1 && object !== undefined; depth += 1)
    object = object.child(names[depth] ?? '')
  return object
}

/** Gives the value at a path; undefined: there is none. */
export function valueAt(run: RuleRun, names: Names): unknown {
  return parentOf(run, names)?.get(lastOf(names))
}

/** Throws `rules_not_applicable` if a value on the way to a path is present and is no object. Null counts as absent. */
export function assertReachable(run: RuleRun, names: Names): void {
  let object: EditedObject | undefined = run.root
  for (let depth = 0; depth < names.length - 1 && object !== undefined; depth += 1) {
    const value = object.get(names[depth] ?? '')
    if (value !== undefined && value !== null && !isJsonObject(value)) throw parentNotAnObject(names, depth + 1)
    object = object.child(names[depth] ?? '')
  }
}

/** Puts a value at a path, with the objects on the way to it if they are missing or null. */
export function put(run: RuleRun, names: Names, value: unknown): void {
  let object = run.root
  for (const name of names.slice(0, -1)) {
    if (object.child(name) === undefined) object.set(name, {})
    object = object.child(name) ?? object
  }
  object.set(lastOf(names), value)
}

/**
 * Whether the value at a path equals a rule's value, also to a reader that takes the first of two equal names. A form's text equals the
 * JSON that it spells.
 */
export function equals(run: RuleRun, names: Names, expected: unknown): boolean {
  const value = valueAt(run, names)
  if (run.isForm) return isEqualField(value, expected)
  if (!isEqualJson(value, expected)) return false
  if (typeof value !== 'object' || value === null || run.text === undefined) return true
  const sent = namesSent(run, names)
  return !sent.isAsSent || run.text.isPlain(sent.names)
}

/** Gives the number at a path, in a form also one that a text spells; undefined: something else. */
export function numericValueAt(run: RuleRun, names: Names): number | undefined {
  const value = valueAt(run, names)
  if (typeof value === 'number') return value
  return run.isForm && typeof value === 'string' ? numberOfField(value) : undefined
}

/** A path in the caller's names, and whether the value there is the caller's. */
export interface SentNames {
  readonly names: Names
  readonly isAsSent: boolean
}

/** Finds a path in the caller's names; a name that a rule has set stays as it is. */
export function namesSent(run: RuleRun, names: Names): SentNames {
  let object: EditedObject | undefined = run.root
  let isAsSent = true
  const sent: string[] = []
  for (const name of names) {
    const nameSent: string | undefined = isAsSent ? object?.nameSent(name) : undefined
    sent.push(nameSent ?? name)
    isAsSent &&= nameSent !== undefined && object?.isAsSent(name) === true
    object = object?.child(name)
  }
  return { names: sent, isAsSent }
}

/** The last name of a path. */
export function lastOf(names: Names): string {
  return names.at(-1) ?? ''
}
