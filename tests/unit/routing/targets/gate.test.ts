import { describe, expect, test } from 'bun:test'
import type { ConcurrencySettings } from '../../../../src/config/sections/upstreams/concurrency.ts'
import { ApiError } from '../../../../src/openai/api-error.ts'
import { createGate, type Gate } from '../../../../src/routing/targets/gate.ts'
import { type FakeClock, fakeClock } from './scene.ts'

const LIMITS = { max: 2, queue: 3, queueMs: 100 }

function gateOf(limits: ConcurrencySettings = LIMITS): { gate: Gate; clock: FakeClock } {
  const clock = fakeClock()
  return { gate: createGate(limits, clock.deadlines), clock }
}

/** Takes a slot that is free. */
function take(gate: Gate): () => void {
  const entered = gate.enter(new AbortController().signal)
  if (typeof entered !== 'function') throw new Error('the gate gave no slot at once')
  return entered
}

/** Waits for a slot; `got` gets the name and the way back when it has one. */
function wait(gate: Gate, name: string, got: Map<string, () => void>, signal?: AbortSignal): Promise<unknown> {
  return Promise.resolve(gate.enter(signal ?? new AbortController().signal)).then(
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
    const gate = createGate(undefined, fakeClock().deadlines)
    expect(gate.enter(new AbortController().signal)).toBeUndefined()
    expect([gate.hasRoom(), gate.inUse(), gate.queued()]).toEqual([true, 0, 0])
  })
})

describe('a gate', () => {
  test('lets calls in at once while there is room', () => {
    const { gate } = gateOf()
    expect([gate.hasRoom(), gate.inUse()]).toEqual([true, 0])
    take(gate)
    const leave = take(gate)
    expect([gate.hasRoom(), gate.inUse()]).toEqual([false, 2])
    leave()
    expect([gate.hasRoom(), gate.inUse()]).toEqual([true, 1])
  })

  test('takes a slot back once', () => {
    const { gate } = gateOf()
    const leave = take(gate)
    take(gate)
    leave()
    leave()
    expect(gate.inUse()).toBe(1)
  })

  test('hands a slot to whoever has waited longest', async () => {
    const { gate, clock } = gateOf()
    const leave = take(gate)
    take(gate)
    const got = new Map<string, () => void>()
    const all = ['first', 'second', 'third'].map((name) => wait(gate, name, got))
    expect(gate.queued()).toBe(3)
    leave()
    await settle()
    expect([[...got.keys()], gate.inUse(), gate.queued()]).toEqual([['first'], 2, 2])
    got.get('first')?.()
    await settle()
    got.get('first')?.()
    await settle()
    expect([[...got.keys()], gate.inUse(), gate.queued()]).toEqual([['first', 'second'], 2, 1])
    got.get('second')?.()
    await Promise.all(all)
    expect([[...got.keys()], clock.running()]).toEqual([['first', 'second', 'third'], 0])
  })

  test('refuses when as many wait as may', () => {
    const { gate } = gateOf({ ...LIMITS, queue: 1 })
    take(gate)
    take(gate)
    void wait(gate, 'first', new Map())
    const thrown = thrownBy(() => gate.enter(new AbortController().signal))
    expect(thrown).toMatchObject({ kind: 'upstream_busy', retryAfterSeconds: 1 })
    expect(gate.queued()).toBe(1)
  })

  test('without a queue refuses at once', () => {
    const { gate } = gateOf({ max: 1, queue: 0, queueMs: 100 })
    take(gate)
    expect(thrownBy(() => gate.enter(new AbortController().signal))).toBeInstanceOf(ApiError)
  })

  test('refuses who has waited too long, and frees the place', async () => {
    const { gate, clock } = gateOf()
    const leave = take(gate)
    take(gate)
    const got = new Map<string, () => void>()
    const waited = wait(gate, 'first', got)
    clock.advance(99)
    expect(gate.queued()).toBe(1)
    clock.advance(1)
    expect(await waited).toMatchObject({ kind: 'queue_timeout' })
    expect(gate.queued()).toBe(0)
    leave()
    await settle()
    expect([got.size, gate.inUse()]).toEqual([0, 1])
  })

  test('lets a call wait without end where the time is 0', async () => {
    const { gate, clock } = gateOf({ max: 1, queue: 1, queueMs: 0 })
    const leave = take(gate)
    const got = new Map<string, () => void>()
    const waited = wait(gate, 'first', got)
    clock.advance(3_600_000)
    leave()
    await waited
    expect([...got.keys()]).toEqual(['first'])
  })

  test('frees the place of one that leaves while it waits, which gets the reason', async () => {
    const { gate, clock } = gateOf({ ...LIMITS, queue: 2 })
    const leave = take(gate)
    take(gate)
    const got = new Map<string, () => void>()
    const leaver = new AbortController()
    const left = wait(gate, 'leaver', got, leaver.signal)
    const stays = wait(gate, 'stayer', got)
    const reason = new ApiError('client_closed')
    leaver.abort(reason)
    expect(await left).toBe(reason)
    expect([gate.queued(), clock.running()]).toEqual([1, 1])
    leave()
    await stays
    expect([[...got.keys()], gate.inUse()]).toEqual([['stayer'], 2])
  })

  test('has no place for one that has left before, and leaves a slot to others', async () => {
    const { gate, clock } = gateOf()
    take(gate)
    take(gate)
    const reason = new ApiError('client_closed')
    expect(await wait(gate, 'gone', new Map(), AbortSignal.abort(reason))).toBe(reason)
    expect([gate.queued(), clock.running()]).toEqual([0, 0])
  })

  test('does not take a slot away from one that leaves after it was let in', async () => {
    const { gate } = gateOf()
    const leave = take(gate)
    take(gate)
    const got = new Map<string, () => void>()
    const leaver = new AbortController()
    const waited = wait(gate, 'first', got, leaver.signal)
    leave()
    leaver.abort(new Error('late'))
    await waited
    expect([[...got.keys()], gate.inUse()]).toEqual([['first'], 2])
  })
})

describe('new limits', () => {
  test('let those in that wait, as many as there is room for now', async () => {
    const { gate } = gateOf()
    take(gate)
    take(gate)
    const got = new Map<string, () => void>()
    for (const name of ['first', 'second', 'third']) void wait(gate, name, got)
    gate.configure({ ...LIMITS, max: 4 })
    await settle()
    expect([[...got.keys()], gate.inUse(), gate.queued()]).toEqual([['first', 'second'], 4, 1])
  })

  test('that are none let all in', async () => {
    const { gate } = gateOf()
    take(gate)
    take(gate)
    const got = new Map<string, () => void>()
    for (const name of ['first', 'second', 'third']) void wait(gate, name, got)
    gate.configure(undefined)
    await settle()
    expect([got.size, gate.queued(), gate.hasRoom()]).toEqual([3, 0, true])
  })

  test('that are tighter let nobody in before enough have left', async () => {
    const { gate } = gateOf()
    const [one, other] = [take(gate), take(gate)]
    const got = new Map<string, () => void>()
    void wait(gate, 'first', got)
    gate.configure({ ...LIMITS, max: 1, queue: 0 })
    one()
    await settle()
    expect([got.size, gate.inUse(), gate.queued(), gate.hasRoom()]).toEqual([0, 1, 1, false])
    other()
    await settle()
    expect([got.size, gate.inUse(), gate.queued()]).toEqual([1, 1, 0])
  })
})
