import { describe, expect, test } from 'bun:test'
import type { Strategy } from '../../../../src/config/sections/models.ts'
import { createDeploymentHealth, type DeploymentHealth } from '../../../../src/routing/health/deployment-health.ts'
import { type Candidate, type RankDeps, rank } from '../../../../src/routing/targets/rank.ts'
import { hashOf } from '../../../../src/routing/targets/rendezvous.ts'
import { BREAKER, scriptedRandom, seededRandom } from './router-parts.ts'

interface TestDeployment {
  readonly label: string
  readonly health: DeploymentHealth
}

/** Named after target and key: `b2` is the second target's second key. */
function candidate(label: string, weight = 1): Candidate<TestDeployment> {
  const health = createDeploymentHealth(BREAKER, () => 0)
  return { deployment: { label, health }, order: 0, target: label.charCodeAt(0), weight, hash: hashOf(label) }
}

function candidates(...labels: readonly string[]): Candidate<TestDeployment>[] {
  return labels.map((label) => candidate(label))
}

function ranked(some: readonly Candidate<TestDeployment>[], strategy: Strategy, deps: Partial<RankDeps> = {}): string {
  const order = rank(some, strategy, { random: seededRandom(), turn: 0, affinity: undefined, ...deps })
  return order.map(({ deployment }) => deployment.label).join(' ')
}

/** How often each order came out of so many requests. */
function tally(times: number, orderOf: (turn: number) => string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (let turn = 0; turn < times; turn += 1) {
    const order = orderOf(turn)
    counts[order] = (counts[order] ?? 0) + 1
  }
  return counts
}

function work(health: DeploymentHealth, averageMs: number | undefined, inFlight: number): void {
  for (let call = 0; call < inFlight; call += 1) health.begin()
  if (averageMs === undefined) return
  const attempt = health.begin()
  attempt.answered(200, averageMs)
  attempt.ended()
}

describe('order', () => {
  test('keeps the order of the targets, while the keys of each take turns', () => {
    const some = candidates('a1', 'a2', 'a3', 'b1', 'b2')
    expect([0, 1, 2, 3].map((turn) => ranked(some, 'order', { turn }))).toEqual([
      'a1 a2 a3 b1 b2',
      'a2 a3 a1 b2 b1',
      'a3 a1 a2 b1 b2',
      'a1 a2 a3 b2 b1',
    ])
  })
})

describe('round_robin', () => {
  test('has each target first in turn', () => {
    const some = candidates('a', 'b', 'c')
    expect([0, 1, 2, 3].map((turn) => ranked(some, 'round_robin', { turn }))).toEqual([
      'a b c',
      'b c a',
      'c a b',
      'a b c',
    ])
  })

  test('has each key of each target first, as often as the others', () => {
    const some = candidates('a1', 'a2', 'b1', 'b2')
    const firsts = tally(40, (turn) => ranked(some, 'round_robin', { turn }).slice(0, 2))
    expect(firsts).toEqual({ a1: 10, a2: 10, b1: 10, b2: 10 })
    expect(ranked(some, 'round_robin', { turn: 3 })).toBe('b2 b1 a2 a1')
  })
})

describe('weighted', () => {
  test('has the first in proportion to the weights: 3 to 1', () => {
    const some = [candidate('a', 3), candidate('b', 1)]
    const random = seededRandom()
    const counts = tally(10_000, () => ranked(some, 'weighted', { random }))
    expect(Math.abs((counts['a b'] ?? 0) - 7500)).toBeLessThan(150)
    expect((counts['a b'] ?? 0) + (counts['b a'] ?? 0)).toBe(10_000)
  })

  test('draws the others by their weights, too', () => {
    const some = [candidate('a', 2), candidate('b', 1), candidate('c', 1)]
    const random = seededRandom(7)
    const counts = tally(10_000, () => ranked(some, 'weighted', { random }))
    // P(a first) = 1/2, then b and c are as likely; P(b first) = 1/4, then a with 2/3.
    expect(Math.abs((counts['a b c'] ?? 0) - 2500)).toBeLessThan(150)
    expect(Math.abs((counts['a c b'] ?? 0) - 2500)).toBeLessThan(150)
    expect(Math.abs((counts['b a c'] ?? 0) - 1667)).toBeLessThan(150)
    expect(Math.abs((counts['c b a'] ?? 0) - 833)).toBeLessThan(150)
  })

  test('gives all of them whatever random says, also 0', () => {
    const some = candidates('a', 'b', 'c')
    expect(ranked(some, 'weighted', { random: () => 0 })).toBe('a b c')
    expect(
      ranked(some, 'weighted', { random: () => 1 - 2 ** -53 })
        .split(' ')
        .toSorted(),
    ).toEqual(['a', 'b', 'c'])
  })
})

describe('least_busy', () => {
  test('of two drawn at random has the one with fewer calls under way first', () => {
    const some = candidates('a', 'b', 'c')
    const [a, b, c] = some.map(({ deployment }) => deployment.health)
    if (a === undefined || b === undefined || c === undefined) throw new Error('three are expected')
    work(a, 100, 3)
    work(b, 100, 2)
    work(c, 100, 0)
    // a and b are drawn: b is better, and c the best of those that are left.
    expect(ranked(some, 'least_busy', { random: scriptedRandom(0, 0) })).toBe('b c a')
    // b and a, then a and c, then c and b.
    expect(ranked(some, 'least_busy', { random: scriptedRandom(0.4, 0) })).toBe('b c a')
    expect(ranked(some, 'least_busy', { random: scriptedRandom(0, 0.9) })).toBe('c b a')
    expect(ranked(some, 'least_busy', { random: scriptedRandom(0.99, 0.99) })).toBe('c b a')
  })

  test('weighs calls under way with the time that one takes', () => {
    const some = candidates('a', 'b')
    const [a, b] = some.map(({ deployment }) => deployment.health)
    if (a === undefined || b === undefined) throw new Error('two are expected')
    work(a, 50, 3)
    work(b, 300, 0)
    expect(ranked(some, 'least_busy')).toBe('a b')
    work(a, undefined, 3)
    expect(ranked(some, 'least_busy')).toBe('b a')
  })

  test('takes one whose times are not known to be as fast as the fastest', () => {
    const some = candidates('a', 'b', 'c')
    const [a, b] = some.map(({ deployment }) => deployment.health)
    if (a === undefined || b === undefined) throw new Error('two are expected')
    work(a, 100, 0)
    work(b, 50, 1)
    // 100, 100, 50
    expect(ranked(some, 'least_busy', { random: scriptedRandom(0, 0) })).toBe('a c b')
    expect(ranked(some, 'least_busy', { random: scriptedRandom(0, 0.9) })).toBe('c a b')
    work(some[2]?.deployment.health ?? never(), undefined, 2)
    // 100, 100, 150
    expect(ranked(some, 'least_busy', { random: scriptedRandom(0, 0.9) })).toBe('a b c')
  })

  test('with no times at all goes by the calls under way', () => {
    const some = candidates('a', 'b')
    work(some[0]?.deployment.health ?? never(), undefined, 1)
    expect(ranked(some, 'least_busy')).toBe('b a')
  })

  test('draws all pairs, so that equal ones are first alike', () => {
    const some = candidates('a', 'b', 'c', 'd')
    const random = seededRandom(3)
    const firsts = tally(8000, () => ranked(some, 'least_busy', { random }).slice(0, 1))
    for (const label of ['a', 'b', 'c', 'd']) expect(Math.abs((firsts[label] ?? 0) - 2000)).toBeLessThan(150)
  })
})

describe('affinity', () => {
  const KEYS = Array.from({ length: 10_000 }, (_, number) => `conversation ${number}`)

  test('gives a key the same order each time, whatever chance and turn say', () => {
    const orders = [1, 2, 3].map((seed) =>
      ranked(candidates('a', 'b', 'c'), 'affinity', { affinity: 'x', random: seededRandom(seed), turn: seed }),
    )
    expect(new Set(orders).size).toBe(1)
  })

  test('does not depend on the order of the candidates', () => {
    for (const affinity of KEYS.slice(0, 100)) {
      expect(ranked(candidates('c', 'a', 'b'), 'affinity', { affinity })).toBe(
        ranked(candidates('a', 'b', 'c'), 'affinity', { affinity }),
      )
    }
  })

  test('shares the keys by weight: 3 to 1', () => {
    const some = [candidate('a', 3), candidate('b', 1)]
    const counts = tally(KEYS.length, (turn) => ranked(some, 'affinity', { affinity: KEYS[turn] ?? '' }))
    expect(Math.abs((counts['a b'] ?? 0) - 7500)).toBeLessThan(200)
  })

  test('moves only its own share of the keys to a deployment that is added', () => {
    const before = candidates('a', 'b', 'c', 'd')
    const after = [...before, candidate('e')]
    let moved = 0
    for (const affinity of KEYS) {
      const [from] = ranked(before, 'affinity', { affinity }).split(' ')
      const [to] = ranked(after, 'affinity', { affinity }).split(' ')
      if (from === to) continue
      moved += 1
      expect(to).toBe('e')
    }
    expect(Math.abs(moved - 2000)).toBeLessThan(200)
  })

  test('moves the keys of a deployment that is gone to the next in their order, and no others', () => {
    const all = candidates('a', 'b', 'c', 'd')
    const without = all.filter(({ deployment }) => deployment.label !== 'b')
    for (const affinity of KEYS.slice(0, 500)) {
      const order = ranked(all, 'affinity', { affinity }).split(' ')
      expect(ranked(without, 'affinity', { affinity })).toBe(order.filter((label) => label !== 'b').join(' '))
    }
  })

  test('has each key of a target for a node of its own', () => {
    const some = [candidate('a1', 0.5), candidate('a2', 0.5), candidate('b', 1)]
    const firsts = tally(
      KEYS.length,
      (turn) => ranked(some, 'affinity', { affinity: KEYS[turn] ?? '' }).split(' ')[0] ?? '',
    )
    expect(Math.abs((firsts['a1'] ?? 0) - 2500)).toBeLessThan(200)
    expect(Math.abs((firsts['a2'] ?? 0) - 2500)).toBeLessThan(200)
  })

  test('without a key is a draw by weight', () => {
    const some = [candidate('a', 3), candidate('b', 1)]
    const random = seededRandom(5)
    const counts = tally(10_000, () => ranked(some, 'affinity', { random }))
    expect(Math.abs((counts['a b'] ?? 0) - 7500)).toBeLessThan(150)
  })
})

test('one candidate is the order, and costs no draw', () => {
  const some = candidates('a')
  for (const strategy of ['order', 'weighted', 'round_robin', 'least_busy', 'affinity'] as const) {
    expect(rank(some, strategy, { random: never, turn: 5, affinity: 'x' })).toBe(some)
  }
})

function never(): never {
  throw new Error('nobody should ask')
}
