import type { Names } from './name-tree.ts'
import type { Plan, Setting } from './plan.ts'
import type { Move } from './renames.ts'
import { assertReachable, equals, lastOf, note, parentOf, put, type Run, valueAt } from './run.ts'
import { type TokenCaps, wordsIn } from './token-caps.ts'

/**
 * Does all renames, again and again until no old name is left: so a chain ends with its last name in any order of the rules.
 *
 * Where both names are there, the new one's value stays and the old one goes; a null counts as absent.
 */
export function renameAll(run: Run, { renames: { moves } }: Plan): void {
  for (let round = 0; round < moves.length; round += 1) {
    const done = moves.map((move) => renameOne(run, move))
    if (!done.includes(true)) return
  }
}

function renameOne(run: Run, { rule, parent, from, to }: Move): boolean {
  const object = parentOf(run, [...parent, from])
  const value = object?.get(from)
  if (object === undefined || value === undefined) return false
  const taken = object.get(to) ?? null
  const names = [...parent, from]
  if (taken === null && (value !== null || object.get(to) === undefined)) {
    note(run, { rule, operation: 'rename', names, before: value, after: to })
    object.rename(from, to)
  } else {
    note(run, { rule, operation: 'rename', names, before: value, after: undefined })
    object.remove(from)
  }
  return true
}

/**
 * Does all `drop`, `defaults` and `overrides`, in order. Throws `rules_not_applicable` where something would have to be put
 * into what is no object.
 */
export function settleAll(run: Run, plan: Plan): void {
  for (const setting of plan.settings) {
    if (setting.operation === 'drop') drop(run, setting)
    else if (setting.operation === 'defaults') putDefault(run, setting, plan.tokenCaps)
    else override(run, setting, plan.tokenCaps)
  }
}

function drop(run: Run, { rule, operation, names }: Setting): void {
  const parent = parentOf(run, names)
  const before = parent?.get(lastOf(names))
  if (parent === undefined || before === undefined) return
  note(run, { rule, operation, names, before, after: undefined })
  parent.remove(lastOf(names))
}

/** A null counts as absent, and of the token caps any one is enough that is one for certain. */
function putDefault(run: Run, { rule, operation, names, value, isTokenCap }: Setting, { certain }: TokenCaps): void {
  if (isTokenCap && certain.some((name) => isThere(run.root.get(name)))) return
  assertReachable(run, names)
  const before = valueAt(run, names)
  if (isThere(before) || before === value) return
  note(run, { rule, operation, names, before, after: value })
  put(run, names, value)
}

/** Of the token caps all that are there get the value; the named one also where none of them is one for certain. */
function override(run: Run, setting: Setting, tokenCaps: TokenCaps): void {
  if (!setting.isTokenCap) {
    overrideAt(run, setting, setting.names)
    return
  }
  for (const { kind, names } of wordsIn(run, tokenCaps)) if (kind === 'cap') overrideAt(run, setting, names)
  if (!tokenCaps.certain.some((name) => isThere(run.root.get(name)))) overrideAt(run, setting, setting.names)
}

function overrideAt(run: Run, { rule, operation, value }: Setting, path: Names): void {
  assertReachable(run, path)
  if (equals(run, path, value)) return
  note(run, { rule, operation, names: path, before: valueAt(run, path), after: value })
  put(run, path, value)
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null
}
