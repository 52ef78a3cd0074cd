import { writeConfigFile } from '../../helpers/config-file.ts'
import { startGateway } from '../../helpers/start-gateway.ts'
import type { HardeningResult, HardeningRun, HardeningSuite } from '../suite.ts'
import { callWithFaults, type FaultOutcome, TIMER_MS } from './call-with-faults.ts'
import { MODEL } from './fault-call.ts'
import { faultCases } from './fault-cases.ts'
import { startFaultyServer } from './faulty-server.ts'
import { type ToxicCase, toxicCases } from './toxic-cases.ts'
import { hasToxiproxy, provideToxiproxy, startToxiproxy, type Toxiproxy } from './toxiproxy.ts'
import { startWrongProxy } from './wrong-proxy.ts'

/** Who has not ended by then never will. */
const HUNG_MS = 15_000
const TIMERS = { FIRST_BYTE_TIMEOUT_MS: String(TIMER_MS), STREAM_IDLE_TIMEOUT_MS: String(TIMER_MS) }

interface Tally extends FaultOutcome {
  readonly cases: number
}

const NONE: Tally = {
  ...{ cases: 0, failures: [], beyondMs: 0, baselineMs: 0 },
  faults: { hung: 0, doubled: 0, 'out of type': 0, late: 0 },
}

/** Faults of our own, by an upstream that makes them. */
async function runOwn({ seed, isShort, only, report }: HardeningRun): Promise<Tally> {
  const cases = faultCases(seed, isShort && only === undefined).filter(({ id }) => only === undefined || id === only)
  if (cases.length === 0) return NONE
  const server = await startFaultyServer(cases)
  const gateway = await startGateway({ env: { OPENAI_API_BASE: `${server.upstream.url}/v1`, ...TIMERS } })
  try {
    return { cases: cases.length, ...(await callWithFaults(cases, gateway, server, { hungMs: HUNG_MS, report })) }
  } finally {
    await gateway.stop()
    await server.upstream.close()
  }
}

/** The same calls through the real toxiproxy; a text: why there is none. */
async function runToxics({ seed, isShort, only, report }: HardeningRun): Promise<Tally | string> {
  const cases = toxicCases(seed, isShort && only === undefined).filter(({ id }) => only === undefined || id === only)
  if (cases.length === 0) return NONE
  if (isShort && !hasToxiproxy()) return 'left out: not installed'
  report('toxiproxy')
  const missing = await provideToxiproxy()
  if (missing !== undefined) return missing
  const server = await startFaultyServer(cases, (id) => toxiproxy.poison(id))
  const toxiproxy = await startToxiproxy(cases, server.upstream.port)
  const file = writeConfigFile(settingsFor(cases, toxiproxy))
  try {
    const gateway = await startGateway({ env: { NEXCODE_CONFIG: file.path, ...TIMERS } })
    try {
      return { cases: cases.length, ...(await callWithFaults(cases, gateway, server, { hungMs: HUNG_MS, report })) }
    } finally {
      await gateway.stop()
    }
  } finally {
    await toxiproxy.stop()
    await server.upstream.close()
    file.remove()
  }
}

/** An upstream for each proxy, so that each call has a connection that nobody had before. */
function settingsFor(cases: readonly ToxicCase[], { healthyPort, portOf }: Toxiproxy): object {
  const deployments = [
    [MODEL, healthyPort],
    ...cases.map(({ id, deployment }) => [deployment, portOf(id)] as const),
  ] as const
  return {
    upstreams: Object.fromEntries(
      deployments.map(([deployment, port]) => [deployment, { base_url: `http://127.0.0.1:${port}/v1`, api_key: 'k' }]),
    ),
    models: Object.fromEntries(
      deployments.map(([deployment]) => [deployment, { targets: [{ upstream: deployment }] }]),
    ),
  }
}

async function run(options: HardeningRun): Promise<HardeningResult> {
  const own = await runOwn(options)
  const theirs = await runToxics(options)
  const tallies = [own, ...(typeof theirs === 'string' ? [] : [theirs])]
  const sum = (count: (tally: Tally) => number): number => tallies.reduce((total, tally) => total + count(tally), 0)
  const failures = tallies.flatMap((tally) => tally.failures)
  const cases = sum((tally) => tally.cases)
  const percent = (100 * (cases - failures.length)) / Math.max(1, cases)
  return {
    ...{ cases, failures },
    figures: {
      'ended as promised': `${percent.toFixed(failures.length === 0 ? 0 : 2)} %`,
      hung: sum(({ faults }) => faults.hung),
      doubled: sum(({ faults }) => faults.doubled),
      'through toxiproxy': typeof theirs === 'string' ? theirs : theirs.cases,
      'latest end after its time, ms': Math.max(0, ...tallies.map(({ beyondMs }) => Math.round(beyondMs))),
      'slowest healthy call beside, ms': Math.max(...tallies.map(({ baselineMs }) => Math.round(baselineMs))),
    },
  }
}

/** The stand-in takes what broke off for the whole, asks twice and waits for ever: each has to be seen. */
async function prove(): Promise<void> {
  const cases = faultCases(0, true).filter(({ kind }) => kind === 'reset' || kind === 'stall')
  const server = await startFaultyServer(cases)
  const wrong = await startWrongProxy(server.upstream.url)
  try {
    const { faults } = await callWithFaults(cases, wrong, server, { hungMs: 600, report: () => undefined })
    for (const fault of ['hung', 'doubled', 'out of type'] as const) {
      if (faults[fault] === 0) throw new Error(`The stand-in has calls that are ${fault}, and none was seen.`)
    }
  } finally {
    wrong.stop()
    await server.upstream.close()
  }
}

/** Promise 5: faults of the upstream's connection × where in its answer. */
export const suite: HardeningSuite = {
  number: 5,
  name: 'faults',
  promise:
    'Faults of an upstream end in one typed error, in time: nothing hangs, nothing is sent twice, and nothing broken looks whole',
  prove,
  run,
}
