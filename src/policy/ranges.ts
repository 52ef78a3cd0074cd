import type { ParamRule } from '../config/param-rule.ts'
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
}

/** One end of a range, and the rule that has set it. */
export interface Bound {
  readonly rule: number
  readonly value: number
}

/** The ranges of all parameters that rules clamp, by the names that `resolve` gives them. */
export function boundsOf(rules: readonly ParamRule[], resolve: (path: string) => Names): Bounds[] {
  const joined = new Map<string, Bounds>()
  for (const { number: rule, clamp } of rules) {
    for (const [path, { min, max }] of Object.entries(clamp)) {
      const names = resolve(path)
      const key = JSON.stringify(names)
      const bounds = joined.get(key) ?? { names, min: undefined, max: undefined }
      joined.set(key, bounds)
      if (min !== undefined) bounds.min = higher(bounds.min, { rule, value: min })
      if (max !== undefined) bounds.max = lower(bounds.max, { rule, value: max })
    }
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
