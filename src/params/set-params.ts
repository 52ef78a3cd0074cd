import type { Names } from './name-tree.ts'
import type { Move } from './renames.ts'
import type { RulePlan, Setting } from './rule-plan.ts'
import { assertReachable, equals, lastOf, parentOf, put, type RuleRun, recordChange, valueAt } from './rule-run.ts'
import { type TokenCaps, wordsIn } from './token-caps.ts'

/**
 * Does all renames, and repeats them until no old name is left: so a chain ends with its last name in any order of the rules.
 *
 * If both names are present, the new name keeps its value and the old one is removed; null counts as absent.
 */
export function renameAll(run: RuleRun, { renames: { moves } }: RulePlan): void {
  for (let round = 0; round < moves.length; round += 1) {
    const done = moves.map((move) => renameOne(run, move))
    if (!done.includes(true)) return
  }
}

function renameOne(run: RuleRun, { rule, parent, from, to }: Move): boolean {
  const object = parentOf(run, [...parent, from])
  const value = object?.get(from)
  if (object === undefined || value === undefined) return false
  const taken = object.get(to) ?? null
  const names = [...parent, from]
  if (taken === null && (value !== null || object.get(to) === undefined)) {
    recordChange(run, { rule, operation: 'rename', names, before: value, after: to })
    object.rename(from, to)
  } else {
    recordChange(run, { rule, operation: 'rename', names, before: value, after: undefined })
    object.remove(from)
  }
  return true
}

/**
 * Does all `drop`, `defaults` and `overrides`, in order. Throws `rules_not_applicable` if a parameter would have to be set within a value
 * that is no object.
 */
export function setParams(run: RuleRun, plan: RulePlan): void {
  for (const setting of plan.settings) {
    if (setting.operation === 'drop') drop(run, setting)
    else if (setting.operation === 'defaults') putDefault(run, setting, plan.tokenCaps)
    else override(run, setting, plan.tokenCaps)
  }
}

function drop(run: RuleRun, { rule, operation, names }: Setting): void {
  const parent = parentOf(run, names)
  const before = parent?.get(lastOf(names))
  if (parent === undefined || before === undefined) return
  recordChange(run, { rule, operation, names, before, after: undefined })
  parent.remove(lastOf(names))
}

/** Sets a default. Null counts as absent; a default of a token cap is not set if any certain cap is present. */
function putDefault(
  run: RuleRun,
  { rule, operation, names, value, isTokenCap }: Setting,
  { certain }: TokenCaps,
): void {
  if (isTokenCap && certain.some((name) => isThere(run.root.get(name)))) return
  assertReachable(run, names)
  const before = valueAt(run, names)
  if (isThere(before) || before === value) return
  recordChange(run, { rule, operation, names, before, after: value })
  put(run, names, value)
}

/** Sets a value. An override of a token cap sets all caps that are present, and its own word if no certain one is. */
function override(run: RuleRun, setting: Setting, tokenCaps: TokenCaps): void {
  if (!setting.isTokenCap) {
    overrideAt(run, setting, setting.names)
    return
  }
  for (const { kind, names } of wordsIn(run, tokenCaps)) if (kind === 'cap') overrideAt(run, setting, names)
  if (!tokenCaps.certain.some((name) => isThere(run.root.get(name)))) overrideAt(run, setting, setting.names)
}

function overrideAt(run: RuleRun, { rule, operation, value }: Setting, path: Names): void {
  assertReachable(run, path)
  if (equals(run, path, value)) return
  recordChange(run, { rule, operation, names: path, before: valueAt(run, path), after: value })
  put(run, path, value)
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null
}
