import { expect, test } from 'bun:test'
import { FailureWindow } from '../../../../src/routing/health/failure-window.ts'

test('calls and failures are counted, each in its own bucket of a tenth of the window', () => {
  const window = new FailureWindow(1000)
  expect(window.count(5000, true)).toEqual({ calls: 1, failures: 1 })
  expect(window.count(5099, false)).toEqual({ calls: 2, failures: 1 })
  expect(window.count(5950, true)).toEqual({ calls: 3, failures: 2 })
})

test('the oldest bucket is forgotten first, when the window has passed over it', () => {
  const window = new FailureWindow(1000)
  window.count(5000, true)
  window.count(5100, true)
  expect(window.count(5999, false)).toEqual({ calls: 3, failures: 2 })
  expect(window.count(6000, false)).toEqual({ calls: 3, failures: 1 })
  expect(window.count(6100, false)).toEqual({ calls: 3, failures: 0 })
})

test('after a long silence nothing is left, whichever slot the new bucket has', () => {
  for (const silence of [1000, 1001, 1750, 123_456]) {
    const window = new FailureWindow(1000)
    for (let at = 5000; at < 6000; at += 50) window.count(at, true)
    expect(window.count(5999 + silence, false)).toEqual({ calls: 1, failures: 0 })
  }
})

test('a window of 0 has no end', () => {
  const window = new FailureWindow(0)
  window.count(1, true)
  expect(window.count(1e12, false)).toEqual({ calls: 2, failures: 1 })
})

test('a cleared window is empty', () => {
  const window = new FailureWindow(1000)
  window.count(5000, true)
  window.clear()
  expect(window.count(5000, false)).toEqual({ calls: 1, failures: 0 })
})
