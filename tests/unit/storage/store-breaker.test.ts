import { beforeEach, expect, test } from 'bun:test'
import { StoreBreaker } from '../../../src/storage/store-breaker.ts'

let at = 0
let told: string[] = []
let breaker = make()

function make(): StoreBreaker {
  return new StoreBreaker(() => at, {
    onTrouble: (cause) => told.push(`trouble: ${cause}`),
    onWell: (awayMs) => told.push(`well after ${awayMs}`),
  })
}

/** Asks where a call is known to be let through. */
function ask(): number {
  const epoch = breaker.ask()
  if (epoch === undefined) throw new Error('The call was left out.')
  return epoch
}

/** Lets time pass, in steps of a hundred milliseconds, until a call is let through. */
function askLater(): number {
  for (;;) {
    const epoch = breaker.ask()
    if (epoch !== undefined) return epoch
    at += 100
  }
}

/** How long nobody is let through from now; the one who is fails. */
function openMs(): number {
  const from = at
  breaker.onFailure(askLater(), 'still')
  return at - from
}

beforeEach(() => {
  at = 100_000
  told = []
  breaker = make()
})

test('lets all calls through as long as none fails', () => {
  for (let call = 0; call < 10; call += 1) breaker.onSuccess(ask())
  expect(told).toEqual([])
})

test('leaves calls out from a failure on for a second, then lets one try', () => {
  breaker.onFailure(ask(), 'ECONNREFUSED')
  at += 999
  expect(breaker.ask()).toBeUndefined()
  at += 1
  const trial = ask()
  expect(breaker.ask()).toBeUndefined()
  breaker.onSuccess(trial)
  expect(breaker.ask()).toBeDefined()
  expect(told).toEqual(['trouble: ECONNREFUSED', 'well after 1000'])
})

test('waits twice as long after each try that fails, up to thirty seconds, and tells of it once', () => {
  breaker.onFailure(ask(), 'down')
  expect([1, 2, 3, 4, 5, 6, 7].map(openMs)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
  expect(told).toEqual(['trouble: down'])
})

test('failures of calls that were under way when trouble began count as one', () => {
  const epochs = [ask(), ask(), ask()]
  for (const epoch of epochs) breaker.onFailure(epoch, 'down')
  at += 1000
  expect(breaker.ask()).toBeDefined()
  expect(told).toEqual(['trouble: down'])
})

test('what a call from before the trouble finds out says nothing about now', () => {
  const [early, late] = [ask(), ask()]
  breaker.onFailure(ask(), 'down')
  breaker.onSuccess(early)
  expect(breaker.ask()).toBeUndefined()
  at += 1000
  breaker.onSuccess(ask())
  breaker.onFailure(late, 'an old failure')
  expect(breaker.ask()).toBeDefined()
  expect(told).toEqual(['trouble: down', 'well after 1000'])
})

test('trouble that comes back soon is left alone for longer, so that it does not fill the log', () => {
  for (let times = 0; times < 100; times += 1) {
    breaker.onFailure(ask(), 'down')
    breaker.onSuccess(askLater())
  }
  // But for the first five.
  expect(at - 100_000).toBeGreaterThanOrEqual(95 * 30_000)
})

test('trouble that comes back after half a minute begins with one second again', () => {
  breaker.onFailure(ask(), 'down')
  expect(openMs()).toBe(1000)
  breaker.onSuccess(askLater())
  at += 30_000
  breaker.onFailure(ask(), 'down')
  expect(openMs()).toBe(1000)
})
