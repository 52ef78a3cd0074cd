import { REDIS_MISSING } from '../../helpers/redis.ts'
import { inPool } from '../pool.ts'
import type { HardeningFailure, HardeningResult, HardeningRun, HardeningSuite } from '../suite.ts'
import { makeHistory } from './history.ts'
import { type PaymentLedger, startPaymentLedger } from './payment-ledger.ts'
import { playHistory } from './play-history.ts'
import {
  type RunningWorld,
  startEmptiedWorld,
  startFailingWorld,
  startHedgedWorld,
  startKilledWorld,
  startMemoryWorld,
  startReloadedWorld,
  startSharedWorld,
  startWorkersWorld,
} from './worlds.ts'
import { startDeafWorld, startForgetfulWorld } from './wrong-gateways.ts'

const AT_ONCE = 24

/** A world, and how many histories are played in it. */
interface Part {
  readonly name: string
  readonly start: (ledger: PaymentLedger) => Promise<RunningWorld>
  readonly histories: number
  /** In the short form. */
  readonly few: number
  readonly needsRedis?: boolean
}

const PARTS: readonly Part[] = [
  { name: 'memory', start: startMemoryWorld, histories: 800, few: 40 },
  { name: 'hedged', start: startHedgedWorld, histories: 500, few: 40 },
  { name: 'sqlite', start: (ledger) => startSharedWorld(ledger, 'sqlite'), histories: 800, few: 40 },
  { name: 'redis', start: (ledger) => startSharedWorld(ledger, 'redis'), histories: 800, few: 40, needsRedis: true },
  { name: 'reloaded', start: startReloadedWorld, histories: 800, few: 40 },
  { name: 'workers', start: startWorkersWorld, histories: 400, few: 30 },
  { name: 'emptied', start: startEmptiedWorld, histories: 400, few: 0, needsRedis: true },
  { name: 'failing', start: startFailingWorld, histories: 300, few: 0, needsRedis: true },
  { name: 'killed-sqlite', start: (ledger) => startKilledWorld(ledger, 'sqlite'), histories: 250, few: 0 },
  {
    ...{ name: 'killed-redis', histories: 250, few: 0, needsRedis: true },
    start: (ledger) => startKilledWorld(ledger, 'redis'),
  },
]

interface Played {
  readonly cases: number
  readonly calls: number
  readonly disturbances: number
  readonly failures: readonly HardeningFailure[]
}

/** Plays histories in a world, while that is disturbed. */
async function playIn(
  start: Part['start'],
  ids: readonly string[],
  { seed, report }: Pick<HardeningRun, 'seed' | 'report'>,
): Promise<Played> {
  const ledger = await startPaymentLedger()
  const world = await start(ledger)
  const failures: HardeningFailure[] = []
  let [done, disturbances] = [0, 0]
  let isOver = false
  const disturbing = async (): Promise<void> => {
    while (!isOver && world.disturb !== undefined) {
      await Bun.sleep(world.everyMs)
      await world.disturb()
      disturbances += 1
    }
  }
  try {
    const disturbed = disturbing()
    await inPool(ids, AT_ONCE, async (id) => {
      const wrong = await playHistory(makeHistory(seed, id, world.servers().length), world, ledger)
      if (wrong.length > 0) failures.push({ id, message: wrong.join('; ') })
      done += 1
      if (done % 100 === 0) report(`${world.name}: ${done} of ${ids.length}`)
    })
    isOver = true
    await disturbed
    return { cases: ids.length, calls: ledger.calls(), disturbances, failures }
  } finally {
    isOver = true
    await world.stop()
    await ledger.close()
  }
}

function idsOf({ name, histories, few }: Part, { isShort, only }: HardeningRun): readonly string[] {
  const ids = Array.from({ length: isShort ? few : histories }, (_, number) => `${name}-${number}`)
  return only === undefined ? ids : ids.filter((id) => id === only)
}

async function run(options: HardeningRun): Promise<HardeningResult> {
  const failures: HardeningFailure[] = []
  const counts = { cases: 0, calls: 0, reloads: 0, kills: 0, pauses: 0, losses: 0 }
  for (const part of PARTS) {
    const ids = idsOf(part, options)
    if (ids.length === 0) continue
    if (part.needsRedis === true && REDIS_MISSING !== undefined) {
      options.report(`${part.name} is left out: ${REDIS_MISSING}`)
      continue
    }
    const played = await playIn(part.start, ids, options)
    failures.push(...played.failures)
    counts.cases += played.cases
    counts.calls += played.calls
    if (part.name === 'reloaded') counts.reloads += played.disturbances
    else if (part.name === 'emptied') counts.losses += played.disturbances
    else if (part.name === 'failing') counts.pauses += played.disturbances
    else counts.kills += played.disturbances
  }
  const { cases, calls, reloads, kills, pauses, losses } = counts
  const figures = { 'paid for twice': failures.length, histories: cases, 'upstream calls': calls }
  return {
    cases,
    failures,
    figures: { ...figures, kills, reloads, 'store at a standstill': pauses, 'store emptied': losses },
  }
}

/** A server that is deaf to the header, and one that only remembers what has ended: both pay twice. */
async function prove(): Promise<void> {
  for (const start of [startDeafWorld, startForgetfulWorld]) {
    const ids = Array.from({ length: 30 }, (_, number) => `wrong-${number}`)
    const { failures } = await playIn(async (ledger) => start(ledger), ids, { seed: 1, report: () => undefined })
    if (!failures.some(({ message }) => message.includes('was made although'))) {
      throw new Error(`No second payment was seen at a server that makes some: ${start.name}.`)
    }
  }
}

/** Promise 11: seeded histories of requests under one key each, in several worlds. */
export const suite: HardeningSuite = {
  number: 11,
  name: 'one-payment',
  promise:
    'One Idempotency-Key is one generation upstream: over retries, hedges, clients that leave, kills, reloads and a store that fails',
  prove,
  run,
}
