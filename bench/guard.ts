/**
 * Fails where NexCode, as shipped, uses more processor time a request or a chunk than a bare Bun proxy that runs beside it, times what
 * is allowed. Both are measured in turns in the same minute, so that a slow or busy machine slows both. `bun bench/guard.ts`, under
 * a minute; a load that is over is measured again with both started anew, up to six times: a lucky round of the one that is compared
 * with makes ours look dearer. `bun bench/guard.ts code` guards one load.
 */
import { ratioOfLeast } from './compare-report.ts'
import { bareBun } from './gateways/bare-bun.ts'
import { nexcode } from './gateways/nexcode.ts'
import { provideTool } from './provide-tool.ts'
import { measureCosts } from './run-rounds.ts'
import { SCENARIOS, type Scenario } from './scenarios.ts'
import { startGateway, startUpstream } from './started-gateway.ts'
import { Unavailable } from './unavailable.ts'

/** What is guarded: a load, how often and how long it runs, and how many times the bare proxy's CPU is allowed. */
const GUARDED = [
  { load: 'c64', rounds: 5, seconds: 1, ratioMax: 1.7 },
  { load: 'code', rounds: 4, seconds: 1, ratioMax: 2.1 },
  // Streams of a second each are started over a second and end over one more.
  { load: 'live200', rounds: 3, seconds: 1, ratioMax: 1.9 },
] as const
const ATTEMPTS = 6
const OURS = 'nexcode'
const BARE = 'bare Bun'

type Guarded = (typeof GUARDED)[number]

const say = (line: string) => process.stdout.write(`guard: ${line}\n`)

function findScenario(load: string): Scenario {
  const scenario = SCENARIOS.find(({ name }) => name === load)
  if (scenario === undefined) throw new Error(`there is no load ${load}`)
  return scenario
}

/** Measures one load with both started anew. */
async function passes({ load, rounds, seconds, ratioMax }: Guarded, upstreamPort: number): Promise<boolean> {
  const targets = new Map([
    [OURS, await startGateway(nexcode, upstreamPort)],
    [BARE, await startGateway(bareBun, upstreamPort)],
  ])
  const scenario = findScenario(load)
  const costs = await measureCosts(scenario, targets, { rounds, seconds })
  await Promise.all([...targets.values()].map((each) => each.process.stop()))
  const { [OURS]: ours = [], [BARE]: bare = [] } = costs
  const ratio = ratioOfLeast(ours, bare)
  const show = (values: readonly number[]) =>
    `${Math.min(...values).toFixed(1)} (${values.map((cost) => cost.toFixed(1)).join(' ')})`
  say(`${load}: µs a ${scenario.unit}, the least of ${rounds} rounds: ${OURS} ${show(ours)}, ${BARE} ${show(bare)}`)
  say(`${load}: ratio ${ratio.toFixed(2)}, allowed ${ratioMax}${ratio <= ratioMax ? '' : ': over'}`)
  return ratio <= ratioMax
}

/** A busy neighbour can spoil one measurement; a regression is there in each of them. */
async function passesOnce(guarded: Guarded, upstreamPort: number): Promise<boolean> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) if (await passes(guarded, upstreamPort)) return true
  return false
}

function findLoadTool(): boolean {
  try {
    provideTool('wrk')
    return true
  } catch (problem) {
    if (!(problem instanceof Unavailable)) throw problem
    say(`skipped, ${problem.message}`)
    return false
  }
}

async function guard(names: readonly string[]): Promise<void> {
  await nexcode.prepare()
  const upstream = await startUpstream()
  const failed: string[] = []
  for (const guarded of GUARDED.filter(({ load }) => names.length === 0 || names.includes(load))) {
    if (!(await passesOnce(guarded, upstream.port))) failed.push(guarded.load)
  }
  await upstream.process.stop()
  if (failed.length === 0) return
  say(`failed, NexCode costs too much: ${failed.join(', ')}. See docs/performance.md`)
  process.exitCode = 1
}

if (findLoadTool()) await guard(process.argv.slice(2))
