import { afterEach, beforeEach, describe, expect, jest, mock, test } from 'bun:test'
import fc from 'fast-check'
import { createDeadlines, type Deadline } from '../../../src/timing/deadlines.ts'

let at = 0
const advance = (ms: number): void => {
  // In steps of one millisecond, as both the clock and the timer have to move.
  for (let step = 0; step < ms; step += 1) {
    at += 1
    jest.advanceTimersByTime(1)
  }
}

beforeEach(() => {
  at = 0
  jest.useFakeTimers()
})

afterEach(() => {
  jest.useRealTimers()
})

test('a limit expires once, when it has passed without a touch', () => {
  const onExpire = mock<() => void>()
  createDeadlines(() => at).start(100, onExpire)
  advance(99)
  expect(onExpire).not.toHaveBeenCalled()
  advance(1)
  expect(onExpire).toHaveBeenCalledTimes(1)
  advance(500)
  expect(onExpire).toHaveBeenCalledTimes(1)
})

test('what has passed before counts for the first limit, and no longer after a touch', () => {
  const onExpire = mock<() => void>()
  const deadline = createDeadlines(() => at).start(100, onExpire, 60)
  advance(39)
  expect(onExpire).not.toHaveBeenCalled()
  deadline.touch()
  advance(99)
  expect(onExpire).not.toHaveBeenCalled()
  advance(1)
  expect(onExpire).toHaveBeenCalledTimes(1)
})

test('a touch starts the limit anew from now', () => {
  const onExpire = mock<() => void>()
  const deadline = createDeadlines(() => at).start(100, onExpire)
  for (let times = 0; times < 10; times += 1) {
    advance(90)
    deadline.touch()
  }
  expect(onExpire).not.toHaveBeenCalled()
  advance(100)
  expect(onExpire).toHaveBeenCalledTimes(1)
})

test('a suspended clock does not run until the next touch', () => {
  const onExpire = mock<() => void>()
  const deadline = createDeadlines(() => at).start(100, onExpire)
  deadline.suspend()
  advance(1000)
  expect(onExpire).not.toHaveBeenCalled()
  deadline.touch()
  advance(100)
  expect(onExpire).toHaveBeenCalledTimes(1)
})

test('a cleared limit never expires, and a touch does not bring it back', () => {
  const onExpire = mock<() => void>()
  const deadline = createDeadlines(() => at).start(100, onExpire)
  deadline.clear()
  deadline.touch()
  advance(1000)
  expect(onExpire).not.toHaveBeenCalled()
})

test('a limit of 0 never expires', () => {
  const onExpire = mock<() => void>()
  const deadline = createDeadlines(() => at).start(0, onExpire)
  deadline.touch()
  deadline.suspend()
  advance(10_000)
  deadline.clear()
  expect(onExpire).not.toHaveBeenCalled()
})

test('many limits expire in their own order, whatever the order of their start', () => {
  const expired: number[] = []
  const deadlines = createDeadlines(() => at)
  for (const ms of [300, 100, 200, 50, 250]) deadlines.start(ms, () => expired.push(ms))
  advance(400)
  expect(expired).toEqual([50, 100, 200, 250, 300])
})

test('a limit that is started by one that expires runs too', () => {
  const expired: string[] = []
  const deadlines = createDeadlines(() => at)
  deadlines.start(50, () => {
    expired.push('first')
    deadlines.start(50, () => expired.push('second'))
  })
  advance(99)
  expect(expired).toEqual(['first'])
  advance(1)
  expect(expired).toEqual(['first', 'second'])
})

test('one that throws does not stop the clocks of the others', async () => {
  jest.useRealTimers()
  // In a process of its own: what nobody catches would fail this one's tests.
  const program = `
    import { createDeadlines } from '${new URL('../../../src/timing/deadlines.ts', import.meta.url).pathname}'
    process.on('uncaughtException', (defect) => console.log(defect.message))
    const deadlines = createDeadlines()
    deadlines.start(10, () => { throw new Error('a defect') })
    deadlines.start(10, () => console.log('second'))
    deadlines.start(20, () => console.log('third'))`
  const child = Bun.spawn([process.execPath, '-e', program], { stdout: 'pipe', stderr: 'pipe' })
  expect(await child.stdout.text()).toBe('a defect\nsecond\nthird\n')
  expect(await child.exited).toBe(0)
})

test('whichever are cleared, wherever they stand, all others expire, once each', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ ms: fc.integer({ min: 1, max: 20 }), isCleared: fc.boolean() })), (limits) => {
      const deadlines = createDeadlines(() => at)
      const expired: number[] = []
      const started = limits.map(({ ms }, index) => deadlines.start(ms, () => expired.push(index)))
      // Each twice: what is over stays so.
      for (const [index, { isCleared }] of limits.entries()) if (isCleared) started[index]?.clear()
      for (const [index, { isCleared }] of limits.entries()) if (isCleared) started[index]?.clear()
      advance(25)
      const expected = limits.flatMap(({ isCleared }, index) => (isCleared ? [] : [index]))
      expect(expired.toSorted((one, other) => one - other)).toEqual(expected)
    }),
  )
})

test('one that expires clears another that is due at the same time: that one does not expire', () => {
  const deadlines = createDeadlines(() => at)
  const other = mock<() => void>()
  let second: Deadline | undefined
  deadlines.start(10, () => second?.clear())
  second = deadlines.start(10, other)
  advance(50)
  expect(other).not.toHaveBeenCalled()
})

describe('a process that was stopped', () => {
  /** The clock goes on, and no timer runs. */
  const stop = (ms: number): void => {
    at += ms
    jest.advanceTimersByTime(1)
  }

  test('reads what came meanwhile before it says that anything was late', () => {
    const onExpire = mock<() => void>()
    const deadline = createDeadlines(() => at).start(100, onExpire)
    advance(99)
    stop(30_000)
    advance(500)
    deadline.touch()
    advance(99)
    expect(onExpire).not.toHaveBeenCalled()
    advance(501)
    expect(onExpire).toHaveBeenCalledTimes(1)
  })

  test('gives what stays silent a second, and no more', () => {
    const onExpire = mock<() => void>()
    createDeadlines(() => at).start(100, onExpire)
    advance(99)
    stop(30_000)
    advance(999)
    expect(onExpire).not.toHaveBeenCalled()
    advance(1)
    expect(onExpire).toHaveBeenCalledTimes(1)
  })

  test('also where it stands still once more meanwhile', () => {
    const onExpire = mock<() => void>()
    createDeadlines(() => at).start(100, onExpire)
    advance(99)
    stop(30_000)
    at += 5_000
    jest.advanceTimersByTime(1_000)
    expect(onExpire).toHaveBeenCalledTimes(1)
  })
})
