import { median } from './median.ts'

/** One load or figure of memory: a list of values for each target, in the order of the rounds. */
export interface ComparisonRow {
  readonly name: string
  readonly unit: string
  readonly values: Readonly<Record<string, readonly number[]>>
}

/** Everything that a comparison found. */
export interface Comparison {
  readonly targets: readonly string[]
  readonly rounds: number
  readonly seconds: number
  readonly rows: ComparisonRow[]
}

const format = (value: number): string => value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2)

/** The median of the rounds' ratios, each made within its round; NaN where one of the two lacks a round. */
export function ratioOfRounds(values: readonly number[], base: readonly number[]): number {
  if (values.length !== base.length) return Number.NaN
  return median(values.map((value, round) => value / (base[round] ?? Number.NaN)))
}

/** The ratio of the least values: a busy neighbour on the machine only ever adds. */
export function ratioOfLeast(values: readonly number[], base: readonly number[]): number {
  return Math.min(...values) / Math.min(...base)
}

function renderCell(values: readonly number[] | undefined, base: readonly number[] | undefined): string {
  if (values === undefined || values.length === 0) return '–'
  const spread =
    values.length === 1 ? format(median(values)) : `${format(Math.min(...values))} ${format(median(values))}`
  const ratio = base === undefined || base === values ? Number.NaN : ratioOfRounds(values, base)
  return Number.isNaN(ratio) ? spread : `${spread} ${ratio.toFixed(2)}×`
}

/** The least and the median of each load and target, and the median of the rounds' ratios to the first target, as aligned text. */
export function renderComparison({ targets, rounds, seconds, rows }: Comparison): string {
  const [first = ''] = targets
  const lines = [
    ['load', 'unit', ...targets],
    ...rows.map(({ name, unit, values }) => [
      name,
      unit,
      ...targets.map((target) => renderCell(values[target], unit === '+MB' ? undefined : values[first])),
    ]),
  ]
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? []
  const table = lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  const method = `${rounds} interleaved rounds of ${seconds} s: least, median, median of the rounds' ratios to ${first}`
  return `${method}\n${table.join('\n')}\n`
}
