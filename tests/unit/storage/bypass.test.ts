import { beforeEach, expect, test } from 'bun:test'
import { Bypass } from '../../../src/storage/bypass.ts'

let at = 0
let told: string[] = []
let bypass = make()

function make(): Bypass {
  return new Bypass(() => at, {
    onTrouble: (cause) => told.push(`trouble: ${cause}`),
    onWell: (awayMs) => told.push(`well after ${awayMs}`),
  })
}

/** Asks where a call is known to be let through. */
function ask(): number {
  const round = bypass.ask()
  if (round === undefined) throw new Error('The call was left out.')
  return round
}

/** Lets time pass, in steps of a hundred milliseconds, until a call is let through. */
function askLater(): number {
  for (;;) {
    const round = bypass.ask()
    if (round !== undefined) return round
    at += 100
  }
}

/** How long nobody is let through from now; the one who is fails. */
function lengthOfBypass(): number {
  const from = at
  bypass.failed(askLater(), 'still')
  return at - from
}

beforeEach(() => {
  at = 100_000
  told = []
  bypass = make()
})

test('lets all calls through as long as none fails', () => {
  for (let call = 0; call < 10; call += 1) bypass.succeeded(ask())
  expect(told).toEqual([])
})

test('leaves calls out from a failure on for a second, then lets one try', () => {
  bypass.failed(ask(), 'ECONNREFUSED')
  at += 999
  expect(bypass.ask()).toBeUndefined()
  at += 1
  const trial = ask()
  expect(bypass.ask()).toBeUndefined()
  bypass.succeeded(trial)
  expect(bypass.ask()).toBeDefined()
  expect(told).toEqual(['trouble: ECONNREFUSED', 'well after 1000'])
})

test('waits twice as long after each try that fails, up to thirty seconds, and tells of it once', () => {
  bypass.failed(ask(), 'down')
  expect([1, 2, 3, 4, 5, 6, 7].map(lengthOfBypass)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
  expect(told).toEqual(['trouble: down'])
})

test('failures of calls that were under way when trouble began count as one', () => {
  const rounds = [ask(), ask(), ask()]
  for (const round of rounds) bypass.failed(round, 'down')
  at += 1000
  expect(bypass.ask()).toBeDefined()
  expect(told).toEqual(['trouble: down'])
})

test('what a call from before the trouble finds out says nothing about now', () => {
  const [early, late] = [ask(), ask()]
  bypass.failed(ask(), 'down')
  bypass.succeeded(early)
  expect(bypass.ask()).toBeUndefined()
  at += 1000
  bypass.succeeded(ask())
  bypass.failed(late, 'an old failure')
  expect(bypass.ask()).toBeDefined()
  expect(told).toEqual(['trouble: down', 'well after 1000'])
})

test('trouble that comes back soon is left alone for longer, so that it does not fill the log', () => {
  for (let times = 0; times < 100; times += 1) {
    bypass.failed(ask(), 'down')
    bypass.succeeded(askLater())
  }
  // But for the first five.
  expect(at - 100_000).toBeGreaterThanOrEqual(95 * 30_000)
})

test('trouble that comes back after half a minute begins with one second again', () => {
  bypass.failed(ask(), 'down')
  expect(lengthOfBypass()).toBe(1000)
  bypass.succeeded(askLater())
  at += 30_000
  bypass.failed(ask(), 'down')
  expect(lengthOfBypass()).toBe(1000)
})
