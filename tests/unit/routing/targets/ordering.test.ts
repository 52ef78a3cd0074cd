import { describe, expect, test } from 'bun:test'
import { createLaneHealth, type LaneHealth } from '../../../../src/routing/health/lane-health.ts'
import { createGate, type Gate } from '../../../../src/routing/targets/gate.ts'
import { createOrdering, type OrderingPlan } from '../../../../src/routing/targets/ordering.ts'
import { hashOf } from '../../../../src/routing/targets/rendezvous.ts'
import { BREAKER, type FakeClock, fakeClock, seededRandom } from './scene.ts'

interface TestLane {
  readonly label: string
  readonly health: LaneHealth
  readonly gate: Gate
}

interface Scene {
  readonly clock: FakeClock
  readonly lanes: readonly TestLane[]
  readonly lane: (label: string) => TestLane
  readonly order: (affinity?: string) => string
  readonly orderOnce: (affinity: string | undefined) => readonly TestLane[]
}

/** Lanes with the order of their target: `['a', 0]`. */
function scene(
  some: readonly (readonly [label: string, order: number])[],
  changes: Partial<OrderingPlan<TestLane>> = {},
): Scene {
  const clock = fakeClock()
  const candidates = some.map(([label, order], target) => {
    const gate = createGate({ max: 1, queue: 5, queueMs: 100 }, clock.deadlines)
    const lane = { label, health: createLaneHealth({ ...BREAKER, failures: 1 }, clock.now), gate }
    return { lane, order, target, weight: 1, hash: hashOf(label) }
  })
  const lanes = candidates.map(({ lane }) => lane)
  const plan = { strategy: 'order', allOpen: 'try', turns: { turn: 0 }, random: seededRandom(), ...changes } as const
  const orderOnce = createOrdering({ ...plan, candidates })
  return {
    clock,
    lanes,
    lane(label) {
      const found = lanes.find((lane) => lane.label === label)
      if (found === undefined) throw new Error(`there is no lane ${label}`)
      return found
    },
    order: (affinity) =>
      orderOnce(affinity)
        .map(({ label }) => label)
        .join(' '),
    orderOnce,
  }
}

function open({ health }: TestLane): void {
  const attempt = health.begin()
  attempt.failed()
  attempt.ended()
}

function coolDown({ health }: TestLane, ms: number): void {
  const attempt = health.begin()
  attempt.answered(429, 1, ms)
  attempt.ended()
}

function fill({ gate }: TestLane): void {
  void gate.enter(new AbortController().signal)
}

describe('the order of lanes', () => {
  test('has those of lower order first, and the strategy within each order', () => {
    const { order } = scene(
      [
        ['a', 0],
        ['b', 0],
        ['c', 1],
        ['d', 1],
        ['e', 2],
      ],
      { strategy: 'round_robin' },
    )
    expect([order(), order(), order()]).toEqual(['a b c d e', 'b a d c e', 'a b c d e'])
  })

  test('leaves out those whose breaker is open and those that cool down, until their time is up', () => {
    const { order, lane, clock } = scene([
      ['a', 0],
      ['b', 1],
      ['c', 2],
    ])
    open(lane('a'))
    coolDown(lane('b'), 400)
    expect(order()).toBe('c')
    clock.advance(400)
    expect(order()).toBe('b c')
    clock.advance(600)
    expect(order()).toBe('a b c')
    lane('a').health.begin()
    expect(order()).toBe('b c')
  })

  test('gives the turns of one that is left out to the others alike', () => {
    const { order, lane } = scene(
      [
        ['a', 0],
        ['b', 0],
        ['c', 0],
      ],
      { strategy: 'round_robin' },
    )
    open(lane('a'))
    expect([order(), order(), order(), order()]).toEqual(['b c', 'c b', 'b c', 'c b'])
  })

  test('has those whose gate is full behind the others, whatever their order', () => {
    const { order, lane } = scene([
      ['a', 0],
      ['b', 1],
      ['c', 2],
      ['d', 3],
    ])
    fill(lane('a'))
    fill(lane('c'))
    expect(order()).toBe('b d a c')
    fill(lane('b'))
    fill(lane('d'))
    expect(order()).toBe('a b c d')
  })

  test('passes the affinity on', () => {
    const lanes = [
      ['a', 0],
      ['b', 0],
      ['c', 0],
    ] as const
    const { order } = scene(lanes, { strategy: 'affinity' })
    const orders = Array.from({ length: 20 }, (_, number) => order(`conversation ${number}`))
    expect(new Set(orders).size).toBeGreaterThan(3)
    expect(orders).toEqual(
      Array.from({ length: 20 }, (_, number) => scene(lanes, { strategy: 'affinity' }).order(`conversation ${number}`)),
    )
  })

  test('shares its turns with others of the same model', () => {
    const turns = { turn: 1 }
    const { order } = scene(
      [
        ['a', 0],
        ['b', 0],
      ],
      { strategy: 'round_robin', turns },
    )
    expect(order()).toBe('b a')
    expect(turns.turn).toBe(2)
  })
})

describe('where nothing is left', () => {
  test('try: the one that opens again first is tried, alone', () => {
    const { order, lane } = scene([
      ['a', 0],
      ['b', 0],
      ['c', 0],
    ])
    open(lane('a'))
    coolDown(lane('b'), 300)
    coolDown(lane('c'), 700)
    expect(order()).toBe('b')
  })

  test('refuse: with the seconds until the first opens', () => {
    const { orderOnce, lane, clock } = scene(
      [
        ['a', 0],
        ['b', 0],
      ],
      { allOpen: 'refuse' },
    )
    coolDown(lane('a'), 2500)
    coolDown(lane('b'), 2400)
    const refusal = (): unknown => {
      try {
        return orderOnce(undefined)
      } catch (thrown) {
        return thrown
      }
    }
    expect(refusal()).toMatchObject({ kind: 'upstream_unavailable', retryAfterSeconds: 3 })
    clock.advance(2000)
    expect(refusal()).toMatchObject({ retryAfterSeconds: 1 })
    clock.advance(400)
    expect(refusal()).toEqual([lane('b')])
  })

  test('refuse: a lane whose probe is under way is one to come back to in a second', () => {
    const { orderOnce, lane, clock } = scene([['a', 0]], { allOpen: 'refuse' })
    open(lane('a'))
    clock.advance(1000)
    lane('a').health.begin()
    expect(() => orderOnce(undefined)).toThrow(expect.objectContaining({ retryAfterSeconds: 1 }))
  })
})

describe('one lane', () => {
  test('is the same array each time, and nobody is asked about anything', () => {
    const { orderOnce, lane } = scene([['a', 0]])
    fill(lane('a'))
    expect(orderOnce(undefined)).toEqual([lane('a')])
    expect(orderOnce('x')).toBe(orderOnce(undefined))
  })

  test('that is open is tried or refused as any other', () => {
    const tried = scene([['a', 0]])
    open(tried.lane('a'))
    expect(tried.order()).toBe('a')
    const refused = scene([['a', 0]], { allOpen: 'refuse' })
    open(refused.lane('a'))
    expect(() => refused.order()).toThrow(expect.objectContaining({ kind: 'upstream_unavailable' }))
  })
})
