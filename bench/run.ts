/** Measures NexCode beside other gateways on this machine. `bun bench/run.ts --help` */
import { cpus, release } from 'node:os'
import { lineUp } from './line-up.ts'
import { type Options, optionsOrExit, parseOptions, renderHelp } from './options.ts'
import { readSettledBytes } from './process-tree.ts'
import { writeReport } from './report/write-report.ts'
import type { MeasuredGateway, Results } from './results.ts'
import { runRounds } from './run-rounds.ts'
import { SCENARIOS } from './scenarios.ts'
import { startUpstream } from './started-gateway.ts'

const say = (line: string) => process.stdout.write(`${line}\n`)

function describeMachine(): string {
  const all = cpus()
  return `${all.length} cores of ${all[0]?.model ?? 'unknown'}, Linux ${release().split('-')[0]}`
}

async function measure(options: Options): Promise<Results> {
  const scenarios = SCENARIOS.filter(({ name }) => options.scenarios.includes(name))
  const results: Results = {
    date: new Date().toISOString(),
    machine: describeMachine(),
    rounds: options.rounds,
    seconds: options.seconds,
    isQuick: options.isQuick,
    gateways: [],
    skipped: [],
    scenarios: [],
  }
  const upstream = await startUpstream()
  const line = await lineUp(options, scenarios, upstream, results, say)
  await runRounds(options, scenarios, line, results, say)
  const settle = async ({ name, footprint }: MeasuredGateway): Promise<void> => {
    const started = line.targets.get(name)
    if (started !== undefined) footprint.loadedBytes = await readSettledBytes(started.process.pid)
  }
  await Promise.all(results.gateways.map(settle))
  const processes = [line.targets, ...line.setUp.values()]
    .flatMap((each) => [...each.values()])
    .map((started) => started.process)
  await Promise.all(processes.map((each) => each.stop()))
  return results
}

async function run(args: readonly string[]): Promise<number> {
  const options = optionsOrExit('bench', () => parseOptions(args), renderHelp)
  if (typeof options === 'number') return options
  if (process.platform !== 'linux') {
    process.stderr.write('bench: figures come from /proc, so it runs on Linux only\n')
    return 1
  }
  const begin = performance.now()
  const results = await measure(options)
  const files = writeReport(results)
  say(`${files.join(', ')} written after ${Math.round((performance.now() - begin) / 1000)} s`)
  return 0
}

process.exit(await run(process.argv.slice(2)))
