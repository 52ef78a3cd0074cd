/**
 * Compares binaries of NexCode with each other and with other gateways, for whoever builds: interleaved rounds of one run, the CPU of
 * each request or chunk. `bun bench/compare.ts --help`
 */
import { type CompareOptions, parseCompareOptions, renderCompareHelp } from './compare-options.ts'
import { type Comparison, renderComparison } from './compare-report.ts'
import type { Gateway } from './gateways/gateway.ts'
import { IDLE_COUNT, measureIdleMemory } from './idle-memory.ts'
import { optionsOrExit } from './options.ts'
import { readSettledBytes } from './process-tree.ts'
import { measureCosts } from './run-rounds.ts'
import type { Scenario } from './scenarios.ts'
import { type StartedGateway, startGateway, startUpstream } from './started-gateway.ts'

const say = (line: string) => process.stderr.write(`${line}\n`)

/** Starts each target that knows a setup. */
async function startAll(
  targets: ReadonlyMap<string, Gateway>,
  upstreamPort: number,
  setup: NonNullable<Scenario['setup']> | 'plain',
): Promise<Map<string, StartedGateway>> {
  const started = new Map<string, StartedGateway>()
  for (const [name, gateway] of targets) {
    if (setup === 'plain' || gateway.setups.includes(setup)) {
      started.set(name, await startGateway(gateway, upstreamPort, setup))
    }
  }
  return started
}

/** The RSS of each target in MB, once it is settled. */
async function readResident(started: ReadonlyMap<string, StartedGateway>): Promise<Record<string, number[]>> {
  const resident: Record<string, number[]> = {}
  const read = async ([name, one]: readonly [string, StartedGateway]): Promise<void> => {
    resident[name] = [(await readSettledBytes(one.process.pid)) / 1e6]
  }
  await Promise.all([...started].map(read))
  return resident
}

async function compareLoads(options: CompareOptions, upstreamPort: number, comparison: Comparison): Promise<void> {
  for (const setup of ['plain', 'auth', 'cache', 'models', 'token', 'metered'] as const) {
    const scenarios = options.scenarios.filter((scenario) => (scenario.setup ?? 'plain') === setup)
    if (scenarios.length === 0) continue
    const started = await startAll(options.targets, upstreamPort, setup)
    const idle = await readResident(started)
    for (const scenario of scenarios) {
      say(scenario.title)
      const { onlyFor = () => true } = scenario
      const some = new Map([...started].filter(([, { gateway }]) => onlyFor(gateway)))
      comparison.rows.push({
        name: scenario.name,
        unit: `µs/${scenario.unit}`,
        values: await measureCosts(scenario, some, options),
      })
    }
    if (setup === 'plain') {
      comparison.rows.push({ name: 'rss before', unit: 'MB', values: idle })
      comparison.rows.push({ name: 'rss after', unit: 'MB', values: await readResident(started) })
    }
    await Promise.all([...started.values()].map((one) => one.process.stop()))
  }
}

async function compareIdle(options: CompareOptions, upstreamPort: number, comparison: Comparison): Promise<void> {
  for (const idle of options.idle) {
    say(`${IDLE_COUNT} idle ${idle}`)
    const values: Record<string, number[]> = {}
    for (let round = 0; round < options.rounds; round += 1) {
      for (const [name, gateway] of options.targets) {
        const addedMb = (await measureIdleMemory(gateway, upstreamPort, idle)) / 1e6
        values[name] = [...(values[name] ?? []), addedMb]
      }
    }
    comparison.rows.push({ name: `idle-${idle}`, unit: '+MB', values })
  }
}

async function run(args: readonly string[]): Promise<number> {
  const options = optionsOrExit('compare', () => parseCompareOptions(args), renderCompareHelp)
  if (typeof options === 'number') return options
  for (const gateway of options.targets.values()) await gateway.prepare()
  const upstream = await startUpstream()
  const { rounds, seconds, targets } = options
  const comparison: Comparison = { targets: [...targets.keys()], rounds, seconds, rows: [] }
  await compareLoads(options, upstream.port, comparison)
  await compareIdle(options, upstream.port, comparison)
  await upstream.process.stop()
  process.stdout.write(options.isJson ? `${JSON.stringify(comparison)}\n` : renderComparison(comparison))
  return 0
}

process.exit(await run(process.argv.slice(2)))
