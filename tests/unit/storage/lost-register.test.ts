import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Claim, Claims, ClaimTimes, Taken } from '../../../src/storage/claims.ts'
import { openStore } from '../../../src/storage/open-store.ts'
import { REDIS_MISSING, type RedisServer, startRedis } from '../../helpers/redis.ts'
import { SILENT, WIDE } from './stores-under-test.ts'

setDefaultTimeout(60_000)

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

const TIMES: ClaimTimes = { leaseMs: 30_000, windowMs: 600_000 }
const ANSWER = new Uint8Array(2_000).fill(7)
let ids = 0

function newClaim(): Claim {
  ids += 1
  return { id: `lost-${ids}`, token: crypto.randomUUID(), fingerprint: 'ab'.repeat(32), scope: 'someone' }
}

const rivalOf = (claim: Claim): Claim => ({ ...claim, token: crypto.randomUUID() })

/** One process's view of a store. */
function open(spec: string): { readonly claims: Claims; readonly warnings: string[] } {
  const warnings: string[] = []
  const log = { ...SILENT, warn: (...said: readonly unknown[]) => void warnings.push(String(said.at(-1))) }
  const store = openStore(spec, { ...WIDE, now: Date.now, log })
  cleanUps.push(() => store.close())
  if (store.claims === undefined) throw new Error('This store has no claims.')
  return { claims: store.claims, warnings }
}

/** Takes a claim as soon as the register takes any; rejects are what a caller is told 503 for. */
async function takeInTime(claims: Claims, claim: Claim): Promise<Taken> {
  for (;;) {
    try {
      return await claims.take(claim, TIMES)
    } catch {
      await Bun.sleep(20)
    }
  }
}

const LOSSES: readonly (readonly [string, (redis: RedisServer, raw: Bun.RedisClient) => Promise<void>])[] = [
  [
    'begins anew',
    async (redis) => {
      await redis.kill()
      await redis.restart()
    },
  ],
  ['is emptied', async (_redis, raw) => void (await raw.send('FLUSHALL', []))],
  [
    'lets go of all that has an end',
    async (_redis, raw) => {
      for (const key of await raw.keys('nexcode:*')) await raw.del(key)
    },
  ],
  [
    'is another one, which has not all that the one before it had',
    async (_redis, raw) => {
      // The mark came over in time; the claims behind it did not.
      await raw.set('nexcode:register', 'abcdef an earlier one')
      for (const key of await raw.keys('nexcode:*')) if (key !== 'nexcode:register') await raw.del(key)
    },
  ],
]

describe.skipIf(REDIS_MISSING !== undefined)('where a Redis', () => {
  test.each(LOSSES)('%s, what a process knows is written down again before anybody takes it', async (_what, lose) => {
    const redis = await startRedis()
    cleanUps.push(() => redis.kill())
    const raw = new Bun.RedisClient(redis.url)
    cleanUps.push(() => raw.close())
    const [one, other] = [open(redis.url), open(redis.url)]
    await Promise.all([one.claims.ready?.(), other.claims.ready?.()])
    const [held, answered, unknown, released] = [newClaim(), newClaim(), newClaim(), newClaim()]
    for (const claim of [held, answered, unknown, released]) await takeInTime(one.claims, claim)
    await one.claims.end(answered, { kind: 'answered', answer: ANSWER }, TIMES)
    await one.claims.end(unknown, { kind: 'lost' }, TIMES)
    await one.claims.release(released)
    await lose(redis, raw)
    const taken = await Promise.all(
      [held, answered, unknown, released].map((claim) => takeInTime(other.claims, rivalOf(claim))),
    )
    expect(taken.map(({ kind }) => kind)).toEqual(['running', 'unkept', 'lost', 'taken'])
    expect(one.warnings).toEqual([
      'the store has begun anew, or is another one: Idempotency-Keys that this process knows are written down there again',
    ])
  })

  test('is met for the first time, claims are taken when it is certain that nobody held any', async () => {
    const redis = await startRedis()
    cleanUps.push(() => redis.kill())
    const raw = new Bun.RedisClient(redis.url)
    cleanUps.push(() => raw.close())
    await raw.send('FLUSHALL', [])
    const { claims } = open(redis.url)
    await expect(claims.take(newClaim(), TIMES)).rejects.toThrow('begun anew')
    expect(await takeInTime(claims, newClaim())).toEqual({ kind: 'taken' })
  })

  test('has let go of the end of one claim alone, the process that made it knows', async () => {
    const redis = await startRedis()
    cleanUps.push(() => redis.kill())
    const raw = new Bun.RedisClient(redis.url)
    cleanUps.push(() => raw.close())
    const { claims } = open(redis.url)
    const claim = newClaim()
    await takeInTime(claims, claim)
    await claims.end(claim, { kind: 'answered', answer: ANSWER }, TIMES)
    for (const key of await raw.keys(`*${claim.id}*`)) await raw.del(key)
    expect(await claims.take(rivalOf(claim), TIMES)).toEqual({ kind: 'unkept', fingerprint: claim.fingerprint })
    // And so does everybody else from now on.
    const { claims: others } = open(redis.url)
    expect(await others.take(rivalOf(claim), TIMES)).toEqual({ kind: 'unkept', fingerprint: claim.fingerprint })
  })

  test('makes room by letting go of keys, the log says so, once', async () => {
    const redis = await startRedis(['--maxmemory', '3mb', '--maxmemory-policy', 'allkeys-random'])
    cleanUps.push(() => redis.kill())
    const raw = new Bun.RedisClient(redis.url)
    cleanUps.push(() => raw.close())
    const { claims, warnings } = open(redis.url)
    await claims.ready?.()
    for (let filling = 0; filling < 300; filling += 1) await raw.set(`filling-${filling}`, 'x'.repeat(20_000))
    const claim = newClaim()
    await takeInTime(claims, claim)
    const said = (): number => warnings.filter((words) => words.includes('lets go of keys')).length
    while (said() === 0) await Bun.sleep(50)
    await Bun.sleep(1_200)
    expect(said()).toBe(1)
  })
})
