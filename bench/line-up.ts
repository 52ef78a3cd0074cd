import { statSync } from 'node:fs'
import { checkAnswers, checkWhole } from './check-answers.ts'
import { measureColdStarts } from './cold-start.ts'
import { type Gateway, PLAIN, type Setup } from './gateways/gateway.ts'
import { GATEWAYS } from './gateways/gateways.ts'
import { IDLE_COUNT, type Idle, measureIdleMemory } from './idle-memory.ts'
import { makeQuestion } from './load/bodies.ts'
import { runStreams } from './load/streams.ts'
import { runWrk } from './load/wrk.ts'
import { MODELS, STREAM_CHUNKS } from './mock-answers.ts'
import type { Options } from './options.ts'
import { readResidentBytes } from './process-tree.ts'
import { DIRECT, type MeasuredGateway, type Results } from './results.ts'
import type { RunningProcess } from './run-process.ts'
import type { Scenario } from './scenarios.ts'
import { chatTarget, type StartedGateway, startGateway } from './started-gateway.ts'
import { Unavailable } from './unavailable.ts'

/** What is loaded in each round: the upstream itself, and the gateways that are ready, by name. */
export interface LineUp {
  readonly targets: ReadonlyMap<string, StartedGateway>
  /** Those of the same gateways that are set up in another way, by setup and name. */
  readonly setUp: ReadonlyMap<Setup, ReadonlyMap<string, StartedGateway>>
}

/** Notes what can't be measured, and why. */
type Skip = (what: string, problem: unknown) => void

const WARM_UP_SECONDS = 3
const WARM_UP_CONNECTIONS = 64
const SETTLE_MS = 300
// The upstream is started once, by itself.
const NOTHING_TO_START: Pick<Gateway, 'prepare' | 'launch'> = {
  prepare: async () => '',
  launch: () => ({ command: [] }),
}

/** The upstream as a target: what a call costs with nothing in between. */
function directTarget(upstream: { port: number; process: RunningProcess }): StartedGateway {
  return {
    gateway: {
      ...PLAIN,
      ...NOTHING_TO_START,
      name: DIRECT,
      kind: 'limit',
      settings: 'no gateway: the mock upstream itself',
    },
    process: upstream.process,
    place: { port: upstream.port, upstreamPort: upstream.port, dir: '', setup: 'plain' },
    startMs: 0,
  }
}

async function warmUp(started: StartedGateway): Promise<void> {
  try {
    await runWrk(chatTarget(started, makeQuestion(), MODELS.json), WARM_UP_CONNECTIONS, WARM_UP_SECONDS)
  } catch (problem) {
    if (!(problem instanceof Unavailable)) throw problem
    // Without wrk what it would measure is skipped; our own load can warm up for the rest.
    const target = chatTarget(started, makeQuestion(), MODELS.flat, true)
    const load = {
      target,
      connections: WARM_UP_CONNECTIONS,
      seconds: WARM_UP_SECONDS,
      rampMs: 0,
      events: STREAM_CHUNKS,
    }
    await runStreams(load)
  }
}

/** Says what a thousand idle connections and streams add to a gateway's memory; what it does not bear is left out and said. */
async function measureIdle(gateway: Gateway, upstreamPort: number, skip: Skip): Promise<Partial<Record<Idle, number>>> {
  const added: Partial<Record<Idle, number>> = {}
  for (const idle of ['connections', 'streams'] as const) {
    try {
      added[idle] = await measureIdleMemory(gateway, upstreamPort, idle)
    } catch (problem) {
      skip(`${gateway.name} with ${IDLE_COUNT} idle ${idle}`, problem)
    }
  }
  return added
}

/** Installs, starts, checks and warms up one gateway. */
async function lineUpOne(
  gateway: Gateway,
  upstreamPort: number,
  isQuick: boolean,
  skip: Skip,
): Promise<[StartedGateway, MeasuredGateway]> {
  const version = await gateway.prepare()
  // The first start brings its files into the page cache.
  const first = await startGateway(gateway, upstreamPort)
  try {
    await checkAnswers(first)
  } finally {
    await first.process.stop()
  }
  const coldStartMs = await measureColdStarts(gateway, upstreamPort)
  const idleAddedBytes = isQuick ? {} : await measureIdle(gateway, upstreamPort, skip)
  const started = await startGateway(gateway, upstreamPort)
  await Bun.sleep(SETTLE_MS)
  const idleBytes = readResidentBytes(started.process.pid)
  await warmUp(started)
  const binary = gateway.binary?.()
  const footprint = {
    coldStartMs,
    idleBytes,
    loadedBytes: 0,
    idleAddedBytes,
    ...(binary === undefined ? {} : { binaryBytes: statSync(binary).size }),
  }
  const { name, kind, settings } = gateway
  return [started, { name, kind, version, settings, footprint }]
}

/** Makes everything ready that the options name; what can't be had goes to the list of the skipped. */
export async function lineUp(
  options: Options,
  scenarios: readonly Scenario[],
  upstream: { port: number; process: RunningProcess },
  results: Results,
  say: (line: string) => void,
): Promise<LineUp> {
  const targets = new Map([[DIRECT, directTarget(upstream)]])
  const needed = new Set(scenarios.flatMap(({ setup }) => (setup === undefined ? [] : [setup])))
  const setUp = new Map([...needed].map((setup) => [setup, new Map<string, StartedGateway>()]))
  const skip: Skip = (what, problem) => {
    const line = `${what}: skipped, ${problem instanceof Error ? problem.message : String(problem)}`
    results.skipped.push(line)
    say(line)
  }
  await warmUp(directTarget(upstream))
  for (const gateway of GATEWAYS.filter(({ name }) => options.gateways.includes(name))) {
    say(`${gateway.name}: installing, checking its answers, warming up`)
    try {
      const [started, measured] = await lineUpOne(gateway, upstream.port, options.isQuick, skip)
      targets.set(gateway.name, started)
      results.gateways.push(measured)
      for (const setup of gateway.setups.filter((each) => needed.has(each))) {
        const other = await startGateway(gateway, upstream.port, setup)
        await checkWhole(other, makeQuestion(), 'a question')
        await warmUp(other)
        setUp.get(setup)?.set(gateway.name, other)
      }
    } catch (problem) {
      skip(gateway.name, problem)
    }
  }
  return { targets, setUp }
}
