import { expect, test } from 'bun:test'
import { RecentTimes } from '../../../../src/routing/health/recent-times.ts'

function timesOf(...ms: readonly number[]): RecentTimes {
  const times = new RecentTimes()
  for (const one of ms) times.add(one)
  return times
}

/** 1, 2, … in an order that is not sorted. */
function shuffled(count: number): number[] {
  return Array.from({ length: count }, (_, index) => ((index * 7) % count) + 1)
}

test('the average begins with the first time, and each one more moves it by a fifth of the difference', () => {
  expect(timesOf().averageMs()).toBeUndefined()
  expect(timesOf(100).averageMs()).toBe(100)
  expect(timesOf(100, 200).averageMs()).toBeCloseTo(120)
  expect(timesOf(100, 200, 20).averageMs()).toBeCloseTo(100)
})

test('below 20 times there is no percentile', () => {
  expect(timesOf(...shuffled(19)).percentile(50)).toBeUndefined()
  expect(timesOf(...shuffled(20)).percentile(50)).toBe(10)
})

test('a percentile is the time that so many percent do not exceed', () => {
  const times = timesOf(...shuffled(100))
  expect([1, 50, 90, 95, 99, 100].map((percent) => times.percentile(percent))).toEqual([1, 50, 90, 95, 99, 100])
  expect(times.percentile(0)).toBe(1)
})

test('times are sorted as numbers', () => {
  const times = timesOf(...Array.from({ length: 19 }, () => 9), 1000)
  expect([times.percentile(50), times.percentile(100)]).toEqual([9, 1000])
})

test('only the last 128 count', () => {
  const times = timesOf(...Array.from({ length: 200 }, () => 1000), ...Array.from({ length: 127 }, () => 5))
  expect(times.percentile(100)).toBe(1000)
  times.add(5)
  expect(times.percentile(100)).toBe(5)
})
