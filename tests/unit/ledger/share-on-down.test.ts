import { expect, test } from 'bun:test'
import { type BudgetDemand, type CallDemand, type Limiter, LimiterError } from '../../../src/ledger/limiter.ts'
import type { Booking } from '../../../src/ledger/records.ts'
import { shareOnDown } from '../../../src/ledger/share-on-down.ts'
import { booking } from './counters/file-books.ts'

const BUDGET: BudgetDemand = { keyId: 'key_1', from: 0, to: Number.POSITIVE_INFINITY, limit: 100n }
const DEMAND: CallDemand = { rates: [], places: [], budgets: [BUDGET], amount: 5n, booking: booking('a') }

/** A limiter that can be down, and what it was told and asked. */
function stub(): Limiter & { isDown: boolean; readonly told: string[] } {
  const told: string[] = []
  const made = {
    isDown: false,
    told,
    decide() {
      if (made.isDown) throw new LimiterError('Down.')
      told.push('decide')
      return { kind: 'place', index: 0 } as const
    },
    distrust(budgets: readonly BudgetDemand[]) {
      if (made.isDown) return Promise.reject(new LimiterError('Down.'))
      told.push(`distrust ${budgets.map(({ keyId }) => keyId).join()}`)
      return Promise.resolve()
    },
    look: () => Promise.resolve({ spent: 0n, held: 0n }),
    state: () => (made.isDown ? ({ down: 'Down.' } as const) : 'ok'),
    close: () => Promise.resolve(),
  }
  return made
}

function opened(isAllowed = () => true): {
  limiter: ReturnType<typeof shareOnDown>
  inner: ReturnType<typeof stub>
  booked: Booking[]
  lines: string[]
} {
  const inner = stub()
  const booked: Booking[] = []
  const lines: string[] = []
  const say = (_fields: object, line?: string): void => void lines.push(line ?? '')
  const bookings = {
    add(one: Booking, onBooked: () => void) {
      booked.push(one)
      onBooked()
    },
  }
  const limiter = shareOnDown(inner, { bookings, log: { warn: say, info: say }, isAllowed })
  return { limiter, inner, booked, lines }
}

test('a limiter that can decide is asked, and its answer is given at once', () => {
  const { limiter, lines } = opened()
  expect(limiter.decide(DEMAND, 0)).toEqual({ kind: 'place', index: 0 })
  expect(lines).toEqual([])
})

test('while it can not, calls are allowed within a tenth of each limit, and no further; the log says so once', async () => {
  const { limiter, inner, lines, booked } = opened()
  inner.isDown = true
  for (let call = 0; call < 2; call += 1) {
    const decision = await limiter.decide({ ...DEMAND, booking: booking(`call-${call}`) }, 0)
    if (decision.kind !== 'granted') throw new Error(decision.kind)
    decision.reservation.end({ cost: 5n, booking: booking(`call-${call}`, 5) })
  }
  const third = limiter.decide(DEMAND, 0)
  expect(third).rejects.toBeInstanceOf(LimiterError)
  await Promise.allSettled([third])
  expect(booked.map(({ cost }) => cost)).toEqual([5, 5])
  expect(lines).toEqual(['limits can not be decided: calls are allowed within a tenth of each limit'])
})

test('what was spent meanwhile is read from the books before it decides again; a new time of trouble has what is left of the share', async () => {
  const { limiter, inner, lines } = opened()
  for (const id of ['first', 'second']) {
    inner.isDown = true
    const decision = await limiter.decide({ ...DEMAND, booking: booking(id) }, 0)
    if (decision.kind !== 'granted') throw new Error(decision.kind)
    decision.reservation.end({ cost: 5n, booking: booking(id, 5) })
    inner.isDown = false
    expect(await limiter.decide(DEMAND, 0)).toEqual({ kind: 'place', index: 0 })
  }
  expect(inner.told).toEqual(['distrust key_1', 'decide', 'distrust key_1', 'decide'])
  expect(lines).toHaveLength(4)
  inner.isDown = true
  const third = await Promise.allSettled([limiter.decide(DEMAND, 0)])
  expect(third).toMatchObject([{ status: 'rejected' }])
  // Another window of the same budget has a share of its own.
  const next = { ...DEMAND, budgets: [{ ...BUDGET, from: 900, to: 1800 }] }
  expect(await limiter.decide(next, 0)).toMatchObject({ kind: 'granted' })
})

test('a call that ends after that has its budget read again', async () => {
  const { limiter, inner } = opened()
  inner.isDown = true
  const decision = await limiter.decide(DEMAND, 0)
  if (decision.kind !== 'granted') throw new Error(decision.kind)
  inner.isDown = false
  await limiter.decide(DEMAND, 0)
  decision.reservation.end({ cost: 5n, booking: booking('a', 5) })
  await limiter.decide(DEMAND, 0)
  await limiter.decide(DEMAND, 0)
  expect(inner.told).toEqual(['decide', 'distrust key_1', 'decide', 'decide'])
})

test('whether calls are allowed is what is in force at the call: a reload changes it', async () => {
  let isAllowed = false
  const { limiter, inner } = opened(() => isAllowed)
  inner.isDown = true
  const refused = await Promise.resolve()
    .then(() => limiter.decide(DEMAND, 0))
    .catch((cause: unknown) => cause)
  expect(refused).toBeInstanceOf(LimiterError)
  isAllowed = true
  expect(await limiter.decide(DEMAND, 0)).toMatchObject({ kind: 'granted' })
})
