import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Exchange, Observer } from '../../../src/exchange/exchange.ts'
import { collectWhenQuiet } from '../../../src/process/collect-when-quiet.ts'

const MB = 1024 * 1024

/** A process whose memory and clock the test sets. */
function simulate() {
  const process = { residentBytes: 60 * MB, collections: 0, shrinks: 0, timers: [] as (() => void)[] }
  const observer = collectWhenQuiet({
    collect: () => {
      process.collections += 1
      process.residentBytes -= 20 * MB
    },
    shrink: () => {
      process.shrinks += 1
    },
    residentBytes: () => process.residentBytes,
    after: (_ms, callback) => void process.timers.push(callback),
  })
  const pass = (): void => process.timers.shift()?.()
  const rest = (): void => {
    while (process.timers.length > 0) pass()
  }
  return { process, observer, request: () => request(observer), pass, rest }
}

function begin(observer: Observer): void {
  observer.onStart?.({} as Exchange)
}

function end(observer: Observer): void {
  observer.onEnd?.({} as Exchange, { kind: 'complete' }, 0)
}

function request(observer: Observer): void {
  begin(observer)
  end(observer)
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
  pass()
  expect(process.collections).toBe(1)
})

test('compiled code is dropped once, twenty seconds after a load, and not where a request comes before', () => {
  const { process, request, pass, rest } = simulate()
  const passSeconds = (seconds: number): void => {
    for (let looks = 0; looks < 2 * seconds; looks += 1) pass()
  }
  request()
  process.residentBytes = 95 * MB
  passSeconds(19)
  request()
  passSeconds(20)
  expect([process.collections, process.shrinks]).toEqual([1, 0])
  rest()
  expect([process.collections, process.shrinks]).toEqual([1, 1])
  request()
  passSeconds(1)
  expect(process.timers).toHaveLength(0)
  expect(process.shrinks).toBe(1)
})

test('a few requests are not worth a collection, but many times a few are', () => {
  const { process, request, rest } = simulate()
  for (const megabytes of [61, 62, 63]) {
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

test('what is given back with the code counts as given back', () => {
  const { process, request, pass, rest } = simulate()
  request()
  process.residentBytes = 95 * MB
  for (let looks = 0; looks < 42; looks += 1) pass()
  expect([process.collections, process.shrinks]).toEqual([1, 1])
  process.residentBytes = 62 * MB
  rest()
  request()
  process.residentBytes = 67 * MB
  rest()
  expect(process.collections).toBe(2)
})

test('while a stream is under way nothing is collected, and no clock runs; behind its end it is', () => {
  const { process, observer, request, rest } = simulate()
  begin(observer)
  process.residentBytes = 95 * MB
  request()
  rest()
  expect(process.collections).toBe(0)
  end(observer)
  expect(process.timers).toHaveLength(1)
  rest()
  expect(process.collections).toBe(1)
})

test('a large process is collected where it has grown by a share of what it held, and one that is very large is not', () => {
  const { process, request, rest } = simulate()
  process.residentBytes = 420 * MB
  request()
  rest()
  expect(process.collections).toBe(1)
  for (const [megabytes, collections] of [
    [420, 1],
    [426, 2],
    [600, 2],
  ] as const) {
    process.residentBytes = megabytes * MB
    request()
    rest()
    expect(process.collections).toBe(collections)
  }
})

test('without a request no clock runs', () => {
  expect(simulate().process.timers).toHaveLength(0)
})

test('whatever requests come and end, one clock runs at most, and nothing is collected while one is under way', () => {
  const step = fc.constantFrom('begin', 'end', 'pass', 'grow')
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { process, observer, pass, rest } = simulate()
      let underWay = 0
      for (const one of steps) {
        const before = process.collections + process.shrinks
        if (one === 'begin') {
          begin(observer)
          underWay += 1
        } else if (one === 'end' && underWay > 0) {
          end(observer)
          underWay -= 1
        } else if (one === 'pass') pass()
        else process.residentBytes += 10 * MB
        expect(process.timers.length).toBeLessThanOrEqual(1)
        if (underWay > 0) expect(process.collections + process.shrinks).toBe(before)
      }
      for (; underWay > 0; underWay -= 1) end(observer)
      rest()
      expect(process.timers).toHaveLength(0)
    }),
  )
})
