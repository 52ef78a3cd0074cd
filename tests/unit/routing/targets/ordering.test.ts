import { describe, expect, test } from 'bun:test'
import { createDeploymentHealth, type DeploymentHealth } from '../../../../src/routing/health/deployment-health.ts'
import {
  type ConcurrencyLimiter,
  createConcurrencyLimiter,
} from '../../../../src/routing/targets/concurrency-limiter.ts'
import { createOrdering, type OrderingPlan } from '../../../../src/routing/targets/ordering.ts'
import { hashOf } from '../../../../src/routing/targets/rendezvous.ts'
import { BREAKER, type FakeClock, fakeClock, seededRandom } from './router-parts.ts'

interface TestDeployment {
  readonly label: string
  readonly health: DeploymentHealth
  readonly limiter: ConcurrencyLimiter
}

interface OrderUnderTest {
  readonly clock: FakeClock
  readonly deployments: readonly TestDeployment[]
  readonly deployment: (label: string) => TestDeployment
  readonly order: (affinity?: string) => string
  readonly orderOnce: (affinity: string | undefined) => readonly TestDeployment[]
}

/** Deployments with the order of their target: `['a', 0]`. */
function orderUnderTest(
  some: readonly (readonly [label: string, order: number])[],
  changes: Partial<OrderingPlan<TestDeployment>> = {},
): OrderUnderTest {
  const clock = fakeClock()
  const candidates = some.map(([label, order], target) => {
    const limiter = createConcurrencyLimiter({ max: 1, queue: 5, queueMs: 100 }, clock.deadlines)
    const deployment = {
      label,
      health: createDeploymentHealth({ ...BREAKER, failures: 1 }, clock.now),
      limiter: limiter,
    }
    return { deployment, order, target, weight: 1, hash: hashOf(label) }
  })
  const deployments = candidates.map(({ deployment }) => deployment)
  const plan = { strategy: 'order', allOpen: 'try', rotation: { turn: 0 }, random: seededRandom(), ...changes } as const
  const orderOnce = createOrdering({ ...plan, candidates })
  return {
    clock,
    deployments,
    deployment(label) {
      const found = deployments.find((deployment) => deployment.label === label)
      if (found === undefined) throw new Error(`there is no deployment ${label}`)
      return found
    },
    order: (affinity) =>
      orderOnce(affinity)
        .map(({ label }) => label)
        .join(' '),
    orderOnce,
  }
}

function open({ health }: TestDeployment): void {
  const attempt = health.begin()
  attempt.failed()
  attempt.ended()
}

function coolDown({ health }: TestDeployment, ms: number): void {
  const attempt = health.begin()
  attempt.answered(429, 1, ms)
  attempt.ended()
}

function fill({ limiter }: TestDeployment): void {
  void limiter.enter(new AbortController().signal)
}

describe('the order of deployments', () => {
  test('has those of lower order first, and the strategy within each order', () => {
    const { order } = orderUnderTest(
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
    const { order, deployment, clock } = orderUnderTest([
      ['a', 0],
      ['b', 1],
      ['c', 2],
    ])
    open(deployment('a'))
    coolDown(deployment('b'), 400)
    expect(order()).toBe('c')
    clock.advance(400)
    expect(order()).toBe('b c')
    clock.advance(600)
    expect(order()).toBe('a b c')
    deployment('a').health.begin()
    expect(order()).toBe('b c')
  })

  test('gives the turns of one that is left out to the others alike', () => {
    const { order, deployment } = orderUnderTest(
      [
        ['a', 0],
        ['b', 0],
        ['c', 0],
      ],
      { strategy: 'round_robin' },
    )
    open(deployment('a'))
    expect([order(), order(), order(), order()]).toEqual(['b c', 'c b', 'b c', 'c b'])
  })

  test('has those whose limiter is full behind the others, whatever their order', () => {
    const { order, deployment } = orderUnderTest([
      ['a', 0],
      ['b', 1],
      ['c', 2],
      ['d', 3],
    ])
    fill(deployment('a'))
    fill(deployment('c'))
    expect(order()).toBe('b d a c')
    fill(deployment('b'))
    fill(deployment('d'))
    expect(order()).toBe('a b c d')
  })

  test('passes the affinity on', () => {
    const deployments = [
      ['a', 0],
      ['b', 0],
      ['c', 0],
    ] as const
    const { order } = orderUnderTest(deployments, { strategy: 'affinity' })
    const orders = Array.from({ length: 20 }, (_, number) => order(`conversation ${number}`))
    expect(new Set(orders).size).toBeGreaterThan(3)
    expect(orders).toEqual(
      Array.from({ length: 20 }, (_, number) =>
        orderUnderTest(deployments, { strategy: 'affinity' }).order(`conversation ${number}`),
      ),
    )
  })

  test('shares its turns with others of the same model', () => {
    const turns = { turn: 1 }
    const { order } = orderUnderTest(
      [
        ['a', 0],
        ['b', 0],
      ],
      { strategy: 'round_robin', rotation: turns },
    )
    expect(order()).toBe('b a')
    expect(turns.turn).toBe(2)
  })
})

describe('where nothing is left', () => {
  test('try: time that passes while they are compared does not change which one opens again first', () => {
    const clock = fakeClock()
    let passing = 0
    const now = (): number => {
      clock.advance(passing)
      return clock.at
    }
    const deployments = ['a', 'b'].map((label) => {
      const limiter = createConcurrencyLimiter({ max: 1, queue: 5, queueMs: 100 }, clock.deadlines)
      return { label, health: createDeploymentHealth({ ...BREAKER, failures: 1 }, now), limiter }
    })
    const candidates = deployments.map((deployment, target) => {
      return { deployment, order: 0, target, weight: 1, hash: hashOf(deployment.label) }
    })
    const plan = {
      strategy: 'order',
      allOpen: 'try',
      rotation: { turn: 0 },
      random: seededRandom(),
      candidates,
    } as const
    for (const deployment of deployments) {
      open(deployment)
      clock.advance(1)
    }
    passing = 5
    expect(createOrdering(plan)(undefined).map(({ label }) => label)).toEqual(['a'])
  })

  test('try: the one that opens again first is tried, alone', () => {
    const { order, deployment } = orderUnderTest([
      ['a', 0],
      ['b', 0],
      ['c', 0],
    ])
    open(deployment('a'))
    coolDown(deployment('b'), 300)
    coolDown(deployment('c'), 700)
    expect(order()).toBe('b')
  })

  test('refuse: with the seconds until the first opens', () => {
    const { orderOnce, deployment, clock } = orderUnderTest(
      [
        ['a', 0],
        ['b', 0],
      ],
      { allOpen: 'refuse' },
    )
    coolDown(deployment('a'), 2500)
    coolDown(deployment('b'), 2400)
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
    expect(refusal()).toEqual([deployment('b')])
  })

  test('refuse: a deployment whose probe is under way is one to come back to in a second', () => {
    const { orderOnce, deployment, clock } = orderUnderTest([['a', 0]], { allOpen: 'refuse' })
    open(deployment('a'))
    clock.advance(1000)
    deployment('a').health.begin()
    expect(() => orderOnce(undefined)).toThrow(expect.objectContaining({ retryAfterSeconds: 1 }))
  })
})

describe('one deployment', () => {
  test('is the same array each time, and nobody is asked about anything', () => {
    const { orderOnce, deployment } = orderUnderTest([['a', 0]])
    fill(deployment('a'))
    expect(orderOnce(undefined)).toEqual([deployment('a')])
    expect(orderOnce('x')).toBe(orderOnce(undefined))
  })

  test('that is open is tried or refused as any other', () => {
    const tried = orderUnderTest([['a', 0]])
    open(tried.deployment('a'))
    expect(tried.order()).toBe('a')
    const refused = orderUnderTest([['a', 0]], { allOpen: 'refuse' })
    open(refused.deployment('a'))
    expect(() => refused.order()).toThrow(expect.objectContaining({ kind: 'upstream_unavailable' }))
  })
})
