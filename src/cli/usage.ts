import { suggest } from '../formats/text/nearest.ts'
import type { Flags } from './flags.ts'
import { readSeconds, showDay, showDollars } from './manage/amounts.ts'
import { ManageProblem } from './manage/ask-admin.ts'
import { jsonText, listForm } from './manage/render-lists.ts'
import { renderCsv, renderRows } from './manage/render-rows.ts'
import { runManage } from './manage/run-manage.ts'
import { SUMS_BY, type SumBy, sumUsage, type UsageLine, type UsageName } from './manage/sum-usage.ts'

const BAR_CHARS = 24
const DEFAULT_SINCE = '7d'
const COUNTS = ['requests', 'input_tokens', 'output_tokens', 'cost_usd']
const NAME = ['name', 'name'] as const
const ID = ['id', 'id'] as const
/** What says in CSV whose line it is: a bill is made by ids, since names need not be of one key alone. */
const NAMES: Readonly<Record<SumBy, readonly (readonly [column: string, field: keyof UsageName])[]>> = {
  key: [NAME, ID, ['project', 'project'], ['project_id', 'projectId']],
  project: [NAME, ID],
  model: [NAME],
  day: [NAME],
}

/**
 * Says what was used and what it cost, by key, project, model or day: a table with bars, JSON or CSV. Gives the exit code.
 *
 * @example
 * process.exit(await usage({ ...flags, values: { by: 'key', since: '7d' } }))
 */
export function usage(flags: Flags): Promise<number> {
  const { values } = flags
  return runManage('usage', flags, async (client) => {
    const form = listForm(flags, true)
    const by = readBy(values.by ?? 'key')
    const since = Math.floor(Date.now() / 1000) - readSeconds(values.since ?? DEFAULT_SINCE, '--since')
    const lines = await sumUsage(client.ask, by, since)
    if (form === 'json') return jsonText({ by, since, lines })
    if (form === 'csv')
      return renderCsv([
        [...NAMES[by].map(([column]) => column), ...COUNTS],
        ...lines.map((line) => plainCells(by, line)),
      ])
    return renderUsage(by, since, lines)
  })
}

function readBy(written: string): SumBy {
  const found = SUMS_BY.find((one) => one === written)
  if (found === undefined)
    throw new ManageProblem(`--by is key, project, model or day. ${suggest(written, SUMS_BY, '')}`)
  return found
}

function plainCells(by: SumBy, line: UsageLine): readonly string[] {
  const { requests, inputTokens, outputTokens, cost } = line
  return [
    ...NAMES[by].map(([, field]) => line[field] ?? ''),
    ...[requests, inputTokens, outputTokens, cost].map(String),
  ]
}

function renderUsage(by: SumBy, since: number, lines: readonly UsageLine[]): string {
  const from = showDay(since)
  if (lines.length === 0) return `Nothing was used since ${from}.\n`
  const total = lines.reduce(
    (sum, one) => ({
      name: 'all',
      requests: sum.requests + one.requests,
      inputTokens: sum.inputTokens + one.inputTokens,
      outputTokens: sum.outputTokens + one.outputTokens,
      cost: sum.cost + one.cost,
    }),
    { name: 'all', requests: 0, inputTokens: 0, outputTokens: 0, cost: 0 },
  )
  // Where nothing has a price, the bars are of what was asked.
  const measure = total.cost > 0 ? ({ cost }: UsageLine): number => cost : ({ requests }: UsageLine): number => requests
  const most = Math.max(...lines.map(measure))
  const isByKey = by === 'key'
  const row = (line: UsageLine, bar: string): readonly string[] => [
    line.name,
    ...(isByKey ? [line.project ?? '', line.id ?? ''] : []),
    line.requests.toLocaleString('en-US'),
    line.inputTokens.toLocaleString('en-US'),
    line.outputTokens.toLocaleString('en-US'),
    showDollars(line.cost),
    bar,
  ]
  const columns = [
    ...[by.toUpperCase(), ...(isByKey ? ['PROJECT', 'ID'] : [])].map((title) => ({ title })),
    ...['REQUESTS', 'INPUT', 'OUTPUT', 'COST'].map((title) => ({ title, isNumber: true })),
    { title: '' },
  ]
  const rows = [...lines.map((line) => row(line, barOf(measure(line) / most))), row(total, '')]
  return `Used since ${from} (UTC), by ${by}\n\n${renderRows(columns, rows)}`
}

/** A bar for a share of 0 to 1, in eighths of a character. */
function barOf(share: number): string {
  const eighths = Math.round((Number.isFinite(share) ? share : 0) * BAR_CHARS * 8)
  return '█'.repeat(Math.floor(eighths / 8)) + (['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8] ?? '')
}
