import type { LineUp } from './line-up.ts'
import type { Options } from './options.ts'
import { readCpuSeconds } from './process-tree.ts'
import type { Results, Sample } from './results.ts'
import type { Scenario } from './scenarios.ts'
import { measureCpu, type StartedGateway } from './started-gateway.ts'
import { Unavailable } from './unavailable.ts'

async function sample(scenario: Scenario, started: StartedGateway, seconds: number): Promise<Sample> {
  if (scenario.unit === 'request') {
    const { figures, cpuSeconds } = await measureCpu(started, () => scenario.run(started, seconds))
    const { requests, failed, p50Ms, p99Ms } = figures
    const answered = requests - failed
    return {
      cpu: (cpuSeconds * 1e3) / requests,
      perSecond: answered / figures.seconds,
      p50Ms,
      p99Ms,
      tried: requests,
      failed,
    }
  }
  const { figures, cpuSeconds } = await measureCpu(started, () => scenario.run(started, seconds))
  return {
    // Of all that the gateway carried meanwhile, also before and after the counted time.
    cpu: (cpuSeconds * 1e6) / figures.chunksInAll,
    perSecond: figures.chunks / figures.seconds,
    p50Ms: figures.firstByteP50Ms,
    p99Ms: figures.firstByteP99Ms,
    tried: figures.streams,
    failed: figures.incomplete,
    openMax: figures.openMax,
  }
}

const WARM_UP_SECONDS = 2

/**
 * Runs one scenario in rounds against each target in turn, after a warm-up. Returns the CPU of each request or chunk in µs: a list
 * for each target, in the order of the rounds. Throws where a request failed or a stream was not complete.
 */
export async function measureCosts(
  scenario: Scenario,
  targets: ReadonlyMap<string, StartedGateway>,
  { rounds, seconds }: Pick<Options, 'rounds' | 'seconds'>,
): Promise<Record<string, number[]>> {
  const costs: Record<string, number[]> = Object.fromEntries([...targets.keys()].map((name) => [name, []]))
  for (const started of targets.values()) await scenario.run(started, WARM_UP_SECONDS)
  for (let round = 0; round < rounds; round += 1) {
    const order = round % 2 === 0 ? [...targets] : [...targets].toReversed()
    for (const [name, started] of order) {
      const { cpu, failed, tried } = await sample(scenario, started, seconds)
      if (failed > 0 || tried === 0) throw new Error(`${scenario.name}: ${name}: ${failed} of ${tried} failed`)
      costs[name]?.push(scenario.unit === 'request' ? cpu * 1000 : cpu)
    }
  }
  return costs
}

const QUIET_POLL_MS = 50
const QUIET_CPU_SECONDS = 0.01
const QUIET_WAIT_MS = 15_000

/** Waits until a gateway has done with what its load has left behind, so that it does not disturb the next one. */
async function awaitQuiet({ process: { pid } }: StartedGateway): Promise<void> {
  const end = performance.now() + QUIET_WAIT_MS
  for (let before = readCpuSeconds(pid); performance.now() < end; ) {
    await Bun.sleep(QUIET_POLL_MS)
    const now = readCpuSeconds(pid)
    if (now - before <= QUIET_CPU_SECONDS) return
    before = now
  }
}

/** Who takes part in a scenario. */
function participants({ setup, onlyFor }: Scenario, { targets, setUp }: LineUp): [string, StartedGateway][] {
  const all = [...((setup === undefined ? targets : setUp.get(setup)) ?? [])]
  return onlyFor === undefined ? all : all.filter(([, { gateway }]) => onlyFor(gateway))
}

const rotate = <Item>(items: readonly Item[], by: number): Item[] => [...items.slice(by), ...items.slice(0, by)]

/**
 * Runs each scenario against each target in turn, and all that once more for each round, begun by another target every time: what
 * changes on the machine meanwhile then hits all of them.
 */
export async function runRounds(
  options: Options,
  scenarios: readonly Scenario[],
  line: LineUp,
  results: Results,
  say: (line: string) => void,
): Promise<void> {
  const unavailable = new Set<string>()
  for (const { name, title, unit, comparedWith } of scenarios) {
    results.scenarios.push({ name, title, unit, samples: {}, ...(comparedWith === undefined ? {} : { comparedWith }) })
  }
  for (let round = 0; round < options.rounds; round++) {
    for (const scenario of scenarios.filter(({ name }) => !unavailable.has(name))) {
      say(`round ${round + 1} of ${options.rounds}: ${scenario.title}`)
      const samples = results.scenarios.find(({ name }) => name === scenario.name)?.samples ?? {}
      const all = participants(scenario, line)
      for (const [name, started] of rotate(all, round % Math.max(1, all.length))) {
        try {
          samples[name] = [...(samples[name] ?? []), await sample(scenario, started, options.seconds)]
          await awaitQuiet(started)
        } catch (problem) {
          const reason = problem instanceof Error ? problem.message : String(problem)
          const isForAll = problem instanceof Unavailable
          const what = isForAll ? `scenario ${scenario.name}` : `scenario ${scenario.name} for ${name}`
          results.skipped.push(`${what}: skipped, ${reason}`)
          say(`${what}: skipped, ${reason}`)
          if (!isForAll) continue
          unavailable.add(scenario.name)
          break
        }
      }
    }
  }
}
