import { writeConfigFile } from '../../helpers/config-file.ts'
import { gatewayCommand } from '../../helpers/gateway-under-test.ts'
import { CAN_READ_MEMORY, rssMib } from '../../helpers/process-memory.ts'
import { startScriptedUpstream } from '../../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../../helpers/start-gateway.ts'
import { createRandom } from '../random.ts'
import type { HardeningFailure, HardeningResult, HardeningRun, HardeningSuite } from '../suite.ts'
import { exchange, KIND_HEADER, KINDS, type Kind, type Seen } from './exchanges.ts'
import { type Reading, slopeOf } from './slope.ts'

const LONG_MS = 240_000
/** What looks like growth is watched for longer: a leak goes on, and what only happened to be high does not. */
const DOUBT_MS = 180_000
const SHORT_MS = 6000
/** What a process takes to have met all of its work is no growth: it meets most of it at once, in this share of the time. */
const WARM_SHARE = 0.4
const WINDOW_MS = 10_000
const SLOPE_MIB_MAX = 1
const AT_ONCE = 24
/** Between two exchanges of one client: a busy day, and no flood. */
const PAUSE_MS = 80
const RELOAD_EVERY_MS = 4000
const READ_EVERY_MS = 500
const ERROR_LEVEL = 50
const SHOWN_MAX = 20

/** Sends exchanges of all kinds until the time is up, and gives those that came to something else than they have to. */
async function play(
  url: string,
  { isWarmAt, endsAt }: { readonly isWarmAt: number; readonly endsAt: number },
  options: HardeningRun,
): Promise<{ cases: number; failures: HardeningFailure[] }> {
  const { seed, only, report } = options
  const kinds = KINDS.filter(({ name }) => only === undefined || name === only)
  const lots = kinds.flatMap((kind) => Array.from({ length: kind.share }, () => kind))
  const failures: HardeningFailure[] = []
  let cases = 0
  const work = async (worker: number): Promise<void> => {
    const random = createRandom(seed, `worker-${worker}`)
    while (performance.now() < endsAt) {
      const kind = random.pick(lots)
      const fault = await judge(kind, url, random.below(1_000_000))
      if (fault !== undefined && failures.length < SHOWN_MAX) failures.push({ id: kind.name, message: fault })
      cases += 1
      if (options.isShort || performance.now() > isWarmAt) await Bun.sleep(PAUSE_MS)
      if (cases % 1000 === 0) report(`${cases.toLocaleString('en')} exchanges`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, (_, worker) => work(worker)))
  return { cases, failures }
}

async function judge(kind: Kind, url: string, n: number): Promise<string | undefined> {
  const seen: Seen | string = await exchange(kind, url, n).catch((thrown: unknown) => String(thrown))
  if (typeof seen === 'string') return `There was no answer: ${seen}`
  return kind.isRight(seen) ? undefined : `${seen.status}, ${seen.end}: ${seen.text.slice(0, 200)}`
}

/** Reads a process's memory at intervals, until it is stopped. */
function watchMemory(pid: number): { readonly readings: readonly Reading[]; readonly stop: () => readonly Reading[] } {
  const readings: Reading[] = []
  const startedAt = performance.now()
  const timer = setInterval(() => readings.push({ ms: performance.now() - startedAt, mib: rssMib(pid) }), READ_EVERY_MS)
  return {
    readings,
    stop() {
      clearInterval(timer)
      return readings
    },
  }
}

/** Writes another configuration at intervals; gives how many have been taken. */
function keepReloading(gateway: TestGateway, write: (n: number) => void): { readonly stop: () => number } {
  let n = 0
  const timer = setInterval(() => write(++n), RELOAD_EVERY_MS)
  return {
    stop() {
      clearInterval(timer)
      return gateway.lines.filter(({ msg }) => String(msg).toLowerCase().includes('configuration reloaded')).length
    },
  }
}

function configurationOf(upstream: string, n: number): object {
  return {
    upstreams: {
      good: { base_url: `${upstream}/v1` },
      // What fails here fails on purpose, and each call is to be asked.
      faulty: { base_url: `${upstream}/v1`, breaker: false },
    },
    models: {
      faulty: { targets: [{ upstream: 'faulty' }], retry: { attempts: 1 } },
      good: { targets: [{ upstream: 'good' }] },
    },
    params: [{ clamp: { max_tokens: { max: 1000 + n } } }],
  }
}

function judgeSlope(
  readings: readonly Reading[],
  ms: number,
): { readonly slope: number; readonly fault: string | undefined } {
  const slope = slopeOf(
    readings.filter((reading) => reading.ms > ms * WARM_SHARE),
    WINDOW_MS,
  )
  return { slope, fault: slope <= SLOPE_MIB_MAX ? undefined : `Memory grew by ${slope.toFixed(2)} MiB a minute.` }
}

async function run(options: HardeningRun): Promise<HardeningResult> {
  const ms = options.isShort ? SHORT_MS : LONG_MS
  const upstream = await startScriptedUpstream((request, connection) => {
    const kind = KINDS.find(({ name }) => name === request.header(KIND_HEADER))
    return kind?.answer(connection, request)
  })
  const file = writeConfigFile(configurationOf(upstream.url, 0))
  const gateway = await startGateway({
    env: {
      NEXCODE_CONFIG: file.path,
      CACHE: 'memory',
      CACHE_MAX_BYTES: '4MiB',
      IDEMPOTENCY_WINDOW_MS: '10s',
    },
    command: gatewayCommand(),
  })
  try {
    const isMemoryRead = CAN_READ_MEMORY && !options.isShort
    const memory = watchMemory(gateway.child?.pid ?? process.pid)
    const reloads = keepReloading(gateway, (n) => file.write(JSON.stringify(configurationOf(upstream.url, n))))
    const from = performance.now()
    const soaked = await play(gateway.url, { isWarmAt: from + ms * WARM_SHARE, endsAt: from + ms }, options)
    const { failures } = soaked
    let { cases } = soaked
    if (isMemoryRead && judgeSlope(memory.readings, ms).fault !== undefined) {
      const more = await play(gateway.url, { isWarmAt: 0, endsAt: performance.now() + DOUBT_MS }, options)
      cases += more.cases
      failures.push(...more.failures)
    }
    const figures: Record<string, string | number> = { 'unexplained errors': failures.length, reloads: reloads.stop() }
    const readings = memory.stop()
    const logged = gateway.lines.filter(({ level }) => Number(level) >= ERROR_LEVEL)
    failures.push(
      ...logged.slice(0, SHOWN_MAX).map((line) => ({ id: 'log', message: JSON.stringify(line).slice(0, 300) })),
    )
    if (figures['reloads'] === 0)
      failures.push({ id: 'reload', message: 'No configuration was taken in all of the time.' })
    if (gateway.child?.exitCode !== null)
      failures.push({ id: 'exit', message: `It ended with ${gateway.child?.exitCode}.` })
    if (isMemoryRead) {
      const { slope, fault } = judgeSlope(readings, ms)
      figures['RSS slope, MiB/min'] = Number(slope.toFixed(2))
      figures['RSS at the end, MiB'] = Math.round(readings.at(-1)?.mib ?? 0)
      if (fault !== undefined) failures.push({ id: 'slope', message: fault })
    }
    return { cases, failures, figures }
  } finally {
    await gateway.stop()
    await upstream.close()
    file.remove()
  }
}

/** Promise 14: it runs for long. */
export const suite: HardeningSuite = {
  number: 14,
  name: 'soak',
  promise: 'It runs for long',
  run,

  async prove() {
    const leaking = Array.from({ length: 240 }, (_, second) => ({
      ms: second * 1000,
      mib: 100 + second / 30 + (second % 7),
    }))
    if (judgeSlope(leaking, 240_000).fault === undefined) throw new Error('Two MiB a minute went unseen.')
    const steady = leaking.map(({ ms }, second) => ({ ms, mib: 100 + (second % 7) }))
    if (judgeSlope(steady, 240_000).fault !== undefined) throw new Error('What does not grow was taken for growth.')
    // Ends each stream early and properly, says 200 to everything, and forgets a word.
    const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('data: {}\n\n') })
    try {
      const found = await Promise.all(KINDS.map((kind) => judge(kind, `http://127.0.0.1:${server.port}`, 1)))
      const missed = KINDS.filter((_, index) => found[index] === undefined).map(({ name }) => name)
      if (missed.length > 0) throw new Error(`A wrong answer went unseen: ${missed.join(', ')}`)
    } finally {
      await server.stop(true)
    }
  },
}
