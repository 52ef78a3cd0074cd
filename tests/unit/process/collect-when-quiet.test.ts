import { expect, test } from 'bun:test'
import type { Exchange, Observer } from '../../../src/exchange/exchange.ts'
import { collectWhenQuiet } from '../../../src/process/collect-when-quiet.ts'

const MB = 1024 * 1024

/** A process whose memory and clock the test sets. */
function simulate() {
  const process = { residentBytes: 60 * MB, collections: 0, timers: [] as (() => void)[] }
  const observer = collectWhenQuiet({
    collect: () => {
      process.collections += 1
      process.residentBytes -= 20 * MB
    },
    residentBytes: () => process.residentBytes,
    after: (_ms, callback) => void process.timers.push(callback),
  })
  const pass = (): void => process.timers.shift()?.()
  const rest = (): void => {
    while (process.timers.length > 0) pass()
  }
  return { process, request: () => request(observer), pass, rest }
}

function request(observer: Observer): void {
  const exchange = {} as Exchange
  observer.onStart?.(exchange)
  observer.onEnd?.(exchange, { kind: 'complete' }, 0)
}

test('garbage is collected once behind a load, and not in the midst of it', () => {
  const { process, request, pass } = simulate()
  request()
  process.residentBytes = 95 * MB
  request()
  pass()
  expect(process.collections).toBe(0)
  pass()
  expect(process.collections).toBe(1)
  expect(process.timers).toHaveLength(0)
})

test('a few requests are not worth a collection, but many times a few are', () => {
  const { process, request, rest } = simulate()
  for (const megabytes of [62, 64, 67]) {
    process.residentBytes = megabytes * MB
    request()
    rest()
  }
  expect(process.collections).toBe(0)
  process.residentBytes = 68 * MB
  request()
  rest()
  expect(process.collections).toBe(1)
})

test('what the system gets back later counts as given back', () => {
  const { process, request, rest } = simulate()
  process.residentBytes = 90 * MB
  request()
  rest()
  expect(process.collections).toBe(1)
  process.residentBytes = 55 * MB
  request()
  rest()
  process.residentBytes = 64 * MB
  request()
  rest()
  expect(process.collections).toBe(2)
})

test('without a request no clock runs', () => {
  expect(simulate().process.timers).toHaveLength(0)
})
