import { describe, expect, test } from 'bun:test'
import { backOffMs, createRetryBudget, isRetried, parseRetryAfter } from '../../../../src/routing/targets/retry.ts'
import { RESILIENCE } from './router-parts.ts'

const { retry } = RESILIENCE

describe('a failure', () => {
  test.each([
    ['connect', true],
    [429, true],
    [503, true],
    ['timeout', false],
    ['reset', false],
    ['invalid', false],
    [500, false],
    [400, false],
  ] as const)('by %p is followed by another attempt: %p', (cause, isFollowed) => {
    expect(isRetried(retry, cause)).toBe(isFollowed)
  })
})

describe('the back-off', () => {
  const most = (): number => 1 - Number.EPSILON

  test('is up to twice as long each time, and at most the set time', () => {
    const waits = [0, 1, 2, 3, 4, 5, 6, 9].map((repeat) => Math.round(backOffMs(retry, repeat, undefined, most) ?? -1))
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 8000, 8000])
  })

  test('is any time from 0 on', () => {
    expect(backOffMs(retry, 3, undefined, () => 0)).toBe(0)
    expect(backOffMs(retry, 3, undefined, () => 0.25)).toBe(500)
  })

  test('does not end before Retry-After, and then not for all at once', () => {
    expect(backOffMs(retry, 0, 3000, () => 0)).toBe(3000)
    expect(backOffMs(retry, 0, 3000, () => 0.5)).toBe(3125)
    expect(backOffMs(retry, 5, 3000, () => 0.5)).toBe(4000)
  })

  test('is none where Retry-After is longer than is waited for', () => {
    expect(backOffMs(retry, 0, 10_000, () => 0)).toBe(10_000)
    expect(backOffMs(retry, 0, 10_001, () => 0)).toBeUndefined()
  })
})

describe('what an answer says about coming back', () => {
  const NOW = Date.UTC(1994, 10, 6, 8, 49, 30)

  test.each([
    ['retry-after', '0', 0],
    ['retry-after', '7', 7000],
    ['retry-after', ' 120 ', 120_000],
    ['retry-after', '1.5', 1500],
    ['retry-after', 'Sun, 06 Nov 1994 08:49:37 GMT', 7000],
    ['retry-after', 'Sunday, 06-Nov-94 08:49:37 GMT', 7000],
    ['retry-after', 'Sun Nov  6 08:49:37 1994', 7000],
    ['retry-after', 'Sun, 06 Nov 1994 08:49:30 GMT', 0],
    ['retry-after-ms', '250', 250],
    ['retry-after-ms', '250.5', 250.5],
  ])('%s: %s', (name, value, ms) => {
    expect(parseRetryAfter(new Headers({ [name]: value }), NOW)).toBe(ms)
  })

  test.each([
    ['retry-after', '-1'],
    ['retry-after', ''],
    ['retry-after', 'soon'],
    ['retry-after', '1e9'],
    ['retry-after', 'Infinity'],
    ['retry-after', '0x10'],
    ['retry-after', '5 seconds'],
    ['retry-after', '9'.repeat(400)],
    ['retry-after', 'Sun, 06 Nov 1994 08:49:29 GMT'],
    ['retry-after', '1994-11-06T08:49:37Z'],
    ['retry-after-ms', '-250'],
    ['retry-after-ms', 'NaN'],
  ])('%s: %s is nothing', (name, value) => {
    expect(parseRetryAfter(new Headers({ [name]: value }), NOW)).toBeUndefined()
  })

  test('is nothing without a header', () => {
    expect(parseRetryAfter(new Headers(), NOW)).toBeUndefined()
  })

  test('in milliseconds goes before what is in seconds, where it is well-formed', () => {
    expect(parseRetryAfter(new Headers({ 'retry-after-ms': '250', 'retry-after': '7' }), NOW)).toBe(250)
    expect(parseRetryAfter(new Headers({ 'retry-after-ms': 'x', 'retry-after': '7' }), NOW)).toBe(7000)
  })
})

describe('the budget', () => {
  test('is three at once where few requests are under way', () => {
    const { tryTake } = createRetryBudget(() => 1)
    const taken = [tryTake(10), tryTake(10), tryTake(10)]
    expect(taken.every((one) => one !== undefined)).toBe(true)
    expect(tryTake(10)).toBeUndefined()
    taken[0]?.()
    expect(tryTake(10)).toBeDefined()
    expect(tryTake(10)).toBeUndefined()
  })

  test('is a share of the requests under way at the moment', () => {
    let live = 100
    const { tryTake } = createRetryBudget(() => live)
    for (let time = 0; time < 10; time += 1) expect(tryTake(10)).toBeDefined()
    expect(tryTake(10)).toBeUndefined()
    expect(tryTake(11)).toBeDefined()
    live = 200
    for (let time = 0; time < 9; time += 1) expect(tryTake(10)).toBeDefined()
    expect(tryTake(10)).toBeUndefined()
  })

  test('takes back each of them once', () => {
    const { tryTake } = createRetryBudget(() => 0)
    const first = tryTake(0)
    for (let time = 0; time < 5; time += 1) first?.()
    for (let time = 0; time < 3; time += 1) expect(tryTake(0)).toBeDefined()
    expect(tryTake(0)).toBeUndefined()
  })

  test('of hedges is one at once where few requests are under way', () => {
    const { tryTake } = createRetryBudget(() => 10, 1)
    expect(tryTake(5)).toBeDefined()
    expect(tryTake(5)).toBeUndefined()
  })
})
