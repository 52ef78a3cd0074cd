import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { median } from '../median.ts'
import { DIRECT, type Results } from '../results.ts'
import { type Bar, renderChart } from './chart.ts'
import { compare, valuesOf } from './figures.ts'
import { CHARTS, renderMarkdown } from './markdown.ts'

const OURS = 'nexcode'
const BENCH = join(import.meta.dir, '..')

function barsOf(results: Results, chart: (typeof CHARTS)[number]): Bar[] {
  const { figure } = chart
  const scenario = results.scenarios.find(({ name }) => name === chart.scenario)
  return results.gateways.flatMap(({ name, footprint }) => {
    const values =
      figure === undefined
        ? [footprint.loadedBytes / 1e6]
        : 'isAdded' in chart
          ? compare(scenario, [name, figure], DIRECT, (value, other) => value - other)
          : valuesOf(scenario, name, figure)
    if (values.length === 0) return []
    const bar = { label: name, value: median(values), isOurs: name === OURS }
    return [{ ...bar, range: [Math.min(...values), Math.max(...values)] as const }]
  })
}

/** Writes `bench/results.md`, `results.json` and the charts, and says which files those are. */
export function writeReport(results: Results): string[] {
  const charts = join(BENCH, 'charts')
  rmSync(charts, { recursive: true, force: true })
  mkdirSync(charts, { recursive: true })
  const note = `Median of ${results.rounds} round${results.rounds === 1 ? '' : 's'}; the line spans the least and the largest. ${results.machine}.`
  for (const chart of CHARTS) {
    const bars = barsOf(results, chart)
    if (bars.length > 0) writeFileSync(join(charts, `${chart.file}.svg`), renderChart(chart.title, note, bars))
  }
  writeFileSync(join(BENCH, 'results.json'), `${JSON.stringify(results, null, 2)}\n`)
  writeFileSync(join(BENCH, 'results.md'), renderMarkdown(results))
  return ['bench/results.md', 'bench/results.json', 'bench/charts/']
}
