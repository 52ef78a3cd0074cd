import { median } from '../median.ts'
import { DIRECT, type MeasuredGateway, type Results, type Sample, type ScenarioResult } from '../results.ts'
import { compare, formatNumber, formatRatio, formatSpread, valuesOf } from './figures.ts'

const FLOOR = 'bun'
const LIMIT = 'nginx'
const MB = 1e6

const cpu = (sample: Sample) => sample.cpu
const perSecond = (sample: Sample) => sample.perSecond
const p50 = (sample: Sample) => sample.p50Ms
const p99 = (sample: Sample) => sample.p99Ms
const divide = (value: number, other: number) => value / other
const subtract = (value: number, other: number) => value - other

function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, column) => (column === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}

function countFailures(samples: readonly Sample[]): string {
  const tried = samples.reduce((sum, sample) => sum + sample.tried, 0)
  const failed = samples.reduce((sum, sample) => sum + sample.failed, 0)
  return `${failed.toLocaleString('en-US')} of ${tried.toLocaleString('en-US')}`
}

function requestRow(name: string, scenario: ScenarioResult, base: ScenarioResult): string[] {
  const show = (figure: typeof cpu) => formatSpread(valuesOf(scenario, name, figure))
  const ratio = (figure: typeof cpu, other: string) =>
    formatRatio(compare(scenario, [name, figure], other, divide, base))
  const added = (figure: typeof cpu) =>
    name === DIRECT ? '–' : formatSpread(compare(scenario, [name, figure], DIRECT, subtract, base))
  return [
    name,
    show(cpu),
    ratio(cpu, FLOOR),
    ratio(cpu, LIMIT),
    show(perSecond),
    ratio(perSecond, LIMIT),
    ratio(perSecond, DIRECT),
    added(p50),
    added(p99),
    show(p50),
    show(p99),
    countFailures(scenario.samples[name] ?? []),
  ]
}

const REQUEST_HEAD = [
  'target',
  'CPU ms/request',
  '÷ bun',
  '÷ nginx',
  'requests/s',
  '÷ nginx',
  '÷ direct',
  'added p50 ms',
  'added p99 ms',
  'p50 ms',
  'p99 ms',
  'failed',
]

function streamRow(name: string, scenario: ScenarioResult): string[] {
  const ratio = (figure: typeof cpu, other: string) => formatRatio(compare(scenario, [name, figure], other, divide))
  const samples = scenario.samples[name] ?? []
  return [
    name,
    formatSpread(valuesOf(scenario, name, cpu)),
    ratio(cpu, FLOOR),
    ratio(cpu, LIMIT),
    formatSpread(valuesOf(scenario, name, perSecond)),
    ratio(perSecond, LIMIT),
    ratio(perSecond, DIRECT),
    formatSpread(valuesOf(scenario, name, p50)),
    formatSpread(valuesOf(scenario, name, p99)),
    String(median(samples.map((sample) => sample.openMax ?? 0))),
    countFailures(samples),
  ]
}

const STREAM_HEAD = [
  'target',
  'CPU µs/chunk',
  '÷ bun',
  '÷ nginx',
  'chunks/s',
  '÷ nginx',
  '÷ direct',
  'first event p50 ms',
  'first event p99 ms',
  'open at once',
  'incomplete',
]

function renderScenario(results: Results, scenario: ScenarioResult): string {
  const base = results.scenarios.find(({ name }) => name === scenario.comparedWith) ?? scenario
  const names = Object.keys(scenario.samples)
  const order = [DIRECT, ...results.gateways.map(({ name }) => name)].filter((name) => names.includes(name))
  const table =
    scenario.unit === 'chunk'
      ? renderTable(
          STREAM_HEAD,
          order.map((name) => streamRow(name, scenario)),
        )
      : renderTable(
          REQUEST_HEAD,
          order.map((name) => requestRow(name, scenario, base)),
        )
  const note = base === scenario ? '' : renderBaseNote(scenario, base, order)
  return `### ${scenario.title} (\`${scenario.name}\`)\n${note}\n${table}\n`
}

/** What a scenario's ratios are to, where that is another one's figures, and how it compares with the gateway's own there. */
function renderBaseNote(scenario: ScenarioResult, base: ScenarioResult, names: readonly string[]): string {
  const own = names.map((name) => `${name} ${formatRatio(compare(scenario, [name, cpu], name, divide, base))}`)
  return `\nRatios and added latency are to the others' figures in “${base.title}”. CPU to its own there: ${own.join(', ')}.\n`
}

/** The CPU of each gateway against the bare proxy's, a line for each scenario that the proxy took part in. */
function renderOverview(scenarios: readonly ScenarioResult[], gateways: readonly MeasuredGateway[]): string {
  const names = gateways.map(({ name }) => name).filter((name) => name !== FLOOR)
  const rows = scenarios
    .filter(({ samples }) => samples[FLOOR] !== undefined)
    .map((scenario) => [
      scenario.title,
      ...names.map((name) => formatRatio(compare(scenario, [name, cpu], FLOOR, divide))),
    ])
  return renderTable([`CPU ÷ ${FLOOR}`, ...names], rows)
}

function formatAdded(bytes: number | undefined): string {
  return bytes === undefined ? '–' : formatNumber(bytes / MB)
}

function footprintRow({ name, footprint }: MeasuredGateway): string[] {
  const { coldStartMs, idleBytes, loadedBytes, binaryBytes, idleAddedBytes } = footprint
  return [
    name,
    `${formatSpread(coldStartMs)}, ${coldStartMs.length} starts`,
    formatNumber(idleBytes / MB),
    formatNumber(loadedBytes / MB),
    formatAdded(idleAddedBytes.connections),
    formatAdded(idleAddedBytes.streams),
    binaryBytes === undefined ? '–' : formatNumber(binaryBytes / MB),
  ]
}

const isMeasured = ({ samples }: ScenarioResult) => Object.keys(samples).length > 0

/** The whole report as Markdown. */
export function renderMarkdown(results: Results): string {
  const { gateways, skipped } = results
  const scenarios = results.scenarios.filter(isMeasured)
  return `# Results

Written by \`npm run bench\` on ${results.date.slice(0, 10)}, on ${results.machine}: ${results.rounds} interleaved
round${results.rounds === 1 ? '' : 's'} of ${results.seconds} s for each figure. Each cell is the median of the rounds with the least and the largest behind it;
ratios are medians of the rounds' ratios, each within its round. CPU is that of the whole process tree, and the steadiest figure;
\`direct\` is the mock upstream with nothing in between, with its own CPU. How it is measured: [README.md](README.md).
${results.isQuick ? '\n**A quick run: good to see that everything works, not to judge by.**\n' : ''}
## What was measured

${renderTable(
  ['gateway', 'version', 'settings'],
  gateways.map(({ name, version, settings }) => [name, version, settings]),
).replaceAll('---:', '---')}
${skipped.length === 0 ? '' : `\nNot measured:\n\n${skipped.map((line) => `- ${line}`).join('\n')}\n`}
${renderChartLinks(results)}
## At a glance

How many times the CPU of the bare Bun proxy each request or chunk takes, in the same rounds.

${renderOverview(scenarios, gateways)}

## Figures

${scenarios.map((scenario) => renderScenario(results, scenario)).join('\n')}
### Start and memory

Cold start: from the start of the process to its first 200, files in the page cache. RSS is the sum over the process tree;
what a thousand idle connections or streams add is measured with a gateway of its own, started anew and warmed up.

${renderTable(FOOTPRINT_HEAD, gateways.map(footprintRow))}
`
}

const FOOTPRINT_HEAD = [
  'gateway',
  'cold start ms',
  'RSS idle MB',
  'RSS after load MB',
  '+1,000 idle connections MB',
  '+1,000 idle streams MB',
  'binary MB',
]

function renderChartLinks({ scenarios }: Results): string {
  const has = (name: string) => scenarios.some((scenario) => scenario.name === name && isMeasured(scenario))
  return CHARTS.filter(({ scenario }) => scenario === undefined || has(scenario))
    .map(({ file, title }) => `![${title}](charts/${file}.svg)\n`)
    .join('\n')
}

/** The charts of the report, and the scenario that each needs. */
export const CHARTS = [
  { file: 'cpu-per-request', title: 'CPU per request, ms, 64 connections', scenario: 'c64', figure: cpu },
  { file: 'requests-per-second', title: 'Requests per second, 64 connections', scenario: 'c64', figure: perSecond },
  { file: 'cpu-per-request-code', title: 'CPU per request, ms, 100 KB of code', scenario: 'code', figure: cpu },
  { file: 'cpu-per-chunk', title: 'CPU per stream chunk, µs, 64 streams', scenario: 'flat', figure: cpu },
  { file: 'cpu-per-live-chunk', title: 'CPU per chunk of 200 live streams, µs', scenario: 'live200', figure: cpu },
  {
    file: 'added-latency',
    title: 'Added latency, p50 in ms, 1 connection',
    scenario: 'c1',
    figure: p50,
    isAdded: true,
  },
  { file: 'memory', title: 'Memory after load, MB', scenario: undefined, figure: undefined },
] as const
