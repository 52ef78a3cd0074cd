import type { Strategy } from '../../config/sections/models.ts'
import type { DeploymentHealth } from '../health/deployment-health.ts'
import { hashOf, meetingPoint, type TextHash } from './rendezvous.ts'

/** A deployment that may be chosen, with the numbers that the choice depends on. */
export interface Candidate<L> {
  readonly deployment: L
  /** Candidates of lower order go first. */
  readonly order: number
  /** The number of its target: the keys of one target are next to each other. */
  readonly target: number
  /** The target's weight divided by the number of its keys; greater than 0. */
  readonly weight: number
  /** The hash of its identity: the same after a reload, and in every process. */
  readonly hash: TextHash
}

/** The inputs of a strategy besides the candidates. */
export interface RankDeps {
  /** Gives 0 ≤ x < 1. */
  readonly random: () => number
  /** The number at which a rotation begins; goes up by one with each request of a model. */
  readonly turn: number
  readonly affinity: string | undefined
}

/**
 * Sorts the candidates of one order (at least one) as a request tries them:
 *
 * - `order`: as they come; `round_robin`: each target is first in turn. With both, a target's keys take turns.
 * - `weighted`: drawn at random, one after the other, by weight.
 * - `least_busy`: the better of two that are drawn at random, then the others, best first (see `scoresOf`).
 * - `affinity`: each `affinity` has its own lasting order (weighted rendezvous hashing); without one, as `weighted`.
 */
export function rank<L extends { readonly health: DeploymentHealth }>(
  candidates: readonly Candidate<L>[],
  strategy: Strategy,
  { random, turn, affinity }: RankDeps,
): readonly Candidate<L>[] {
  if (candidates.length === 1) return candidates
  switch (strategy) {
    case 'order':
      return byTarget(candidates).flatMap((keys) => rotated(keys, turn))
    case 'round_robin': {
      const targets = byTarget(candidates)
      // The keys rotate after all targets have been first: in step with them, some pairs would never come first.
      const round = Math.floor(turn / targets.length)
      return rotated(targets, turn).flatMap((keys) => rotated(keys, round))
    }
    case 'least_busy':
      return leastBusy(candidates, random)
    case 'weighted':
      return drawn(candidates, () => 1 - random())
    case 'affinity': {
      const key = affinity === undefined ? undefined : hashOf(affinity)
      return drawn(candidates, ({ hash }) => (key === undefined ? 1 - random() : meetingPoint(key, hash)))
    }
  }
}

/**
 * Draws without replacement. Each candidate gets an exponentially distributed time with its weight as the rate; it is first with the
 * probability of its share, and so on among the rest (Efraimidis and Spirakis).
 */
function drawn<L>(
  candidates: readonly Candidate<L>[],
  pointOf: (candidate: Candidate<L>) => number,
): readonly Candidate<L>[] {
  const timeOf = (candidate: Candidate<L>): number => -Math.log(pointOf(candidate)) / candidate.weight
  return sortedBy(candidates, candidates.map(timeOf))
}

function leastBusy<L extends { readonly health: DeploymentHealth }>(
  candidates: readonly Candidate<L>[],
  random: () => number,
): readonly Candidate<L>[] {
  const scores = scoresOf(candidates)
  const one = Math.floor(random() * candidates.length)
  const next = Math.floor(random() * (candidates.length - 1))
  const other = next < one ? next : next + 1
  // If all requests took the best one at once, it would be overrun. The better of two random ones is nearly as good.
  const winner = (scores[other] ?? 0) < (scores[one] ?? 0) ? other : one
  return sortedBy(
    candidates,
    scores.map((score, index) => (index === winner ? Number.NEGATIVE_INFINITY : score)),
  )
}

/**
 * How long one more call may take: its place among the calls under way, times the usual time to first byte. An unknown time counts
 * as the fastest.
 */
function scoresOf(candidates: readonly Candidate<{ readonly health: DeploymentHealth }>[]): readonly number[] {
  const averages = candidates.map(({ deployment }) => deployment.health.averageMs())
  const known = averages.filter((average) => average !== undefined)
  const fastest = known.length === 0 ? 1 : Math.min(...known)
  return candidates.map(({ deployment }, index) => (deployment.health.inFlight() + 1) * (averages[index] ?? fastest))
}

/** Sorts by score, the lowest first; equal ones stay in their order. */
function sortedBy<T>(items: readonly T[], scores: readonly number[]): readonly T[] {
  return items
    .map((item, index) => ({ item, score: scores[index] ?? 0 }))
    .sort((left, right) => (left.score < right.score ? -1 : Number(left.score > right.score)))
    .map(({ item }) => item)
}

/** Groups the candidates by target. */
function byTarget<L>(candidates: readonly Candidate<L>[]): Candidate<L>[][] {
  const targets: Candidate<L>[][] = []
  let last: number | undefined
  for (const candidate of candidates) {
    if (candidate.target === last) targets.at(-1)?.push(candidate)
    else targets.push([candidate])
    last = candidate.target
  }
  return targets
}

function rotated<T>(items: readonly T[], turn: number): readonly T[] {
  const start = turn % items.length
  return start === 0 ? items : [...items.slice(start), ...items.slice(0, start)]
}
