import type { ParamRule } from '../config/sections/params/param-rule.ts'
import { foldName } from '../formats/json/fold-name.ts'
import type { Names } from './name-tree.ts'

/** The range of a number, from all rules together. */
export interface Range {
  /** The highest of the rules' minima. */
  min: Bound | undefined
  /** The lowest of the rules' maxima: it wins against the minimum. */
  max: Bound | undefined
}

/** The range of one parameter. */
export interface Bounds extends Range {
  readonly names: Names
  /** A lower number is refused if the range has no minimum: some servers take it for no limit. */
  least: number
}

/** One end of a range, and the rule that set it. */
export interface Bound {
  readonly rule: number
  readonly value: number
}

/**
 * The ranges of all parameters that rules clamp, by the names that `resolve` gives them; `isCount`: whether a parameter counts
 * something.
 */
export function boundsOf(
  rules: readonly ParamRule[],
  resolve: (path: string) => Names,
  isCount: (names: Names) => boolean,
): Bounds[] {
  const joined = new Map<string, Bounds>()
  for (const { number: rule, clamp } of rules) {
    for (const [path, { min, max }] of Object.entries(clamp)) {
      const names = resolve(path)
      const key = JSON.stringify(names)
      const bounds = joined.get(key) ?? { names, min: undefined, max: undefined, least: -Infinity }
      joined.set(key, bounds)
      if (min !== undefined) bounds.min = higher(bounds.min, { rule, value: min })
      if (max !== undefined) bounds.max = lower(bounds.max, { rule, value: max })
    }
  }
  for (const bounds of joined.values()) {
    const { names, min, max } = bounds
    const least = leastNumber(names, isCount(names))
    if (max !== undefined && min === undefined && max.value >= least) bounds.least = least
  }
  return [...joined.values()]
}

/** The range that lies within all given ones; undefined: none is given. */
export function joinRanges(ranges: readonly Range[]): Range | undefined {
  if (ranges.length === 0) return undefined
  return ranges.reduce((one, { min, max }) => ({
    min: min === undefined ? one.min : higher(one.min, min),
    max: max === undefined ? one.max : lower(one.max, max),
  }))
}

/** The higher bound; of two equal ones the first. */
function higher(one: Bound | undefined, other: Bound): Bound {
  return one !== undefined && one.value >= other.value ? one : other
}

function lower(one: Bound | undefined, other: Bound): Bound {
  return one !== undefined && one.value <= other.value ? one : other
}

/** Parameters that may be negative, as `foldName` gives their names. */
const SIGNED: ReadonlySet<string> = new Set(['frequencypenalty', 'presencepenalty', 'logitbias', 'seed'])

/**
 * The least number that a maximum allows if the range has no minimum: many servers take a lower one (`-1`) for "no limit".
 * `isCount`: the parameter counts something, and 0 is no count either.
 *
 * @example
 * leastNumber(['top_logprobs'], false) // 0
 */
export function leastNumber(names: Names, isCount: boolean): number {
  if (names.some((name) => SIGNED.has(foldName(name)))) return -Infinity
  return isCount ? 1 : 0
}
