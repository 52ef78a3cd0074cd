import { isModel } from './name-tree.ts'
import type { Plan } from './plan.ts'
import type { Bound, Bounds, Range } from './ranges.ts'
import { belowMinimum, missing, notANumber, unsupportedValue } from './refusals.ts'
import { assertReachable, equals, lastOf, namesSent, note, numberAt, parentOf, put, type Run, valueAt } from './run.ts'
import { wordsIn } from './token-caps.ts'

/**
 * Brings all numbers into their ranges, but for the caps on tokens (`clampCaps`). Throws `invalid_parameter` for what should be a number and is none, and for
 * one that no maximum holds (-1, where nothing says that it may be negative); `rules_not_applicable` where something on the way to it is no object. What is absent or null stays so.
 */
export function clampAll(run: Run, plan: Plan): void {
  for (const bounds of plan.bounds) clamp(run, bounds)
  const { counts, tokenCaps } = plan
  if (counts === undefined) return
  for (const word of wordsIn(run, tokenCaps))
    if (counts.words.includes(word)) clamp(run, { ...counts, names: word.names })
}

function clamp(run: Run, bounds: Bounds): void {
  const { names } = bounds
  assertReachable(run, names)
  const value = valueAt(run, names)
  if (value === undefined || value === null) return
  const number = numberAt(run, names)
  if (number === undefined) throw notANumber(namesSent(run, names).names, value, (bounds.max ?? bounds.min)?.rule)
  const bound = exceeded(bounds, number)
  if (number < bounds.least) throw belowMinimum(namesSent(run, names).names, number, bounds.least, bounds.max?.rule)
  if (bound === undefined) return
  note(run, { rule: bound.rule, operation: 'clamp', names, before: value, after: bound.value })
  put(run, names, bound.value)
}

/** The end of a range that a number is beyond. A maximum is never given up for a minimum: where they contradict each other, it is what remains. */
export function exceeded({ min, max }: Range, value: number): Bound | undefined {
  if (max !== undefined && value > max.value) return max
  if (min === undefined || value >= min.value) return undefined
  if (max === undefined || min.value <= max.value) return min
  return value === max.value ? undefined : max
}

/** Judges all values by the rules' lists. Throws `parameter_not_allowed`, or removes the parameter where the rule says `drop`; a model is always refused. */
export function checkValues(run: Run, plan: Plan): void {
  for (const { rule, names, allowed, isDropped } of plan.choices) {
    const value = valueAt(run, names)
    if (value === undefined || value === null || allowed.some((one) => equals(run, names, one))) continue
    if (!isDropped || isModel(names)) throw unsupportedValue(namesSent(run, names).names, value, allowed, rule)
    note(run, { rule, operation: 'values', names, before: value, after: undefined })
    parentOf(run, names)?.remove(lastOf(names))
  }
}

/** Throws `invalid_parameter` where one of the required parameters is absent or null. */
export function checkRequired(run: Run, plan: Plan): void {
  for (const { rule, names, written } of plan.required) {
    const value = valueAt(run, names)
    if (value === undefined || value === null) throw missing(written, rule)
  }
}
