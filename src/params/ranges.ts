import type { ParamRule } from '../config/sections/params/param-rule.ts'
import { leastNumber } from './least-number.ts'
import type { Names } from './name-tree.ts'

/** The range of a number, from all rules together. */
export interface Range {
  /** The highest of the rules' minima. */
  min: Bound | undefined
  /** The lowest of the rules' maxima: it goes before the minimum. */
  max: Bound | undefined
}

/** The range of one parameter. */
export interface Bounds extends Range {
  readonly names: Names
  /** What is below it is refused, where the range has no minimum: it is no limit to some servers. */
  least: number
}

/** One end of a range, and the rule that has set it. */
export interface Bound {
  readonly rule: number
  readonly value: number
}

/** The ranges of all parameters that rules clamp, by the names that `resolve` gives them; `isCount` tells of what there are at least one. */
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

/** The range that lies within all of them; undefined: there is none. */
export function joinRanges(ranges: readonly Range[]): Range | undefined {
  if (ranges.length === 0) return undefined
  return ranges.reduce((one, { min, max }) => ({
    min: min === undefined ? one.min : higher(one.min, min),
    max: max === undefined ? one.max : lower(one.max, max),
  }))
}

/** Of equal ones the first rule's. */
function higher(one: Bound | undefined, other: Bound): Bound {
  return one !== undefined && one.value >= other.value ? one : other
}

function lower(one: Bound | undefined, other: Bound): Bound {
  return one !== undefined && one.value <= other.value ? one : other
}
