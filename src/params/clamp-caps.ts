import { exceeded } from './check-params.ts'
import type { Names } from './name-tree.ts'
import type { Bound, Range } from './ranges.ts'
import { belowMinimum, notANumber, tooManyAnswers } from './refusals.ts'
import type { RulePlan } from './rule-plan.ts'
import { namesSent, numericValueAt, put, type RuleRun, recordChange, valueAt } from './rule-run.ts'
import { type CapWord, PROMPT_LISTS, wordsIn } from './token-caps.ts'

/** The number of answers that a request asks for, and the parameter that says so. */
interface Answers {
  readonly count: number
  readonly names: Names
}

/**
 * Brings all caps on tokens of a body into the range of the rules. The maximum is for all answers together: with `n`, `best_of` and lists
 * of prompts, each answer gets its share.
 *
 * Throws `invalid_parameter` for a value that is no number, and for a number that some servers take for no cap (-1, 0);
 * `parameter_not_allowed` if there is not one token for each answer.
 */
export function clampCaps(run: RuleRun, { capRange, tokenCaps }: RulePlan): void {
  if (capRange === undefined) return
  const words = wordsIn(run, tokenCaps)
  if (!words.some(({ kind }) => kind !== 'count')) return
  const { max } = capRange
  const answers = max === undefined ? undefined : answersOf(run, words, max)
  const limit = answers === undefined || max === undefined ? max : shareOf(max, answers)
  for (const word of words) if (word.kind !== 'count') clamp(run, word, { min: capRange.min, max: limit })
}

function clamp(run: RuleRun, { kind, names }: CapWord, { min, max }: Range): void {
  const value = valueAt(run, names)
  const number = numericValueAt(run, names)
  const rule = (max ?? min)?.rule
  if (number === undefined) throw notANumber(namesSent(run, names).names, value, rule)
  const bound = exceeded({ min: kind === 'cap' ? min : undefined, max }, number)
  const result = bound?.value ?? number
  const least = kind === 'cap' ? 1 : 0
  if (max !== undefined && result < least) throw belowMinimum(namesSent(run, names).names, number, least, rule)
  if (bound === undefined) return
  recordChange(run, { rule: bound.rule, operation: 'clamp', names, before: value, after: bound.value })
  put(run, names, bound.value)
}

function shareOf(max: Bound, { count, names }: Answers): Bound {
  if (count === 1) return max
  const value = Math.floor(max.value / count)
  if (value < 1) throw tooManyAnswers(names, count, max)
  return { rule: max.rule, value }
}

/** A server reads one of the words for the number of answers: the highest number is the most that it can send. */
function answersOf(run: RuleRun, words: readonly CapWord[], { rule }: Bound): Answers {
  let each: Answers = { count: 1, names: ['n'] }
  for (const { kind, names } of words) {
    if (kind !== 'count') continue
    const number = numericValueAt(run, names)
    if (number === undefined) throw notANumber(namesSent(run, names).names, valueAt(run, names), rule)
    if (number < 1) throw belowMinimum(namesSent(run, names).names, number, 1, rule)
    if (number > each.count) each = { count: Math.ceil(number), names }
  }
  let prompts: Answers = { count: 1, names: each.names }
  for (const name of PROMPT_LISTS) {
    const count = promptsIn(name, run.root.get(name))
    if (count > prompts.count) prompts = { count, names: [name] }
  }
  const { names } = each.count > 1 ? each : prompts
  return { count: each.count * prompts.count, names }
}

/** A list of numbers is one prompt in tokens, and a list of messages is one conversation. */
function promptsIn(name: string, value: unknown): number {
  if (!Array.isArray(value)) return 1
  const isOne = name === 'messages' ? !Array.isArray(value[0]) : value.every((item) => typeof item === 'number')
  return isOne ? 1 : value.length
}
