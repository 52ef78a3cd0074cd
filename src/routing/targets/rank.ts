import type { Strategy } from '../../config/sections/models.ts'
import type { DeploymentHealth } from '../health/deployment-health.ts'
import { hashOf, meetingPoint, type TextHash } from './rendezvous.ts'

/** A deployment that may be chosen, and what the choice depends on. */
export interface Candidate<L> {
  readonly deployment: L
  /** Those of lower order go first. */
  readonly order: number
  /** The number of its target: the keys of one target are next to each other. */
  readonly target: number
  /** Greater than 0; the target's, divided by the number of its keys. */
  readonly weight: number
  /** Of what it is: the same after a reload, and in every process. */
  readonly hash: TextHash
}

/** What strategies draw on. */
export interface RankDeps {
  /** 0 ≤ x < 1. */
  readonly random: () => number
  /** Goes up by one with each request of a model: where a rotation begins. */
  readonly turn: number
  readonly affinity: string | undefined
}

/**
 * Puts candidates of one order, which is at least one, into the order in which a request tries them:
 *
 * - `order`: as they come; `round_robin`: each target is first in turn. With both, a target's keys take turns.
 * - `weighted`: drawn at random, one after the other, by weight.
 * - `least_busy`: the better of two that are drawn at random, then the others, best first: see `scoresOf`.
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
      // The keys turn when all targets have been first: in step with them, some pairs would never come.
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
 * Draws without replacement: of exponentially distributed times with the weights as their rates, the first is each one's
 * with the probability of its share, and so on among those that are left (Efraimidis and Spirakis).
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
  // All would go for the best one at once: of two that chance names, the better is nearly as good, and nobody's herd.
  const winner = (scores[other] ?? 0) < (scores[one] ?? 0) ? other : one
  return sortedBy(
    candidates,
    scores.map((score, index) => (index === winner ? Number.NEGATIVE_INFINITY : score)),
  )
}

/** How long a call more may take: calls under way and that one, times the usual time to first byte. Unknown: as the fastest. */
function scoresOf(candidates: readonly Candidate<{ readonly health: DeploymentHealth }>[]): readonly number[] {
  const averages = candidates.map(({ deployment }) => deployment.health.averageMs())
  const known = averages.filter((average) => average !== undefined)
  const fastest = known.length === 0 ? 1 : Math.min(...known)
  return candidates.map(({ deployment }, index) => (deployment.health.inFlight() + 1) * (averages[index] ?? fastest))
}

/** The lowest first; equal ones as they come. */
function sortedBy<T>(items: readonly T[], scores: readonly number[]): readonly T[] {
  return items
    .map((item, index) => ({ item, score: scores[index] ?? 0 }))
    .sort((left, right) => (left.score < right.score ? -1 : Number(left.score > right.score)))
    .map(({ item }) => item)
}

/** The candidates of each target. */
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
