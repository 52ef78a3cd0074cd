import { median } from '../median.ts'
import type { Sample, ScenarioResult } from '../results.ts'

/** Which number of a sample. */
export type Figure = (sample: Sample) => number

const dash = '–'

/** A number with about three digits that matter. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return dash
  const size = Math.abs(value)
  if (size >= 100) return Math.round(value).toLocaleString('en-US')
  return value.toFixed(size >= 10 ? 1 : size >= 1 ? 2 : 3)
}

/** The median of some values, with the least and the largest behind it where there are several. */
export function formatSpread(values: readonly number[]): string {
  if (values.length === 0) return dash
  const middle = formatNumber(median(values))
  if (values.length === 1) return middle
  return `${middle} (${formatNumber(Math.min(...values))}–${formatNumber(Math.max(...values))})`
}

/** A figure in every round of one target. */
export function valuesOf(scenario: ScenarioResult | undefined, target: string, figure: Figure): number[] {
  return (scenario?.samples[target] ?? []).map(figure)
}

/** One target's figure beside another's, round by round: `combine` says how. */
export function compare(
  scenario: ScenarioResult | undefined,
  [target, figure]: readonly [string, Figure],
  base: string,
  combine: (value: number, other: number) => number,
  baseScenario = scenario,
): number[] {
  const others = valuesOf(baseScenario, base, figure)
  const values = valuesOf(scenario, target, figure)
  // A round that one of them lacks can't be compared.
  if (others.length !== values.length) return []
  return values.map((value, round) => combine(value, others[round] ?? Number.NaN))
}

/** How many times the other one's value the median round shows. */
export function formatRatio(values: readonly number[]): string {
  return values.length === 0 ? dash : `${formatNumber(median(values))}×`
}
