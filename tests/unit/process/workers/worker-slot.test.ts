import { expect, test } from 'bun:test'
import { createBackOff } from '../../../../src/process/workers/worker-slot.ts'

test('each early death doubles the wait, up to half a minute', () => {
  const backOff = createBackOff()
  const waits = Array.from({ length: 11 }, () => backOff.next(50))
  expect(waits).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000])
})

test('a death after a long life is the first again', () => {
  const backOff = createBackOff()
  for (let n = 0; n < 5; n += 1) backOff.next(29_999)
  expect(backOff.next(30_000)).toBe(100)
  expect(backOff.next(10)).toBe(200)
})
