import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RedisClient } from 'bun'
import { createBookingQueue } from '../../../src/ledger/booking-queue.ts'
import { openLocalLimiter } from '../../../src/ledger/counters/local-limiter.ts'
import { openLedger } from '../../../src/ledger/open-ledger.ts'
import { LIMITS_PREFIX } from '../../../src/ledger/redis/redis-limit-scripts.ts'
import { startRedis } from '../../helpers/redis.ts'
import { createRandom } from '../random.ts'
import type { HardeningFailure, HardeningResult, HardeningRun, HardeningSuite } from '../suite.ts'
import { runSocketRace, type SocketRace } from './socket-race.ts'
import { budgetsOf, KEYS, openRedis, type SpenderForm } from './spending.ts'

const SPENDER = join(import.meta.dir, 'spender.ts')
/** 64 callers: so many processes, each with so many. */
const PROCESSES = 4
const CALLERS = 16
/** What a call costs on average, in nano-dollars. */
const MEAN_COST = 220

/** A race: who decides, how many calls each caller makes, and what is done to the processes meanwhile. */
interface Race {
  readonly id: string
  readonly calls: number
  readonly isRedis: boolean
  readonly kills: number
  readonly isWrong?: boolean
}

/** What a race has come to. */
interface Raced {
  readonly failures: readonly HardeningFailure[]
  readonly kills: number
  readonly overspent: bigint
  readonly leaked: bigint
}

/** Runs one process until it has made all its calls, and starts it again whenever it is killed. */
async function spend(form: SpenderForm, onStart: (child: Bun.Subprocess) => void): Promise<void> {
  let left = form.calls
  for (let run = 0; ; run += 1) {
    const command = [process.execPath, SPENDER, JSON.stringify({ ...form, name: `${form.name}-${run}`, calls: left })]
    const child = Bun.spawn(command, { stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' })
    onStart(child)
    const decoder = new TextDecoder()
    let said = ''
    for await (const chunk of child.stdout) said += decoder.decode(chunk, { stream: true })
    await child.exited
    const lines = said.split('\n').filter((line) => line !== '')
    if (lines.includes('end')) return
    if (child.signalCode !== 'SIGKILL') throw new Error(`A process has ended by itself: ${child.exitCode}`)
    const told = lines.map(Number).filter((number) => !Number.isNaN(number))
    left = Math.min(left, ...told)
  }
}

async function run(race: Race, { seed, report }: Pick<HardeningRun, 'seed' | 'report'>): Promise<Raced> {
  const folder = mkdtempSync(join(tmpdir(), 'nexcode-money-'))
  const server = race.isRedis ? await startRedis() : undefined
  const store = `sqlite:${join(folder, 'ledger.sqlite')}`
  const all = race.calls * CALLERS * PROCESSES
  // Two thirds of what they would spend: the last calls of all are refused.
  const projectLimit = Math.round(all * MEAN_COST * 0.66)
  const form = {
    ...{ store, folder: join(folder, 'counters'), seed, callers: CALLERS, calls: race.calls * CALLERS },
    ...{ keyLimit: Math.round(projectLimit / 6), projectLimit, isWrong: race.isWrong === true },
    ...(server !== undefined && { redis: server.url }),
  }
  const random = createRandom(seed, race.id)
  const children = new Map<string, Bun.Subprocess>()
  let [isOver, kills] = [false, 0]
  const kill = async (): Promise<void> => {
    while (!isOver && kills < race.kills) {
      await Bun.sleep(300 + random.below(700))
      if (isOver) return
      children.get(`${race.id}-${random.below(PROCESSES)}`)?.kill('SIGKILL')
      kills += 1
      report(`${race.id}: ${kills} of ${race.kills} kills`)
      if (server === undefined || kills !== Math.ceil(race.kills / 2)) continue
      await server.kill()
      await server.restart()
    }
  }
  try {
    // It makes the ledger, so that the others need not do so at the same time.
    await (await openLedger(store)).close()
    const killing = kill()
    await Promise.all(
      Array.from({ length: PROCESSES }, (_, number) => {
        const name = `${race.id}-${number}`
        return spend({ ...form, name }, (child) => children.set(name, child))
      }),
    )
    isOver = true
    await killing
    return { ...(await judge(race, form, server?.url)), kills }
  } finally {
    isOver = true
    for (const child of children.values()) child.kill('SIGKILL')
    await server?.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Compares what was spent with the limits, with what is shown, and with the books. */
async function judge(
  { id }: Race,
  form: Omit<SpenderForm, 'name'>,
  redis: string | undefined,
): Promise<Omit<Raced, 'kills'>> {
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const ledger = await openLedger(form.store)
  const bookings = createBookingQueue({ ledger, log })
  const deps = { ledger, bookings, log }
  const limiter =
    redis === undefined ? await openLocalLimiter({ folder: form.folder, ...deps }) : openRedis(redis, deps)
  if (redis !== undefined) await expireLeases(redis)
  if ('tick' in limiter) for (let tick = 0; tick < 300; tick += 1) await limiter.tick()
  await bookings.flush()
  const failures: HardeningFailure[] = []
  let [overspent, leaked] = [0n, 0n]
  const scopes = [...KEYS.flatMap((key) => budgetsOf(key, form).slice(0, 1)), ...budgetsOf('', form).slice(1)]
  for (const budget of scopes) {
    const { keyId, projectId, from, to, limit } = budget
    const { spent, held } = await limiter.look(budget)
    const booked = await ledger.spent(keyId === undefined ? { projectId: projectId ?? '' } : { keyId }, from, to)
    if (booked > limit) overspent += booked - limit
    leaked += held
    const told = `${keyId ?? projectId}: limit ${limit}, booked ${booked}, enforced ${spent}, held ${held}`
    if (booked > limit || held !== 0n || spent !== booked || booked === 0n) failures.push({ id, message: told })
  }
  await limiter.close()
  await bookings.close()
  await ledger.close()
  return { failures, overspent, leaked }
}

/** Has the leases of calls run out whose processes are gone. */
async function expireLeases(url: string): Promise<void> {
  const client = new RedisClient(url)
  for (const id of (await client.send('ZRANGE', [`${LIMITS_PREFIX}:leases`, '0', '-1'])) as string[])
    await client.send('ZADD', [`${LIMITS_PREFIX}:leases`, '1', id])
  client.close()
}

async function runAll({ seed, isShort, only, report }: HardeningRun): Promise<HardeningResult> {
  const races: readonly Race[] = isShort
    ? [
        { id: 'one-machine', calls: 200, isRedis: false, kills: 4 },
        { id: 'nodes-on-redis', calls: 60, isRedis: true, kills: 3 },
      ]
    : [
        { id: 'one-machine', calls: 10_000, isRedis: false, kills: 60 },
        { id: 'nodes-on-redis', calls: 2_000, isRedis: true, kills: 20 },
      ]
  const failures: HardeningFailure[] = []
  const totals = { cases: 0, kills: 0, overspent: 0n, leaked: 0n }
  for (const race of races) {
    if (only !== undefined && only !== race.id) continue
    const raced = await run(race, { seed, report })
    failures.push(...raced.failures)
    totals.cases += race.calls * CALLERS * PROCESSES
    totals.kills += raced.kills
    totals.overspent += raced.overspent
    totals.leaked += raced.leaked
  }
  for (const form of isShort ? SHORT_SOCKETS : LONG_SOCKETS) {
    if (only !== undefined && only !== form.id) continue
    const raced = await runSocketRace({ ...form, seed }, report)
    const { answered, spent, held, left, others } = raced.counts
    failures.push(...raced.wrong.map((message) => ({ id: form.id, message })))
    for (const [message] of others) failures.push({ id: form.id, message })
    if (answered === 0 || spent === 0 || raced.kills === 0)
      failures.push({ id: form.id, message: 'There was no race.' })
    totals.cases += answered + spent + held + left
    totals.kills += raced.kills
    totals.overspent += raced.overspent
    totals.leaked += raced.leaked
  }
  const figures = {
    'overspent, n$': String(totals.overspent),
    'left held, n$': String(totals.leaked),
    kills: totals.kills,
  }
  return { cases: totals.cases, failures, figures }
}

/** Races against the program itself, over sockets. */
const SOCKETS = {
  ...{ onDown: 'refuse' as const, callers: 64, calls: 10_000, secondsMax: 60, killEveryMs: 3000, redisKillEveryMs: 0 },
  callsOfKey: 100,
}
const ONE_NODE = { ...SOCKETS, id: 'over-sockets', nodes: 1, isShared: false }
const LONG_SOCKETS: readonly Omit<SocketRace, 'seed'>[] = [
  ONE_NODE,
  { ...SOCKETS, id: 'two-nodes-over-sockets', nodes: 2, isShared: true, redisKillEveryMs: 12_000 },
]
const SHORT_SOCKETS = [{ ...ONE_NODE, secondsMax: 2.5, killEveryMs: 800, callsOfKey: 20 }]

/** Callers who look first and take afterwards: they overspend. */
async function prove(): Promise<void> {
  const wrong = { id: 'wrong', calls: 60, isRedis: false, kills: 0, isWrong: true }
  const { overspent } = await run(wrong, { seed: 1, report: () => undefined })
  if (overspent === 0n)
    throw new Error('Nothing was seen to be overspent where limits are looked at first, and taken afterwards.')
}

/** Promise 16: callers who race for budgets, while their processes are killed and what decides comes and goes. */
export const suite: HardeningSuite = {
  number: 16,
  name: 'money',
  promise:
    'A budget is never overspent, nothing stays held, and what is enforced is what is booked: over races, cancels, faults, kill -9, and a Redis that is lost',
  prove,
  run: runAll,
}
