import { expect, test } from 'bun:test'
import { hashOf, meetingPoint } from '../../../../src/routing/targets/rendezvous.ts'

test('a hash is the same in every process and release', () => {
  expect([hashOf(''), hashOf('a'), hashOf('你好'), hashOf('x'.repeat(4096))]).toEqual([
    { high: 1698811796, low: 3667483902 },
    { high: 1139181990, low: 964691413 },
    { high: 1265481496, low: 968738410 },
    { high: 1514798071, low: 1114136657 },
  ])
  expect(meetingPoint(hashOf('key'), hashOf('node'))).toBe(0.6914124786337308)
})

test('thousands of texts that differ by a little have hashes of their own', () => {
  const hashes = Array.from({ length: 20_000 }, (_, number) => hashOf(`conversation ${number}`))
  expect(new Set(hashes.map(({ high, low }) => `${high} ${low}`)).size).toBe(20_000)
  expect(hashes.every(({ high, low }) => high >= 0 && high < 2 ** 32 && low >= 0 && low < 2 ** 32)).toBe(true)
})

test('meeting points are spread evenly between 0 and 1, and those of two nodes have nothing to do with each other', () => {
  const [one, other] = [hashOf('one'), hashOf('two')]
  const tenths = new Array<number>(10).fill(0)
  const pairs = new Array<number>(4).fill(0)
  for (let number = 0; number < 20_000; number += 1) {
    const key = hashOf(`conversation ${number}`)
    const [first, second] = [meetingPoint(key, one), meetingPoint(key, other)]
    const tenth = Math.floor(first * 10)
    tenths[tenth] = (tenths[tenth] ?? 0) + 1
    const quarter = (first < 0.5 ? 0 : 1) + (second < 0.5 ? 0 : 2)
    pairs[quarter] = (pairs[quarter] ?? 0) + 1
  }
  for (const count of tenths) expect(Math.abs(count - 2000)).toBeLessThan(200)
  for (const count of pairs) expect(Math.abs(count - 5000)).toBeLessThan(300)
})

test('a meeting point is never 0 or 1: its logarithm is a number below 0', () => {
  for (const word of [0, 1, 2 ** 32 - 1]) {
    for (const other of [0, 1, 2 ** 32 - 1]) {
      const point = meetingPoint({ high: word, low: other }, { high: other, low: word })
      expect(point).toBeGreaterThan(0)
      expect(point).toBeLessThan(1)
    }
  }
})
