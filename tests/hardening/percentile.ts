/**
 * The value that so many of a hundred do not exceed; 0 where there is none.
 *
 * @example
 * percentile([3, 1, 2], 50) // 2
 */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((left, right) => left - right)
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? 0
}
