import { describe, expect, test } from 'bun:test'
import { backOffMs, isRetried } from '../../../../src/routing/attempts/next-step.ts'
import { RESILIENCE } from '../targets/router-parts.ts'

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
