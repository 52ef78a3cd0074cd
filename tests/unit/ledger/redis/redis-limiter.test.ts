import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { RedisClient } from 'bun'
import { type BudgetDemand, type CallDemand, type Decision, LimiterError } from '../../../../src/ledger/limiter.ts'
import type { Booking } from '../../../../src/ledger/records.ts'
import { openRedisLimiter, type RedisLimiter } from '../../../../src/ledger/redis/redis-limiter.ts'
import { RedisConnection } from '../../../../src/storage/redis/redis-connection.ts'
import { StoreBreaker } from '../../../../src/storage/store-breaker.ts'
import { createDeadlines } from '../../../../src/timing/deadlines.ts'
import { REDIS_MISSING, type RedisServer, startRedis } from '../../../helpers/redis.ts'
import { booking } from '../counters/file-books.ts'

/** The books that all nodes of a test write to. */
class TestBooks {
  readonly booked = new Map<string, Booking>()
  isDown = false
  /** While it is so, rows wait. */
  isHeld = false
  #waiting: (() => void)[] = []

  spent(): Promise<bigint> {
    if (this.isDown) return Promise.reject(new Error('disk'))
    return Promise.resolve([...this.booked.values()].reduce((sum, { cost }) => sum + BigInt(cost), 0n))
  }

  add(one: Booking, onBooked: () => void): void {
    const write = (): void => {
      if (!this.booked.has(one.id)) this.booked.set(one.id, one)
      onBooked()
    }
    if (this.isHeld) this.#waiting.push(write)
    else write()
  }

  release(): void {
    this.isHeld = false
    for (const write of this.#waiting.splice(0)) write()
  }
}

const NOW = Date.UTC(2026, 10, 30, 12)
const PREFIX = '{nexcode-limits}'
let server: RedisServer
let admin: RedisClient
const nodes: RedisLimiter[] = []
const lines: object[] = []

beforeAll(async () => {
  if (REDIS_MISSING !== undefined) throw new Error(REDIS_MISSING)
  server = await startRedis()
  admin = new RedisClient(server.url)
})

afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.close()))
  lines.length = 0
})

afterAll(async () => {
  admin.close()
  await server.kill()
})

function node(books: TestBooks, url = server.url, waitMs = 2_000): RedisLimiter {
  const log = { warn: (fields: object) => lines.push(fields), info: (fields: object) => lines.push(fields) }
  const deadlines = createDeadlines()
  const limiter = openRedisLimiter({
    server: {
      connection: new RedisConnection(url, deadlines),
      breaker: (events) => new StoreBreaker(() => performance.now(), events),
      deadlines,
      waitMs,
    },
    ledger: books,
    bookings: books,
    log,
  })
  nodes.push(limiter)
  return limiter
}

/** Gives a key's own budget, so that tests do not meet. */
function budgetOf(keyId: string, limit = 100n): BudgetDemand {
  return { keyId, from: 1_796_000_400, to: 1_796_086_800, limit }
}

function demand(some: Partial<CallDemand>): CallDemand {
  return { rates: [], places: [], budgets: [], amount: 0n, booking: undefined, ...some }
}

async function granted(deciding: Decision | Promise<Decision>): Promise<Extract<Decision, { kind: 'granted' }>> {
  const decision = await deciding
  if (decision.kind !== 'granted') throw new Error(`Refused: ${decision.kind}`)
  return decision
}

/** Has the server known for one that nobody has lost anything in. */
async function settle(limiter: RedisLimiter, client = admin): Promise<void> {
  await limiter.decide(demand({}), NOW)
  await client.del(`${PREFIX}:settling`)
}

/** Has the leases of all calls run out, without waiting for that. */
async function expireLeases(): Promise<void> {
  const ids = await admin.send('ZRANGE', [`${PREFIX}:leases`, '0', '-1'])
  for (const id of ids as string[]) await admin.send('ZADD', [`${PREFIX}:leases`, '1', id])
}

/** Resolves once the server says so. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await Bun.sleep(5)
}

describe('a limiter in Redis', () => {
  test('takes all that a call needs, or nothing, whichever of its limits refuses it', async () => {
    const limiter = node(new TestBooks())
    await settle(limiter)
    const budgets = [budgetOf('whole'), { projectId: 'whole', from: 0, to: Number.POSITIVE_INFINITY, limit: 40n }]
    const places = [{ name: 'whole', limit: 1 }]
    const rates = [
      { name: 'whole requests', limit: 10, periodMs: 60_000, units: 1 },
      { name: 'whole tokens', limit: 100, periodMs: 60_000, units: 60 },
    ]
    const whole = demand({ budgets, places, rates, amount: 30n })
    const first = await granted(limiter.decide(whole, NOW))
    expect(first.rates.map(({ remaining }) => remaining)).toEqual([9, 40])
    expect(await limiter.decide(whole, NOW)).toMatchObject({ kind: 'rate', index: 1, rates: [{ remaining: 9 }, {}] })
    const few = { ...whole, rates: [] }
    expect(await limiter.decide(few, NOW)).toEqual({ kind: 'budget', index: 1, spent: 0n, held: 30n })
    expect(await limiter.decide({ ...few, amount: 5n }, NOW)).toEqual({ kind: 'place', index: 0 })
    first.reservation.end({ cost: 7n, units: [1, 10], booking: undefined })
    await until(async () => (await limiter.look(budgetOf('whole'))).held === 0n)
    for (const budget of budgets) expect(await limiter.look(budget)).toEqual({ spent: 7n, held: 0n })
    const second = await granted(limiter.decide(demand({ rates: rates.map((rate) => ({ ...rate, units: 0 })) }), NOW))
    expect(second.rates[1]?.remaining).toBeGreaterThanOrEqual(90)
    await granted(limiter.decide({ ...few, amount: 33n }, NOW))
  })

  test('says that more units than a bucket has never fit, and when others do', async () => {
    const limiter = node(new TestBooks())
    const rate = { name: 'never', limit: 10, periodMs: 60_000, units: 11 }
    expect(await limiter.decide(demand({ rates: [rate] }), NOW)).toMatchObject({
      kind: 'rate',
      retryMs: Number.POSITIVE_INFINITY,
    })
    await granted(limiter.decide(demand({ rates: [{ ...rate, units: 10 }] }), NOW))
    const next = await limiter.decide(demand({ rates: [{ ...rate, units: 5 }] }), NOW)
    expect(next).toMatchObject({ kind: 'rate', index: 0 })
    expect(next.kind === 'rate' && next.retryMs > 20_000 && next.retryMs <= 30_000).toBe(true)
  })

  test('begins with what the books say', async () => {
    const books = new TestBooks()
    books.booked.set('old', booking('old', 70))
    const limiter = node(books)
    await settle(limiter)
    const refused = await limiter.decide(demand({ budgets: [budgetOf('books')], amount: 31n }), NOW)
    expect(refused).toEqual({ kind: 'budget', index: 0, spent: 70n, held: 0n })
    await granted(limiter.decide(demand({ budgets: [budgetOf('books')], amount: 30n }), NOW))
  })

  test('of two nodes grants exactly what fits, however many ask both at once', async () => {
    const books = new TestBooks()
    const both = [node(books), node(books)]
    await settle(both[0] as RedisLimiter)
    const some = demand({ budgets: [budgetOf('race', 1000n)], amount: 10n })
    const all = Array.from({ length: 400 }, async (_, index) => {
      const decision = await (both[index % 2] as RedisLimiter).decide(some, NOW)
      if (decision.kind === 'granted') decision.reservation.end({ cost: 10n, booking: booking(`race-${index}`, 10) })
      return decision.kind
    })
    expect((await Promise.all(all)).filter((kind) => kind === 'granted')).toHaveLength(100)
    const limiter = both[0] as RedisLimiter
    await until(async () => (await limiter.look(budgetOf('race'))).held === 0n)
    expect(await limiter.look(budgetOf('race'))).toEqual({ spent: 1000n, held: 0n })
    expect(books.booked.size).toBe(100)
  })

  test('ends and books what a node has left that is gone, with what was seen of it, once', async () => {
    const books = new TestBooks()
    const [gone, other] = [node(books), node(books)]
    await settle(gone)
    const places = [{ name: 'left', limit: 1 }]
    const some = demand({ budgets: [budgetOf('left')], places, amount: 40n, booking: booking('left') })
    const { reservation } = await granted(gone.decide(some, NOW))
    reservation.see(7n)
    await gone.tick()
    await expireLeases()
    for (let tick = 0; tick < 6; tick += 1) await other.tick()
    expect(books.booked.get('left')).toEqual({ ...booking('left', 7), outcome: 'interrupted' })
    await until(async () => !(await admin.exists(`${PREFIX}:gone`)) && (await other.look(budgetOf('left'))).held === 0n)
    // It was not gone, only silent for long: its end does not count a second time.
    reservation.end({ cost: 40n, booking: booking('left', 40) })
    await gone.close()
    expect(await other.look(budgetOf('left'))).toEqual({ spent: 7n, held: 0n })
    await granted(other.decide({ ...some, booking: undefined }, NOW))
  })

  test('keeps the lease of a call for as long as it runs', async () => {
    const limiter = node(new TestBooks())
    await settle(limiter)
    await granted(limiter.decide(demand({ budgets: [budgetOf('lease')], amount: 40n }), NOW))
    await expireLeases()
    for (let tick = 0; tick < 4; tick += 1) await limiter.tick()
    expect(await limiter.look(budgetOf('lease'))).toEqual({ spent: 0n, held: 40n })
  })

  test('throws a LimiterError while the books can not be read', async () => {
    const books = new TestBooks()
    books.isDown = true
    const limiter = node(books)
    await settle(limiter)
    const deciding = limiter.decide(demand({ budgets: [budgetOf('down')], amount: 1n }), NOW)
    expect(deciding).rejects.toBeInstanceOf(LimiterError)
    await Promise.allSettled([deciding])
    books.isDown = false
    await granted(limiter.decide(demand({ budgets: [budgetOf('down')], amount: 1n }), NOW))
  })
})

describe('a Redis that is killed and comes back empty', () => {
  test('is told what is under way and what was spent, before it decides anything', async () => {
    const own = await startRedis()
    const books = new TestBooks()
    const limiter = node(books, own.url)
    const first = new RedisClient(own.url)
    await settle(limiter, first)
    first.close()
    const budgets = [budgetOf('killed')]
    const done = await granted(limiter.decide(demand({ budgets, amount: 20n }), NOW))
    done.reservation.end({ cost: 20n, booking: booking('done', 20) })
    const running = await granted(limiter.decide(demand({ budgets, amount: 30n, booking: booking('running') }), NOW))
    const late = await granted(limiter.decide(demand({ budgets, amount: 10n, booking: booking('late') }), NOW))
    await own.kill()
    const down = limiter.decide(demand({ budgets, amount: 1n }), NOW)
    expect(down).rejects.toBeInstanceOf(LimiterError)
    await Promise.allSettled([down])
    expect(limiter.state()).toHaveProperty('down')
    // It ends while nobody can be told.
    books.isHeld = true
    late.reservation.end({ cost: 9n, booking: booking('late', 9) })
    await own.restart()
    await until(async () => {
      try {
        await limiter.decide(demand({}), NOW)
        return true
      } catch {
        return false
      }
    })
    const settling = limiter.decide(demand({ budgets, amount: 1n }), NOW)
    expect(settling).rejects.toThrow('begun anew')
    await Promise.allSettled([settling])
    await limiter.tick()
    const second = new RedisClient(own.url)
    await second.del(`${PREFIX}:settling`)
    const waiting = limiter.decide(demand({ budgets, amount: 42n }), NOW)
    books.release()
    expect(await waiting).toEqual({ kind: 'budget', index: 0, spent: 29n, held: 30n })
    running.reservation.end({ cost: 5n, booking: booking('running', 5) })
    await until(async () => (await limiter.look(budgetOf('killed'))).held === 0n)
    expect(await limiter.look(budgetOf('killed'))).toEqual({ spent: 34n, held: 0n })
    second.close()
    await limiter.close()
    await own.kill()
    const words = lines.map((line) => Object.keys(line).join())
    expect(words).toEqual(['err', 'awayMs'])
  })

  test('that stands still is waited for no longer than said, and what it grants too late is given back', async () => {
    const own = await startRedis()
    const books = new TestBooks()
    const limiter = node(books, own.url, 60)
    const client = new RedisClient(own.url)
    await settle(limiter, client)
    await granted(limiter.decide(demand({ budgets: [budgetOf('late')], amount: 1n }), NOW))
    own.pause()
    const deciding = limiter.decide(demand({ budgets: [budgetOf('late')], amount: 50n }), NOW)
    expect(deciding).rejects.toBeInstanceOf(LimiterError)
    await Promise.allSettled([deciding])
    own.resume()
    await until(async () => (await limiter.look(budgetOf('late'))).held === 1n)
    client.close()
    await limiter.close()
    await own.kill()
  })
})
