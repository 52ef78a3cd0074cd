import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLedger } from '../../../src/ledger/open-ledger.ts'
import { startPostgres } from '../../helpers/postgres.ts'
import { startRedis } from '../../helpers/redis.ts'
import { createRandom, type Random } from '../random.ts'
import { type RaceCounts, race } from './race-callers.ts'
import { type Administer, createRaceKeys, type RaceKey, type RaceKeys } from './race-keys.ts'
import { administerBy, type RaceNode, startRaceNode } from './race-nodes.ts'
import { type RaceUpstream, startRaceUpstream } from './race-upstream.ts'

/** A race for money over real sockets: callers against the program under test, which is killed meanwhile. */
export interface SocketRace {
  readonly id: string
  readonly nodes: number
  /** Nodes count together in Redis, and keep their books in Postgres; else one node does both by itself, in SQLite. */
  readonly isShared: boolean
  readonly onDown: 'refuse' | 'allow'
  readonly callers: number
  readonly calls: number
  readonly secondsMax: number
  /** The time between two kills of a node, and of Redis, in ms; 0: none. */
  readonly killEveryMs: number
  readonly redisKillEveryMs: number
  /** How many calls a key's budget is for, about. */
  readonly callsOfKey: number
  readonly seed: number
}

/** What a race has come to. Money in nano-dollars. */
export interface SocketRaced {
  readonly counts: RaceCounts
  readonly seconds: number
  readonly kills: number
  readonly redisKills: number
  readonly keys: number
  readonly booked: bigint
  /** What the upstream says that it bills; it knows of calls whose node was killed before it had seen their answer. */
  readonly billed: bigint
  readonly overspent: bigint
  /** What is still held when all leases have run out. */
  readonly leaked: bigint
  /** By how much what is enforced differs from the books, over all budgets. */
  readonly differs: bigint
  /** Budgets of which something is wrong. */
  readonly wrong: readonly string[]
}

const LEASE_WAIT_MS = 90_000
const NANO_CENTS = 10_000_000

/** Runs a race, and judges it by the books, by what is shown, and by what is enforced. */
export async function runSocketRace(
  form: SocketRace,
  report: (line: string) => void = () => undefined,
): Promise<SocketRaced> {
  const folder = mkdtempSync(join(tmpdir(), 'nexcode-race-'))
  const redis = form.isShared ? await startRedis() : undefined
  const postgres = form.isShared ? await startPostgres() : undefined
  const store = (await postgres?.database()) ?? `sqlite:${join(folder, 'ledger.sqlite')}`
  const random = createRandom(form.seed, form.id)
  const upstream = startRaceUpstream(random)
  const nodes: RaceNode[] = []
  try {
    for (let number = 0; number < form.nodes; number += 1) {
      const [limits, own] = [redis?.url, join(folder, `node-${number}`)]
      nodes.push(await startRaceNode({ upstream: upstream.url, store, limits, onDown: form.onDown, folder: own }))
    }
    const administer = administerBy(nodes)
    const keys = createRaceKeys(administer, random, form.callsOfKey)
    const startedAt = performance.now()
    const faults = injectFaults(form, { nodes, redis, random, report })
    const until = startedAt + form.secondsMax * 1000
    const { callers, calls } = form
    const counts = await race({ callers, calls, until, keys, random, nodes: () => nodes.map(({ url }) => url) })
    const seconds = (performance.now() - startedAt) / 1000
    const told = await faults.stop()
    report(`${form.id}: ${JSON.stringify(counts)} in ${seconds.toFixed(1)} s`)
    return { counts, seconds, ...told, ...(await judge(keys, { administer, store, upstream })) }
  } finally {
    for (const node of nodes) await node[Symbol.asyncDispose]()
    await upstream[Symbol.asyncDispose]()
    await redis?.kill()
    await postgres?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What may be killed in a race. */
interface Victims {
  readonly nodes: readonly RaceNode[]
  readonly redis: { readonly kill: () => Promise<void>; readonly restart: () => Promise<void> } | undefined
  readonly random: Random
  readonly report: (line: string) => void
}

/** Kills nodes, and Redis, from time to time, until it is stopped. */
function injectFaults(form: SocketRace, { nodes, redis, random, report }: Victims) {
  const over = Promise.withResolvers<'over'>()
  const done = { kills: 0, redisKills: 0 }
  const repeat = async (everyMs: number, fault: () => Promise<void>): Promise<void> => {
    if (everyMs === 0) return
    while ((await Promise.race([over.promise, Bun.sleep(everyMs * (0.5 + random.below(1000) / 1000))])) !== 'over')
      await fault()
  }
  const killNode = async (): Promise<void> => {
    await random.pick(nodes).restart()
    done.kills += 1
    if (done.kills % 10 === 0) report(`${form.id}: ${done.kills} kills`)
  }
  const killRedis = async (): Promise<void> => {
    await redis?.kill()
    await Bun.sleep(random.below(1500))
    await redis?.restart()
    done.redisKills += 1
  }
  const running = Promise.all([repeat(form.killEveryMs, killNode), repeat(form.redisKillEveryMs, killRedis)])
  return {
    async stop() {
      over.resolve('over')
      await running
      return done
    },
  }
}

/** Where the truth about a race is. */
interface Books {
  readonly administer: Administer
  readonly store: string
  readonly upstream: RaceUpstream
}

/** Compares each budget with the books, and with what is enforced, which the Administration API shows. */
async function judge(
  keys: RaceKeys,
  { administer, store, upstream }: Books,
): Promise<Omit<SocketRaced, 'counts' | 'seconds' | 'kills' | 'redisKills'>> {
  const [all, projects] = [await keys.made(), await keys.projects()]
  const budgets = [
    ...all.map((key) => ({ name: key.id, limit: key.limit, scope: { keyId: key.id }, of: 'key', key }) as const),
    ...all
      .filter(({ projectId }, at) => all.findIndex((other) => other.projectId === projectId) === at)
      .map((key) => {
        const { projectId } = key
        return {
          name: projectId,
          limit: projects.get(projectId) ?? 0n,
          scope: { projectId },
          of: 'project',
          key,
        } as const
      }),
  ]
  const end = performance.now() + LEASE_WAIT_MS
  const ledger = await openLedger(store)
  const to = (Math.floor(Date.now() / 900_000) + 2) * 900
  let wrong: string[] = []
  let [overspent, leaked, differs, booked] = [0n, 0n, 0n, 0n]
  try {
    do {
      wrong = []
      ;[overspent, leaked, differs, booked] = [0n, 0n, 0n, 0n]
      for (const { name, limit, scope, of, key } of budgets) {
        const { spent, reserved } = await shownTo(key, of, administer)
        const inBooks = await ledger.spent(scope, 0, to)
        if ('keyId' in scope) booked += inBooks
        overspent += inBooks > limit ? inBooks - limit : 0n
        leaked += reserved
        differs += spent > inBooks ? spent - inBooks : inBooks - spent
        if (inBooks > limit || reserved !== 0n || spent !== inBooks)
          wrong.push(`${name}: limit ${limit}, booked ${inBooks}, enforced ${spent}, held ${reserved}`)
      }
      if (wrong.length > 0) await Bun.sleep(500)
    } while ((leaked > 0n || differs > 0n) && performance.now() < end)
  } finally {
    await ledger.close()
  }
  const billed = [...upstream.billed.values()].reduce((sum, cost) => sum + cost, 0n)
  return { keys: all.length, booked, billed, overspent, leaked, differs, wrong }
}

/** What a key is shown of its own budget, or of its project's: what is enforced. */
async function shownTo(
  { secret }: RaceKey,
  of: 'key' | 'project',
  administer: Administer,
): Promise<{ readonly spent: bigint; readonly reserved: bigint }> {
  const own = (await administer('GET', '/projects/me/api_keys/me', undefined, secret)) as unknown as OwnKey
  const [{ spent, reserved } = { spent: -1, reserved: 0 }] = of === 'key' ? own.spend : own.project.spend
  return { spent: BigInt(Math.round(spent * NANO_CENTS)), reserved: BigInt(Math.round(reserved * NANO_CENTS)) }
}

/** As far as it is looked at. Money in cents. */
interface OwnKey {
  readonly spend: readonly { readonly spent: number; readonly reserved: number }[]
  readonly project: { readonly spend: OwnKey['spend'] }
}
