import { isModel } from './name-tree.ts'
import type { Bound, Bounds, Range } from './ranges.ts'
import { belowMinimum, missingParam, notANumber, unsupportedValue } from './refusals.ts'
import type { RulePlan } from './rule-plan.ts'
import {
  assertReachable,
  equals,
  lastOf,
  namesSent,
  numericValueAt,
  parentOf,
  put,
  type RuleRun,
  recordChange,
  valueAt,
} from './rule-run.ts'
import { wordsIn } from './token-caps.ts'

/**
 * Brings all numbers into their ranges, except the caps on tokens (`clampCaps`). Throws `invalid_parameter` for a value that is no
 * number, and for a number that no maximum limits (-1, if nothing says that it may be negative); `rules_not_applicable` if a part
 * of its path is no object. A parameter that is absent or null stays so.
 */
export function clampAll(run: RuleRun, plan: RulePlan): void {
  for (const bounds of plan.bounds) clamp(run, bounds)
  const { counts, tokenCaps } = plan
  if (counts === undefined) return
  for (const word of wordsIn(run, tokenCaps))
    if (counts.words.includes(word)) clamp(run, { ...counts, names: word.names })
}

function clamp(run: RuleRun, bounds: Bounds): void {
  const { names } = bounds
  assertReachable(run, names)
  const value = valueAt(run, names)
  if (value === undefined || value === null) return
  const number = numericValueAt(run, names)
  if (number === undefined) throw notANumber(namesSent(run, names).names, value, (bounds.max ?? bounds.min)?.rule)
  const bound = exceeded(bounds, number)
  if (number < bounds.least) throw belowMinimum(namesSent(run, names).names, number, bounds.least, bounds.max?.rule)
  if (bound === undefined) return
  recordChange(run, { rule: bound.rule, operation: 'clamp', names, before: value, after: bound.value })
  put(run, names, bound.value)
}

/** The bound that a number exceeds; undefined: none. If the two bounds contradict each other, the maximum wins. */
export function exceeded({ min, max }: Range, value: number): Bound | undefined {
  if (max !== undefined && value > max.value) return max
  if (min === undefined || value >= min.value) return undefined
  if (max === undefined || min.value <= max.value) return min
  return value === max.value ? undefined : max
}

/**
 * Judges all values by the rules' lists. Throws `parameter_not_allowed`, or removes the parameter if the rule says `drop`; a model is
 * always refused.
 */
export function checkValues(run: RuleRun, plan: RulePlan): void {
  for (const { rule, names, allowed, isDropped } of plan.values) {
    const value = valueAt(run, names)
    if (value === undefined || value === null || allowed.some((one) => equals(run, names, one))) continue
    if (!isDropped || isModel(names)) throw unsupportedValue(namesSent(run, names).names, value, allowed, rule)
    recordChange(run, { rule, operation: 'values', names, before: value, after: undefined })
    parentOf(run, names)?.remove(lastOf(names))
  }
}

/** Throws `invalid_parameter` if one of the required parameters is absent or null. */
export function checkRequired(run: RuleRun, plan: RulePlan): void {
  for (const { rule, names, written } of plan.required) {
    const value = valueAt(run, names)
    if (value === undefined || value === null) throw missingParam(written, rule)
  }
}
