import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { join } from 'node:path'
import type { Claim, Claims, ClaimTimes } from '../../../src/storage/claims.ts'
import { createMemoryClaims } from '../../../src/storage/memory/memory-claims.ts'
import { openStore } from '../../../src/storage/open-store.ts'
import type { Store } from '../../../src/storage/store.ts'
import { REDIS_MISSING, type RedisServer, startRedis } from '../../helpers/redis.ts'
import { makeFolder, SILENT, WIDE } from './stores-under-test.ts'

setDefaultTimeout(60_000)

/** One kind of claims. */
interface Subject {
  readonly name: string
  readonly missing: string | undefined
  readonly open: (bytesMax?: number) => Promise<Claims>
  /** Lets time pass for what it keeps. */
  readonly pass: (ms: number) => Promise<void>
  /** Whether a claim is lost when its lease is over; else it is its process's. */
  readonly hasLeases: boolean
  /** Whether it keeps to bounds by itself. */
  readonly isBounded: boolean
}

const folder = makeFolder()
let redis: RedisServer | undefined
const stores: Store[] = []
afterAll(async () => {
  for (const store of stores) await store.close()
  await redis?.kill()
  folder.remove()
})

let at = 1_800_000_000_000
const now = (): number => at
const pass = async (ms: number): Promise<void> => {
  at += ms
}

async function claimsOf(spec: string, bytesMax: number, clock: () => number): Promise<Claims> {
  const store = openStore(spec, { ...WIDE, bytesMax, now: clock, log: SILENT })
  stores.push(store)
  await store.purge()
  if (store.claims === undefined) throw new Error('This store has no claims.')
  return store.claims
}

let files = 0
const SUBJECTS: readonly Subject[] = [
  {
    ...{ name: 'memory', missing: undefined, pass, hasLeases: false, isBounded: true },
    open: async (bytesMax = WIDE.bytesMax) => createMemoryClaims({ bytesMax: () => bytesMax, now }),
  },
  {
    ...{ name: 'sqlite', missing: undefined, pass, hasLeases: true, isBounded: true },
    async open(bytesMax = WIDE.bytesMax) {
      files += 1
      return claimsOf(`sqlite:${join(folder.path, `${files}.db`)}`, bytesMax, now)
    },
  },
  {
    // It has a clock of its own.
    ...{ name: 'redis', missing: REDIS_MISSING, pass: (ms: number) => Bun.sleep(ms + 20), hasLeases: true },
    isBounded: false,
    async open(bytesMax = WIDE.bytesMax) {
      redis ??= await startRedis()
      return claimsOf(redis.url, bytesMax, Date.now)
    },
  },
]

const TIMES: ClaimTimes = { leaseMs: 900, windowMs: 1800 }
const PRINT = 'ab'.repeat(32)
let ids = 0

function newClaim(changes: Partial<Claim> = {}): Claim {
  ids += 1
  return { id: `claim-${ids}`, token: crypto.randomUUID(), fingerprint: PRINT, scope: 'someone', ...changes }
}

/** The same key, as another process would take it. */
function rivalOf(claim: Claim, fingerprint = PRINT): Claim {
  return { ...claim, token: crypto.randomUUID(), fingerprint }
}

const ANSWER = crypto.getRandomValues(new Uint8Array(5_000))

for (const { name, missing, open, pass: wait, hasLeases, isBounded } of SUBJECTS) {
  describe.skipIf(missing !== undefined)(`claims in ${name}${missing === undefined ? '' : ` (${missing})`}`, () => {
    test('are one’s: others see that it is under way, and for which request', async () => {
      const claims = await open()
      const claim = newClaim()
      expect(await claims.look(claim.id)).toEqual({ kind: 'free' })
      expect(await claims.take(claim, TIMES)).toEqual({ kind: 'taken' })
      expect(await claims.take(claim, TIMES)).toEqual({ kind: 'taken' })
      const seen = { kind: 'running', fingerprint: PRINT } as const
      expect(await claims.take(rivalOf(claim, 'cd'.repeat(32)), TIMES)).toEqual(seen)
      expect(await claims.look(claim.id)).toEqual(seen)
    })

    test('end with an answer, byte for byte, for as long as they are kept, and are free then', async () => {
      const claims = await open()
      const claim = newClaim()
      await claims.take(claim, TIMES)
      await claims.end(claim, { kind: 'answered', answer: ANSWER }, TIMES)
      const seen = { kind: 'answered', fingerprint: PRINT, answer: ANSWER } as const
      expect(await claims.take(rivalOf(claim), TIMES)).toEqual(seen)
      expect(await claims.look(claim.id)).toEqual(seen)
      await wait(TIMES.windowMs)
      expect(await claims.look(claim.id)).toEqual({ kind: 'free' })
      expect(await claims.take(rivalOf(claim), TIMES)).toEqual({ kind: 'taken' })
    })

    test('end without one that can be given again, or without anybody knowing', async () => {
      const claims = await open()
      for (const kind of ['unkept', 'lost'] as const) {
        const claim = newClaim()
        await claims.take(claim, TIMES)
        await claims.end(claim, { kind }, TIMES)
        expect(await claims.take(rivalOf(claim), TIMES)).toEqual({ kind, fingerprint: PRINT })
      }
    })

    test('are given back as if they had not been taken', async () => {
      const claims = await open()
      const claim = newClaim()
      await claims.take(claim, TIMES)
      await claims.release(claim)
      expect(await claims.look(claim.id)).toEqual({ kind: 'free' })
      expect(await claims.take(rivalOf(claim), TIMES)).toEqual({ kind: 'taken' })
      await claims.release(newClaim())
    })

    test('are not touched by whoever does not hold them', async () => {
      const claims = await open()
      const claim = newClaim()
      await claims.take(claim, TIMES)
      const rival = rivalOf(claim)
      await claims.release(rival)
      await claims.renew(rival, TIMES)
      await claims.end(rival, { kind: 'answered', answer: ANSWER }, TIMES)
      expect(await claims.look(claim.id)).toMatchObject({ kind: 'running' })
      await claims.end(claim, { kind: 'unkept' }, TIMES)
      await claims.release(claim)
      expect(await claims.look(claim.id)).toMatchObject({ kind: 'unkept' })
    })

    test('of another caller are none of its affair', async () => {
      const claims = await open()
      const [one, other] = [newClaim(), newClaim({ scope: 'somebody else' })]
      for (const claim of [one, other]) expect(await claims.take(claim, TIMES)).toEqual({ kind: 'taken' })
    })

    if (hasLeases)
      test('are lost when nobody has renewed them, which is known for a while', async () => {
        const claims = await open()
        const claim = newClaim()
        await claims.take(claim, TIMES)
        await wait(TIMES.leaseMs * (2 / 3))
        await claims.renew(claim, TIMES)
        await wait(TIMES.leaseMs * (2 / 3))
        expect(await claims.look(claim.id)).toMatchObject({ kind: 'running' })
        await wait(TIMES.leaseMs)
        const lost = { kind: 'lost', fingerprint: PRINT } as const
        expect([await claims.look(claim.id), await claims.take(rivalOf(claim), TIMES)]).toEqual([lost, lost])
        await wait(TIMES.windowMs)
        expect(await claims.take(rivalOf(claim), TIMES)).toEqual({ kind: 'taken' })
      })

    if (hasLeases)
      test('that were taken for lost end all the same when their process comes back', async () => {
        const claims = await open()
        const claim = newClaim()
        await claims.take(claim, TIMES)
        await wait(TIMES.leaseMs)
        expect(await claims.look(claim.id)).toMatchObject({ kind: 'lost' })
        await claims.end(claim, { kind: 'answered', answer: ANSWER }, TIMES)
        expect(await claims.look(claim.id)).toMatchObject({ kind: 'answered', answer: ANSWER })
      })

    if (isBounded)
      test('of one caller give way to its own only, and it stays known that they were answered', async () => {
        const claims = await open(100_000)
        const keep = async (scope: string): Promise<Claim> => {
          const claim = newClaim({ scope })
          expect(await claims.take(claim, TIMES)).toEqual({ kind: 'taken' })
          await claims.end(claim, { kind: 'answered', answer: ANSWER }, TIMES)
          return claim
        }
        const mine = await keep('one')
        const others: Claim[] = []
        for (let n = 0; n < 20; n += 1) others.push(await keep('other'))
        expect(await claims.look(mine.id)).toMatchObject({ kind: 'answered' })
        const kinds = await Promise.all(others.map(async ({ id }) => (await claims.look(id)).kind))
        expect(kinds[0]).toBe('unkept')
        expect(kinds.at(-1)).toBe('answered')
        expect(kinds).not.toContain('free')
      })

    if (isBounded)
      test('there is no room for are refused, as long as the others stand', async () => {
        const claims = await open(40_000)
        const taken: Claim[] = []
        for (;;) {
          const claim = newClaim({ scope: 'greedy' })
          if ((await claims.take(claim, TIMES)).kind === 'full') break
          taken.push(claim)
        }
        expect(taken.length).toBeGreaterThan(5)
        expect(await claims.take(newClaim({ scope: 'modest' }), TIMES)).toEqual({ kind: 'taken' })
        const [first] = taken
        if (first !== undefined) await claims.release(first)
        expect(await claims.take(newClaim({ scope: 'greedy' }), TIMES)).toEqual({ kind: 'taken' })
      })

    test('an answer that is larger than all there is room for is not kept', async () => {
      const claims = await open(4_000)
      const claim = newClaim()
      await claims.take(claim, TIMES)
      await claims.end(claim, { kind: 'answered', answer: ANSWER }, TIMES)
      expect(await claims.look(claim.id)).toEqual({ kind: 'unkept', fingerprint: PRINT })
    })
  })
}

describe('claims that processes share', () => {
  const specs: readonly (readonly [string, string | undefined, () => Promise<string>])[] = [
    ['sqlite', undefined, async () => `sqlite:${join(folder.path, 'together.db')}`],
    [
      'redis',
      REDIS_MISSING,
      async () => {
        redis ??= await startRedis()
        return redis.url
      },
    ],
  ]
  const program = new URL('programs/take-claims.ts', import.meta.url).pathname

  for (const [name, missing, specOf] of specs) {
    test.skipIf(missing !== undefined)(`in ${name} are each one’s: four processes take 300 at once`, async () => {
      const spec = await specOf()
      const store = openStore(spec, { ...WIDE, now: Date.now, log: SILENT })
      await store.purge()
      const processes = Array.from({ length: 4 }, () =>
        Bun.spawn([process.execPath, program, spec, '300'], { stdout: 'pipe', stderr: 'inherit' }),
      )
      const got = (await Promise.all(
        processes.map(async ({ stdout }) => JSON.parse(await new Response(stdout).text()) as number[]),
      )) as readonly number[][]
      const all = got.flat()
      expect(all.length).toBe(300)
      expect(new Set(all).size).toBe(300)
      await store.close()
    })

    test.skipIf(missing !== undefined)(
      `in ${name} a purge leaves what is under way, and takes what has ended`,
      async () => {
        const store = openStore(await specOf(), { ...WIDE, now: Date.now, log: SILENT })
        const { claims } = store
        if (claims === undefined) throw new Error('This store has no claims.')
        await store.purge()
        const times = { leaseMs: 60_000, windowMs: 60_000 }
        const [running, answered, others] = [newClaim(), newClaim(), newClaim({ scope: 'somebody else' })]
        for (const claim of [running, answered, others]) await claims.take(claim, times)
        for (const claim of [answered, others]) await claims.end(claim, { kind: 'answered', answer: ANSWER }, times)
        expect((await store.stats()).entries).toBe(2)
        expect(await store.purge('someone')).toBeGreaterThan(0)
        const kinds = async (): Promise<unknown[]> =>
          Promise.all([running, answered, others].map(async ({ id }) => (await claims.look(id)).kind))
        expect(await kinds()).toEqual(['running', 'free', 'answered'])
        await store.purge()
        expect(await kinds()).toEqual(['running', 'free', 'free'])
        await store.close()
      },
    )
  }
})

test('a clock that is put forward by more than a window frees no claim in SQLite that somebody has, and one that is put back none either', async () => {
  files += 1
  const claims = claimsOf(`sqlite:${join(folder.path, `${files}.db`)}`, WIDE.bytesMax, now)
  const store = await claims
  const claim = newClaim()
  await store.take(claim, TIMES)
  at += 100 * (TIMES.leaseMs + TIMES.windowMs)
  expect(await store.look(claim.id)).toMatchObject({ kind: 'lost' })
  // Taking another one sweeps.
  await store.take(newClaim(), TIMES)
  expect(await store.take(rivalOf(claim), TIMES)).toMatchObject({ kind: 'lost' })
  await store.end(claim, { kind: 'answered', answer: ANSWER }, TIMES)
  expect(await store.take(rivalOf(claim), TIMES)).toMatchObject({ kind: 'answered' })
  at -= 1000 * TIMES.windowMs
  expect(await store.take(rivalOf(claim), TIMES)).toMatchObject({ kind: 'answered' })
})

test('a claim in SQLite whose process died long ago is lost for one window more, and free then', async () => {
  files += 1
  const store = await claimsOf(`sqlite:${join(folder.path, `${files}.db`)}`, WIDE.bytesMax, now)
  const claim = newClaim()
  await store.take(claim, TIMES)
  at += 2 * (TIMES.leaseMs + TIMES.windowMs)
  expect(await store.take(rivalOf(claim), TIMES)).toMatchObject({ kind: 'lost' })
  at += TIMES.windowMs
  expect(await store.take(rivalOf(claim), TIMES)).toEqual({ kind: 'taken' })
})
