import { describe, expect, test } from 'bun:test'
import type { ConcurrencySettings } from '../../../../src/config/sections/upstreams/concurrency.ts'
import { ApiError } from '../../../../src/openai/api-error.ts'
import {
  type ConcurrencyLimiter,
  createConcurrencyLimiter,
} from '../../../../src/routing/targets/concurrency-limiter.ts'
import { type FakeClock, fakeClock } from './router-parts.ts'

const LIMITS = { max: 2, queue: 3, queueMs: 100 }

function gateOf(limits: ConcurrencySettings = LIMITS): { limiter: ConcurrencyLimiter; clock: FakeClock } {
  const clock = fakeClock()
  return { limiter: createConcurrencyLimiter(limits, clock.deadlines), clock }
}

/** Takes a slot that is free. */
function take(limiter: ConcurrencyLimiter): () => void {
  const entered = limiter.enter(new AbortController().signal)
  if (typeof entered !== 'function') throw new Error('the gate gave no slot at once')
  return entered
}

/** Waits for a slot; `got` gets the name and the way back when it has one. */
function wait(
  limiter: ConcurrencyLimiter,
  name: string,
  got: Map<string, () => void>,
  signal?: AbortSignal,
): Promise<unknown> {
  return Promise.resolve(limiter.enter(signal ?? new AbortController().signal)).then(
    (leave) => got.set(name, leave ?? (() => undefined)),
    (reason: unknown) => reason,
  )
}

/** Lets everything run that is waiting to. */
async function settle(): Promise<void> {
  for (let round = 0; round < 5; round += 1) await Promise.resolve()
}

function thrownBy(action: () => unknown): unknown {
  try {
    action()
  } catch (thrown) {
    return thrown
  }
  return undefined
}

describe('a gate without a limit', () => {
  test('gives nothing to give back, and counts nothing', () => {
    const limiter = createConcurrencyLimiter(undefined, fakeClock().deadlines)
    expect(limiter.enter(new AbortController().signal)).toBeUndefined()
    expect([limiter.hasRoom(), limiter.inUse(), limiter.queued()]).toEqual([true, 0, 0])
  })
})

describe('a gate', () => {
  test('lets calls in at once while there is room', () => {
    const { limiter } = gateOf()
    expect([limiter.hasRoom(), limiter.inUse()]).toEqual([true, 0])
    take(limiter)
    const leave = take(limiter)
    expect([limiter.hasRoom(), limiter.inUse()]).toEqual([false, 2])
    leave()
    expect([limiter.hasRoom(), limiter.inUse()]).toEqual([true, 1])
  })

  test('takes a slot back once', () => {
    const { limiter } = gateOf()
    const leave = take(limiter)
    take(limiter)
    leave()
    leave()
    expect(limiter.inUse()).toBe(1)
  })

  test('hands a slot to whoever has waited longest', async () => {
    const { limiter, clock } = gateOf()
    const leave = take(limiter)
    take(limiter)
    const got = new Map<string, () => void>()
    const all = ['first', 'second', 'third'].map((name) => wait(limiter, name, got))
    expect(limiter.queued()).toBe(3)
    leave()
    await settle()
    expect([[...got.keys()], limiter.inUse(), limiter.queued()]).toEqual([['first'], 2, 2])
    got.get('first')?.()
    await settle()
    got.get('first')?.()
    await settle()
    expect([[...got.keys()], limiter.inUse(), limiter.queued()]).toEqual([['first', 'second'], 2, 1])
    got.get('second')?.()
    await Promise.all(all)
    expect([[...got.keys()], clock.running()]).toEqual([['first', 'second', 'third'], 0])
  })

  test('refuses when as many wait as may', () => {
    const { limiter } = gateOf({ ...LIMITS, queue: 1 })
    take(limiter)
    take(limiter)
    void wait(limiter, 'first', new Map())
    const thrown = thrownBy(() => limiter.enter(new AbortController().signal))
    expect(thrown).toMatchObject({ kind: 'upstream_busy', retryAfterSeconds: 1 })
    expect(limiter.queued()).toBe(1)
  })

  test('without a queue refuses at once', () => {
    const { limiter } = gateOf({ max: 1, queue: 0, queueMs: 100 })
    take(limiter)
    expect(thrownBy(() => limiter.enter(new AbortController().signal))).toBeInstanceOf(ApiError)
  })

  test('refuses who has waited too long, and frees the place', async () => {
    const { limiter, clock } = gateOf()
    const leave = take(limiter)
    take(limiter)
    const got = new Map<string, () => void>()
    const waited = wait(limiter, 'first', got)
    clock.advance(99)
    expect(limiter.queued()).toBe(1)
    clock.advance(1)
    expect(await waited).toMatchObject({ kind: 'queue_timeout' })
    expect(limiter.queued()).toBe(0)
    leave()
    await settle()
    expect([got.size, limiter.inUse()]).toEqual([0, 1])
  })

  test('lets a call wait without end where the time is 0', async () => {
    const { limiter, clock } = gateOf({ max: 1, queue: 1, queueMs: 0 })
    const leave = take(limiter)
    const got = new Map<string, () => void>()
    const waited = wait(limiter, 'first', got)
    clock.advance(3_600_000)
    leave()
    await waited
    expect([...got.keys()]).toEqual(['first'])
  })

  test('frees the place of one that leaves while it waits, which gets the reason', async () => {
    const { limiter, clock } = gateOf({ ...LIMITS, queue: 2 })
    const leave = take(limiter)
    take(limiter)
    const got = new Map<string, () => void>()
    const leaver = new AbortController()
    const left = wait(limiter, 'leaver', got, leaver.signal)
    const stays = wait(limiter, 'stayer', got)
    const reason = new ApiError('client_closed')
    leaver.abort(reason)
    expect(await left).toBe(reason)
    expect([limiter.queued(), clock.running()]).toEqual([1, 1])
    leave()
    await stays
    expect([[...got.keys()], limiter.inUse()]).toEqual([['stayer'], 2])
  })

  test('has no place for one that has left before, and leaves a slot to others', async () => {
    const { limiter, clock } = gateOf()
    take(limiter)
    take(limiter)
    const reason = new ApiError('client_closed')
    expect(await wait(limiter, 'gone', new Map(), AbortSignal.abort(reason))).toBe(reason)
    expect([limiter.queued(), clock.running()]).toEqual([0, 0])
  })

  test('does not take a slot away from one that leaves after it was let in', async () => {
    const { limiter } = gateOf()
    const leave = take(limiter)
    take(limiter)
    const got = new Map<string, () => void>()
    const leaver = new AbortController()
    const waited = wait(limiter, 'first', got, leaver.signal)
    leave()
    leaver.abort(new Error('late'))
    await waited
    expect([[...got.keys()], limiter.inUse()]).toEqual([['first'], 2])
  })
})

describe('new limits', () => {
  test('let those in that wait, as many as there is room for now', async () => {
    const { limiter } = gateOf()
    take(limiter)
    take(limiter)
    const got = new Map<string, () => void>()
    for (const name of ['first', 'second', 'third']) void wait(limiter, name, got)
    limiter.configure({ ...LIMITS, max: 4 })
    await settle()
    expect([[...got.keys()], limiter.inUse(), limiter.queued()]).toEqual([['first', 'second'], 4, 1])
  })

  test('that are none let all in', async () => {
    const { limiter } = gateOf()
    take(limiter)
    take(limiter)
    const got = new Map<string, () => void>()
    for (const name of ['first', 'second', 'third']) void wait(limiter, name, got)
    limiter.configure(undefined)
    await settle()
    expect([got.size, limiter.queued(), limiter.hasRoom()]).toEqual([3, 0, true])
  })

  test('that are tighter let nobody in before enough have left', async () => {
    const { limiter } = gateOf()
    const [one, other] = [take(limiter), take(limiter)]
    const got = new Map<string, () => void>()
    void wait(limiter, 'first', got)
    limiter.configure({ ...LIMITS, max: 1, queue: 0 })
    one()
    await settle()
    expect([got.size, limiter.inUse(), limiter.queued(), limiter.hasRoom()]).toEqual([0, 1, 1, false])
    other()
    await settle()
    expect([got.size, limiter.inUse(), limiter.queued()]).toEqual([1, 1, 0])
  })
})
