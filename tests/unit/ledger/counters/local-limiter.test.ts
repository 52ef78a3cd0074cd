import { describe, expect, test } from 'bun:test'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LocalLimiter, openLocalLimiter } from '../../../../src/ledger/counters/local-limiter.ts'
import { type BudgetDemand, type CallDemand, type Decision, LimiterError } from '../../../../src/ledger/limiter.ts'
import type { Booking } from '../../../../src/ledger/records.ts'
import { booking } from './file-books.ts'

/** A limiter, what it has booked, and the lines of its log. */
interface Opened {
  readonly limiter: LocalLimiter
  readonly booked: Booking[]
  readonly lines: object[]
}

/** What the books of a test say. */
interface TestBooks {
  spent: bigint | Error
  /** How often they were asked. */
  asked: number
}

const NOW = Date.UTC(2026, 10, 30, 12)
const DAY: BudgetDemand = { keyId: 'key_1', from: 1_796_000_400, to: 1_796_086_800, limit: 100n }

function folderOfTest(): string {
  return mkdtempSync(join(tmpdir(), 'nexcode-limiter-'))
}

async function open(
  folder?: string,
  books: TestBooks = { spent: 0n, asked: 0 },
  sizes = { counters: 256, reservations: 64 },
): Promise<Opened> {
  const booked: Booking[] = []
  const lines: object[] = []
  const limiter = await openLocalLimiter({
    folder,
    ledger: {
      spent() {
        books.asked += 1
        return books.spent instanceof Error ? Promise.reject(books.spent) : Promise.resolve(books.spent)
      },
      book: (some) => Promise.resolve(void booked.push(...some)),
    },
    bookings: {
      add(one, onBooked) {
        booked.push(one)
        onBooked()
      },
    },
    log: { warn: (fields: object) => lines.push(fields) },
    sizes,
  })
  return { limiter, booked, lines }
}

function demand(some: Partial<CallDemand>): CallDemand {
  return { rates: [], places: [], budgets: [], amount: 0n, booking: undefined, ...some }
}

async function granted(deciding: Decision | Promise<Decision>): Promise<Extract<Decision, { kind: 'granted' }>> {
  const decision = await deciding
  if (decision.kind !== 'granted') throw new Error(`Refused: ${decision.kind}`)
  return decision
}

describe('a limiter', () => {
  test('grants a budget up to its limit, to the nano-dollar', async () => {
    const { limiter } = await open()
    const some = demand({ budgets: [DAY], amount: 30n })
    for (let call = 0; call < 3; call += 1) await granted(limiter.decide(some, NOW))
    expect(limiter.decide(some, NOW)).toEqual({ kind: 'budget', index: 0, spent: 0n, held: 90n })
    await granted(limiter.decide({ ...some, amount: 10n }, NOW))
    expect(await limiter.look(DAY)).toEqual({ spent: 0n, held: 100n })
  })

  test('counts what a call has cost as spent, and frees the rest of what was held', async () => {
    const { limiter, booked } = await open()
    const { reservation } = await granted(limiter.decide(demand({ budgets: [DAY], amount: 80n }), NOW))
    reservation.end({ cost: 25n, booking: booking('a', 25) })
    expect(await limiter.look(DAY)).toEqual({ spent: 25n, held: 0n })
    expect(booked.map(({ id, cost }) => [id, cost])).toEqual([['a', 25]])
  })

  test('ends a reservation once, however often it is told to', async () => {
    const { limiter, booked } = await open()
    const places = [{ name: 'key_1', limit: 1 }]
    const { reservation } = await granted(limiter.decide(demand({ budgets: [DAY], places, amount: 80n }), NOW))
    for (const cost of [25n, 0n, 80n]) reservation.end({ cost, booking: booking(`call-${cost}`) })
    reservation.see(70n)
    expect(await limiter.look(DAY)).toEqual({ spent: 25n, held: 0n })
    expect(booked).toHaveLength(1)
  })

  test('counts more than was held where a call has cost more', async () => {
    const { limiter } = await open()
    const { reservation } = await granted(limiter.decide(demand({ budgets: [DAY], amount: 10n }), NOW))
    reservation.end({ cost: 130n, booking: undefined })
    expect(await limiter.look(DAY)).toEqual({ spent: 130n, held: 0n })
    expect(limiter.decide(demand({ budgets: [DAY], amount: 0n }), NOW)).toMatchObject({ kind: 'budget', spent: 130n })
  })

  test('takes all that a call needs, or nothing: whichever of its limits refuses it', async () => {
    const { limiter } = await open()
    const rates = [
      { name: 'requests', limit: 10, periodMs: 60_000, units: 1 },
      { name: 'tokens', limit: 100, periodMs: 60_000, units: 60 },
    ]
    const places = [
      { name: 'key_1', limit: 5 },
      { name: 'proj_1', limit: 1 },
    ]
    const project = { projectId: 'proj_1', from: 0, to: Number.POSITIVE_INFINITY, limit: 40n }
    const whole = demand({ rates, places, budgets: [DAY, project], amount: 30n })
    const first = await granted(limiter.decide(whole, NOW))
    expect(first.rates.map(({ remaining }) => remaining)).toEqual([9, 40])
    expect(limiter.decide(whole, NOW)).toMatchObject({
      kind: 'rate',
      index: 1,
      rates: [{ remaining: 9 }, { remaining: 40 }],
    })
    const few = { ...whole, rates: rates.map((rate) => ({ ...rate, units: 1 })) }
    expect(limiter.decide(few, NOW)).toEqual({ kind: 'budget', index: 1, spent: 0n, held: 30n })
    expect(limiter.decide({ ...few, amount: 5n }, NOW)).toEqual({ kind: 'place', index: 1 })
    expect(await limiter.look(DAY)).toEqual({ spent: 0n, held: 30n })
    expect(await limiter.look(project)).toEqual({ spent: 0n, held: 30n })
    first.reservation.end({ cost: 0n, booking: undefined })
    const second = await granted(limiter.decide({ ...few, amount: 40n }, NOW))
    expect(second.rates.map(({ remaining }) => remaining)).toEqual([8, 39])
  })

  test('corrects a rate to what was used', async () => {
    const { limiter } = await open()
    const tokens = { name: 'tokens', limit: 1000, periodMs: 60_000, units: 600 }
    const now = Date.now()
    const first = await granted(limiter.decide(demand({ rates: [tokens] }), now))
    first.reservation.end({ cost: 0n, units: [100], booking: undefined })
    const second = await granted(limiter.decide(demand({ rates: [{ ...tokens, units: 0 }] }), now))
    expect(second.rates[0]?.remaining).toBe(900)
    const third = await granted(limiter.decide(demand({ rates: [{ ...tokens, units: 1 }] }), now))
    third.reservation.end({ cost: 0n, units: [801], booking: undefined })
    const last = limiter.decide(demand({ rates: [{ ...tokens, units: 200 }] }), now)
    expect(last).toMatchObject({ kind: 'rate', index: 0, rates: [{ remaining: 99 }] })
  })

  test('tells of the rate that has to be waited for the longest, and whether it can ever fit', async () => {
    const { limiter } = await open()
    const rates = [
      { name: 'minute', limit: 1, periodMs: 60_000, units: 1 },
      { name: 'day', limit: 1, periodMs: 86_400_000, units: 1 },
    ]
    await granted(limiter.decide(demand({ rates }), NOW))
    expect(limiter.decide(demand({ rates }), NOW + 1000)).toMatchObject({ kind: 'rate', index: 1, retryMs: 86_399_000 })
    const never = [{ name: 'tokens', limit: 10, periodMs: 60_000, units: 11 }]
    const refused = limiter.decide(demand({ rates: never }), NOW)
    expect(refused).toMatchObject({ kind: 'rate', index: 0, retryMs: Number.POSITIVE_INFINITY })
  })

  test('frees a place at the end of its call', async () => {
    const { limiter } = await open()
    const places = [{ name: 'key_1', limit: 2 }]
    const calls = [
      await granted(limiter.decide(demand({ places }), NOW)),
      await granted(limiter.decide(demand({ places }), NOW)),
    ]
    expect(limiter.decide(demand({ places }), NOW)).toEqual({ kind: 'place', index: 0 })
    calls[0]?.reservation.end({ cost: 0n, booking: undefined })
    await granted(limiter.decide(demand({ places }), NOW))
  })
})

describe('a budget that is new to the machine', () => {
  test('begins with what the books say, before anything is decided by it', async () => {
    const books = { spent: 70n, asked: 0 }
    const { limiter } = await open(undefined, books)
    const refused = await limiter.decide(demand({ budgets: [DAY], amount: 31n }), NOW)
    expect(refused).toEqual({ kind: 'budget', index: 0, spent: 70n, held: 0n })
    const next = limiter.decide(demand({ budgets: [DAY], amount: 30n }), NOW)
    expect(next).not.toBeInstanceOf(Promise)
    expect(books.asked).toBe(1)
  })

  test('is asked for once by many who come at once, and none of them is let past', async () => {
    const books = { spent: 70n, asked: 0 }
    const { limiter } = await open(undefined, books)
    const all = Array.from({ length: 50 }, () => limiter.decide(demand({ budgets: [DAY], amount: 10n }), NOW))
    const kinds = (await Promise.all(all)).map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === 'granted')).toHaveLength(3)
    expect(books.asked).toBe(1)
  })

  test('is refused with a LimiterError while the books can not be read, which the state says, and goes on behind it', async () => {
    const books: TestBooks = { spent: new Error('disk'), asked: 0 }
    const { limiter } = await open(undefined, books)
    const some = demand({ budgets: [DAY], amount: 1n })
    expect(limiter.decide(some, NOW)).rejects.toBeInstanceOf(LimiterError)
    await Promise.allSettled([limiter.decide(some, NOW)])
    expect(limiter.state()).toHaveProperty('down')
    books.spent = 0n
    await granted(limiter.decide(some, NOW))
    expect(limiter.state()).toBe('ok')
  })
})

describe('limiters of one folder', () => {
  test('share their limits', async () => {
    const folder = folderOfTest()
    const [one, other] = [await open(folder), await open(folder)]
    const places = [{ name: 'key_1', limit: 2 }]
    const rates = [{ name: 'requests', limit: 2, periodMs: 60_000, units: 1 }]
    const some = demand({ budgets: [DAY], places, rates, amount: 40n })
    await granted(one.limiter.decide(some, NOW))
    await granted(other.limiter.decide(some, NOW))
    for (const { limiter } of [one, other]) {
      expect(limiter.decide(some, NOW)).toMatchObject({ kind: 'rate' })
      expect(limiter.decide({ ...some, rates: [] }, NOW)).toMatchObject({ kind: 'budget', held: 80n })
      expect(limiter.decide({ ...some, rates: [], amount: 0n }, NOW)).toMatchObject({ kind: 'place' })
    }
    await Promise.all([one.limiter.close(), other.limiter.close()])
  })

  test('keep their counts over a restart', async () => {
    const folder = folderOfTest()
    const first = await open(folder)
    const rates = [{ name: 'requests', limit: 2, periodMs: 60_000, units: 1 }]
    const call = await granted(first.limiter.decide(demand({ budgets: [DAY], rates, amount: 40n }), NOW))
    call.reservation.end({ cost: 33n, booking: booking('a', 33) })
    await first.limiter.close()
    const books = { spent: 0n, asked: 0 }
    const second = await open(folder, books)
    expect(await second.limiter.look(DAY)).toEqual({ spent: 33n, held: 0n })
    const next = await granted(second.limiter.decide(demand({ rates }), NOW))
    expect(next.rates[0]?.remaining).toBe(0)
    expect(books.asked).toBe(0)
    await second.limiter.close()
  })

  test('end and book what one of them has left, with what was seen of it, and free its places', async () => {
    const folder = folderOfTest()
    const [one, other] = [await open(folder), await open(folder)]
    const places = [{ name: 'key_1', limit: 1 }]
    const some = demand({ budgets: [DAY], places, amount: 40n, booking: booking('left') })
    const { reservation } = await granted(one.limiter.decide(some, NOW))
    reservation.see(7n)
    other.limiter.adopt()
    expect(other.booked).toEqual([])
    await one.limiter.close()
    other.limiter.adopt()
    other.limiter.adopt()
    expect(other.booked).toEqual([{ ...booking('left', 7), outcome: 'interrupted' }])
    expect(await other.limiter.look(DAY)).toEqual({ spent: 7n, held: 0n })
    await granted(other.limiter.decide({ ...some, booking: undefined }, NOW))
    reservation.end({ cost: 40n, booking: booking('left', 40) })
    expect(await other.limiter.look(DAY)).toEqual({ spent: 7n, held: 40n })
    await other.limiter.close()
  })

  test('book what the last one has left as soon as one is opened', async () => {
    const folder = folderOfTest()
    const first = await open(folder)
    await granted(first.limiter.decide(demand({ budgets: [DAY], amount: 40n, booking: booking('left') }), NOW))
    await first.limiter.close()
    const second = await open(folder)
    expect(second.booked.map(({ id, outcome }) => [id, outcome])).toEqual([['left', 'interrupted']])
    await second.limiter.close()
  })

  test('say that a folder can not be written to', async () => {
    const file = join(folderOfTest(), 'file')
    writeFileSync(file, '')
    const opening = open(file)
    expect(opening).rejects.toBeInstanceOf(LimiterError)
    expect(opening).rejects.toThrow(file)
    await Promise.allSettled([opening])
  })
})

describe('the comparison with the books', () => {
  test('sets a budget that has counted wrongly to what they say, and logs both numbers', async () => {
    const books = { spent: 0n, asked: 0 }
    const { limiter, lines } = await open(undefined, books)
    const call = await granted(limiter.decide(demand({ budgets: [DAY], amount: 40n }), NOW))
    call.reservation.end({ cost: 33n, booking: booking('a', 33) })
    books.spent = 35n
    await limiter.compare()
    expect(await limiter.look(DAY)).toEqual({ spent: 35n, held: 0n })
    expect(lines).toMatchObject([{ keyId: 'key_1', countedUsd: 33e-9, bookedUsd: 35e-9 }])
    await limiter.compare()
    expect(books.asked).toBe(2)
  })

  test('says nothing where both agree, and leaves a budget alone whose calls are not booked yet', async () => {
    const books = { spent: 0n, asked: 0 }
    const waiting: (() => void)[] = []
    const lines: object[] = []
    const limiter = await openLocalLimiter({
      folder: undefined,
      ledger: { spent: () => Promise.resolve(books.spent), book: () => Promise.resolve() },
      bookings: { add: (_one, onBooked) => void waiting.push(onBooked) },
      log: { warn: (fields: object) => lines.push(fields) },
    })
    const call = await granted(limiter.decide(demand({ budgets: [DAY], amount: 40n }), NOW))
    call.reservation.end({ cost: 33n, booking: booking('a', 33) })
    await limiter.compare()
    expect(await limiter.look(DAY)).toEqual({ spent: 33n, held: 0n })
    for (const onBooked of waiting) onBooked()
    books.spent = 33n
    await limiter.compare()
    expect(lines).toEqual([])
  })
})

describe('a table that is full', () => {
  test('of reservations throws a LimiterError, and takes calls again once one has ended', async () => {
    const { limiter } = await open(undefined, undefined, { counters: 256, reservations: 2 })
    const places = [{ name: 'key_1', limit: 100 }]
    const call = await granted(limiter.decide(demand({ places }), NOW))
    await granted(limiter.decide(demand({ places }), NOW))
    expect(() => limiter.decide(demand({ places }), NOW)).toThrow(LimiterError)
    call.reservation.end({ cost: 0n, booking: undefined })
    await granted(limiter.decide(demand({ places }), NOW))
  })

  test('of counters lets go of those that were not used for the longest, never of one that says something', async () => {
    const { limiter } = await open(undefined, undefined, { counters: 8, reservations: 64 })
    const rates = [{ name: 'kept', limit: 1, periodMs: 86_400_000, units: 1 }]
    const places = [{ name: 'kept', limit: 1 }]
    await granted(limiter.decide(demand({ rates, places }), NOW))
    for (let hour = 1; hour <= 20; hour += 1)
      await granted(
        limiter.decide(
          demand({ rates: [{ ...rates[0], name: `rate-${hour}`, limit: 1, periodMs: 60_000, units: 1 }] }),
          NOW + hour * 3_600_000,
        ),
      )
    expect(limiter.decide(demand({ rates }), NOW + 21 * 3_600_000)).toMatchObject({ kind: 'rate' })
    expect(limiter.decide(demand({ places }), NOW + 21 * 3_600_000)).toMatchObject({ kind: 'place' })
  })

  test('of counters that all say something throws a LimiterError', async () => {
    const { limiter } = await open(undefined, undefined, { counters: 4, reservations: 64 })
    const rates = [1, 2, 3, 4, 5].map((number) => ({ name: `rate-${number}`, limit: 9, periodMs: 60_000, units: 1 }))
    expect(() => limiter.decide(demand({ rates }), NOW)).toThrow(LimiterError)
  })

  test('of counters forgets a budget, which is then asked for in the books again', async () => {
    const books = { spent: 0n, asked: 0 }
    const { limiter } = await open(undefined, books, { counters: 4, reservations: 64 })
    const call = await granted(limiter.decide(demand({ budgets: [DAY], amount: 40n }), NOW))
    call.reservation.end({ cost: 33n, booking: booking('a', 33) })
    for (let hour = 1; hour <= 10; hour += 1)
      await granted(
        limiter.decide(
          demand({ rates: [{ name: `rate-${hour}`, limit: 1, periodMs: 60_000, units: 1 }] }),
          NOW + hour * 3_600_000,
        ),
      )
    books.spent = 33n
    expect(await limiter.look(DAY)).toEqual({ spent: 33n, held: 0n })
    expect(books.asked).toBe(2)
  })
})
