import { gatewayCommand } from '../../helpers/gateway-under-test.ts'
import { CAN_READ_MEMORY } from '../../helpers/process-memory.ts'
import { startGateway, type TestGateway } from '../../helpers/start-gateway.ts'
import { within } from '../../helpers/within.ts'
import { inPool } from '../pool.ts'
import { createRandom } from '../random.ts'
import type { HardeningFailure, HardeningResult, HardeningRun, HardeningSuite } from '../suite.ts'
import { startLeakingServer } from './leaking-server.ts'
import { type PatientUpstream, startPatientUpstream } from './patient-upstream.ts'
import { abortIn, PHASES } from './phases.ts'
import { readTraces, socketsOf, type Traces, watchRss } from './traces.ts'

/** A process grows until it has met all of its work for a while: memory is judged from there on. */
const LONG = { aborts: 10_000, warm: 20_000, measured: 5_000 }
const SHORT = { aborts: 220, warm: 110, measured: 110 }
const AT_ONCE = 64
const ABORT_MS_MAX = 20_000
/** Everything of a client that has gone is gone by then. */
const SETTLE_MS_MAX = 10_000
const CLOSE_MS = 500
/** What a process that does nothing may wake up for more than before, in two seconds. */
const WAKEUPS_MORE_MAX = 60
const RSS_GROWTH_MAX = 0.1
const ERROR_LEVEL = 50
const REPORT_EVERY = 1000

interface Target {
  readonly port: number
  readonly pid: number
  readonly upstream: PatientUpstream
}

/** Has so many clients leave, in all phases in turn, and gives those that could not even come to theirs. */
async function abortMany(ids: readonly string[], target: Target, options: HardeningRun): Promise<HardeningFailure[]> {
  const failures: HardeningFailure[] = []
  let done = 0
  await inPool(ids, AT_ONCE, async (id) => {
    const phase = PHASES[phaseOf(id)]
    if (phase === undefined) throw new Error(`There is no phase of ${id}.`)
    const { port, upstream } = target
    const abort = { id, port, upstream, random: createRandom(options.seed, id) }
    await within(ABORT_MS_MAX, id, abortIn(phase, abort)).catch((cause: unknown) => {
      failures.push({ id, message: String(cause).slice(0, 300) })
    })
    done += 1
    if (done % REPORT_EVERY === 0) options.report(`${done.toLocaleString('en')} of ${ids.length.toLocaleString('en')}`)
  })
  return failures
}

/** The same, and the mean of the memory under the last of them. */
async function abortMeasured(
  ids: readonly string[],
  measured: number,
  target: Target,
  options: HardeningRun,
): Promise<{ readonly failures: HardeningFailure[]; readonly mib: number }> {
  const first = await abortMany(ids.slice(0, -measured), target, options)
  const memory = watchRss(target.pid)
  const last = await abortMany(ids.slice(-measured), target, options)
  return { failures: [...first, ...last], mib: memory.stop() }
}

const phaseOf = (id: string): string => id.replace(/^warm-/, '').replace(/-\d+$/, '')

function idsOf(count: number, prefix = ''): readonly string[] {
  const names = Object.keys(PHASES)
  return Array.from(
    { length: count },
    (_, n) => `${prefix}${names[n % names.length]}-${Math.floor(n / names.length) + 1}`,
  )
}

interface TracesLeft extends Traces {
  /** The aborts whose calls upstream go on. */
  readonly openCalls: readonly string[]
}

/** Waits until nobody is served any more, closes what the upstream keeps for later calls, and looks at what is left. */
async function settle({ pid, upstream }: Target, socketsMax: number | undefined): Promise<TracesLeft> {
  const until = performance.now() + SETTLE_MS_MAX
  while (upstream.openCalls().length > 0 && performance.now() < until) await Bun.sleep(50)
  const openCalls = upstream.openCalls()
  upstream.closeIdle()
  // What the upstream has closed, the gateway learns of in a moment.
  if (socketsMax === undefined) await Bun.sleep(CLOSE_MS)
  else while (socketsOf(pid) > socketsMax && performance.now() < until) await Bun.sleep(50)
  return { ...(await readTraces(pid)), openCalls }
}

interface Left {
  readonly before: Traces
  readonly after: TracesLeft
  /** Mean RSS under the last aborts before, and under the last of all, in MiB. */
  readonly rssMib: readonly [before: number, after: number]
}

function faultsOf({ before, after, rssMib: [rssBefore, rssAfter] }: Left, isMemoryJudged: boolean): HardeningFailure[] {
  const faults: HardeningFailure[] = []
  const tell = (id: string, message: string): void => void faults.push({ id, message })
  for (const id of after.openCalls) tell(id, 'Its call upstream goes on, though its client has left.')
  if (after.sockets > before.sockets) tell('sockets', `${after.sockets - before.sockets} sockets are left.`)
  if (after.wakeups > before.wakeups + WAKEUPS_MORE_MAX) {
    tell('timers', `It wakes up ${after.wakeups} times in two seconds; before, ${before.wakeups}.`)
  }
  if (isMemoryJudged && rssAfter > rssBefore * (1 + RSS_GROWTH_MAX)) {
    tell('memory', `RSS grew from ${rssBefore.toFixed(0)} to ${rssAfter.toFixed(0)} MiB.`)
  }
  return faults
}

function faultsOfProcess({ child, lines, stderr }: TestGateway): HardeningFailure[] {
  const errors = lines
    .filter(({ level }) => Number(level) >= ERROR_LEVEL)
    .map((line) => JSON.stringify(line).slice(0, 300))
  const words = [...new Set([...errors, ...(stderr() === '' ? [] : [stderr().slice(0, 300)])])]
  const exit = child?.exitCode === null ? [] : [{ id: 'exit', message: `It ended with ${child?.exitCode}.` }]
  return [...exit, ...words.map((message) => ({ id: 'log', message }))]
}

async function run(options: HardeningRun): Promise<HardeningResult> {
  const { aborts, warm, measured } = options.isShort ? SHORT : LONG
  const upstream = await startPatientUpstream()
  const gateway = await startGateway({
    env: {
      OPENAI_API_BASE: `${upstream.url}/v1`,
      // A ping that goes on behind its client wakes the process up.
      SSE_PING_MS: '50',
    },
    command: gatewayCommand(),
  })
  try {
    const target = { port: gateway.port, pid: gateway.child?.pid ?? process.pid, upstream }
    const ids = idsOf(aborts).filter((id) => options.only === undefined || id === options.only)
    const warming = await abortMeasured(idsOf(warm, 'warm-'), measured, target, options)
    const before = await settle(target, undefined)
    const { failures, mib } = await abortMeasured(ids, measured, target, options)
    const after = await settle(target, before.sockets)
    const rss = [warming.mib, mib] as const
    const isMemoryJudged = CAN_READ_MEMORY && !options.isShort && options.only === undefined
    failures.push(...faultsOf({ before, after, rssMib: rss }, isMemoryJudged), ...faultsOfProcess(gateway))
    return {
      cases: ids.length,
      failures,
      figures: {
        exits: gateway.child?.exitCode === null ? 0 : 1,
        'sockets left': Math.max(0, after.sockets - before.sockets),
        'calls left': after.openCalls.length,
        'wake-ups in 2 s, before and after': `${before.wakeups} and ${after.wakeups}`,
        'RSS, %': Number((((rss[1] - rss[0]) / rss[0]) * 100).toFixed(1)),
      },
    }
  } finally {
    await gateway.stop()
    await upstream.close()
  }
}

/** The stand-in keeps its connection to the upstream, and a timer, for each client that has left. */
async function prove(): Promise<void> {
  const upstream = await startPatientUpstream()
  const leaking = await startLeakingServer(upstream)
  try {
    const target = { port: leaking.port, pid: leaking.pid, upstream }
    const before = await readTraces(leaking.pid)
    const ids = Array.from({ length: 30 }, (_, n) => `waiting-${n + 1}`)
    await abortMany(ids, target, { seed: 1, isShort: true, only: undefined, report: () => undefined })
    const after = { ...(await readTraces(leaking.pid)), openCalls: upstream.openCalls() }
    const found = faultsOf({ before, after, rssMib: [100, 100] }, false).map(({ id }) => id)
    for (const id of ['waiting-1', 'sockets', 'timers']) {
      if (!found.includes(id))
        throw new Error(`What was left of ${id} went unseen: ${JSON.stringify({ before, after })}`)
    }
    if (faultsOf({ before, after: { ...before, openCalls: [] }, rssMib: [100, 120] }, true).length !== 1) {
      throw new Error('Memory that grew by a fifth went unseen.')
    }
  } finally {
    await leaking.stop()
    await upstream.close()
  }
}

/** Promise 7: clients that leave in every phase. */
export const suite: HardeningSuite = {
  number: 7,
  name: 'aborts',
  promise: 'One client can’t kill it, and nothing leaks: whoever leaves in whatever phase leaves nothing behind',
  prove,
  run,
}
