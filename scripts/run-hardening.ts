/**
 * Puts the promises of docs/reliability.md to the test, against the binary: see `--help`.
 *
 *   bun scripts/run-hardening.ts                                   all suites
 *   bun scripts/run-hardening.ts raw-http 5                        some, by name or by the number of their promise
 *   bun scripts/run-hardening.ts raw-http --seed 7 --case cut-3    one case alone
 *
 * Its last lines are a table with the figures; it exits with 0 only where every suite kept its promise.
 */
import type { HardeningSuite } from '../tests/hardening/suite.ts'
import { loadSuites, SUITES_FOLDER } from '../tests/hardening/suites.ts'
import { type Options, parseOptions, renderHelp, UsageError } from './hardening/options.ts'
import { Progress } from './hardening/progress.ts'
import { provideBinary } from './hardening/provide-binary.ts'
import { renderFigures } from './hardening/render-figures.ts'
import { describeCommit, describeMachine, recordResults } from './hardening/results.ts'
import { runSuite, type SuiteRun } from './hardening/run-suite.ts'

/** All suites together take no longer, on two cores. */
const ALL_MS_MAX = 30 * 60_000
/** One that takes longer hangs. */
const SUITE_MS_MAX = 8 * 60_000

/** Another folder of suites, for the tests of this very program. */
const folder = process.env['HARDENING_SUITES'] ?? SUITES_FOLDER

async function runAll(suites: readonly HardeningSuite[], options: Options): Promise<readonly SuiteRun[]> {
  const { seed, isShort, only, isJson } = options
  const endsAt = performance.now() + ALL_MS_MAX
  const binary = provideBinary()
  const progress = new Progress(suites.length, seed)
  const runs: SuiteRun[] = []
  for (const { name } of suites) {
    const onProgress = (line: string): void => {
      if (!isJson) progress.show(name, line)
    }
    onProgress('begins')
    const msMax = Math.max(1, Math.min(SUITE_MS_MAX, endsAt - performance.now()))
    const run = await runSuite({ folder, name, seed, isShort, only }, { binary, msMax, onProgress })
    runs.push(run)
    if (!isJson) progress.conclude(run)
  }
  return runs
}

function renderTable(suites: readonly HardeningSuite[], runs: readonly SuiteRun[]): string {
  const head = ['#', 'suite', 'cases', 'failures', 'seconds', 'figures']
  const rows = runs.map(({ name, cases, failures, seconds, figures }) => [
    String(suites.find((suite) => suite.name === name)?.number ?? ''),
    name,
    cases.toLocaleString('en'),
    String(failures.length),
    String(seconds),
    renderFigures(figures),
  ])
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((cells) => cells[column]?.length ?? 0)))
  const lines = [head, ...rows].map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return `\n${lines.join('\n')}\n`
}

function record(suites: readonly HardeningSuite[], runs: readonly SuiteRun[], seed: number): void {
  const about = {
    seed,
    date: new Date().toISOString().slice(0, 10),
    commit: describeCommit(),
    machine: describeMachine(),
  }
  recordResults(
    runs.map(({ name, cases, failures, figures, seconds }) => ({
      number: suites.find((suite) => suite.name === name)?.number ?? 0,
      ...{ name, cases, failures: failures.length, figures, seconds },
      ...about,
    })),
  )
}

async function main(args: readonly string[]): Promise<number> {
  const all = await loadSuites(folder)
  const options = parseOptions(args, all)
  if (options === undefined) {
    process.stdout.write(renderHelp(all))
    return 0
  }
  const suites = all.filter(({ name }) => options.suites.includes(name))
  const { seed, isJson, isRecorded } = options
  if (!isJson) process.stdout.write(`seed ${seed}\n`)
  const startedAt = performance.now()
  const runs = await runAll(suites, options)
  const hasFailed = runs.some(({ failures }) => failures.length > 0)
  if (isRecorded) record(suites, runs, seed)
  if (isJson) process.stdout.write(`${JSON.stringify({ seed, isKept: !hasFailed, suites: runs }, null, 2)}\n`)
  else {
    const seconds = Math.round((performance.now() - startedAt) / 1000)
    const kept = runs.filter(({ failures }) => failures.length === 0).length
    process.stdout.write(renderTable(suites, runs))
    process.stdout.write(`\n${kept} of ${runs.length} suites kept their promise, seed ${seed}, ${seconds} s\n`)
  }
  return hasFailed ? 1 : 0
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
try {
  process.exitCode = await main(process.argv.slice(2))
} catch (thrown) {
  process.stderr.write(`${thrown instanceof UsageError ? thrown.message : String(thrown)}\n`)
  process.exitCode = 2
}
