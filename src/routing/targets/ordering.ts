import type { Strategy } from '../../config/sections/models.ts'
import type { ResilienceSettings } from '../../config/sections/resilience.ts'
import { ApiError } from '../../openai/api-error.ts'
import type { Account } from '../health/call-report.ts'
import type { DeploymentHealth } from '../health/deployment-health.ts'
import type { ConcurrencyLimiter } from './concurrency-limiter.ts'
import { type Candidate, rank } from './rank.ts'

/** The state of a model's rotation: all routes of a wildcard share it. */
export interface Rotation {
  turn: number
}

/** All that decides the order of some deployments, except the request. */
export interface OrderingPlan<L> {
  /** At least one; those of lower order first. */
  readonly candidates: readonly Candidate<L>[]
  readonly strategy: Strategy
  readonly allOpen: ResilienceSettings['allOpen']
  readonly rotation: Rotation
  readonly random: () => number
}

/** The parts of a deployment that its place in the order depends on. */
interface Choosable {
  readonly health: DeploymentHealth
  readonly limiter: ConcurrencyLimiter
}

/**
 * Makes the function that puts deployments into the order in which one request tries them.
 *
 * Unavailable deployments are left out before the strategy sees the others, so that their share goes to all others alike. The function
 * throws `upstream_unavailable` where none is available and the plan says to refuse then.
 */
export function createOrdering<L extends Choosable>(
  plan: OrderingPlan<L>,
): (affinity: string | undefined, payerOf?: (deployment: L) => Account) => readonly L[] {
  const { candidates, allOpen } = plan
  const deployments = candidates.map(({ deployment }) => deployment)
  const [only] = deployments
  if (only !== undefined && deployments.length === 1) {
    return (_affinity, payerOf = onServers) =>
      only.health.isAvailable(payerOf(only)) ? deployments : firstToReopen(deployments, allOpen, payerOf)
  }
  return (affinity, payerOf = onServers) => {
    const available = candidates.filter(({ deployment }) => deployment.health.isAvailable(payerOf(deployment)))
    return available.length === 0
      ? firstToReopen(deployments, allOpen, payerOf)
      : roomFirst(ranked(available, plan, affinity))
  }
}

function onServers(): Account {
  return 'server'
}

/** Sorts the candidates by order, and those of one order by the strategy. */
function ranked<L extends Choosable>(
  candidates: readonly Candidate<L>[],
  { strategy, random, rotation: turns }: OrderingPlan<L>,
  affinity: string | undefined,
): readonly L[] {
  const deps = { random, turn: turns.turn, affinity }
  turns.turn += 1
  const deployments: L[] = []
  for (let start = 0; start < candidates.length; ) {
    const order = candidates[start]?.order
    const after = candidates.findIndex((candidate, index) => index > start && candidate.order !== order)
    const end = after === -1 ? candidates.length : after
    for (const { deployment } of rank(candidates.slice(start, end), strategy, deps)) deployments.push(deployment)
    start = end
  }
  return deployments
}

/** Puts full deployments last: a call goes to the next deployment before it waits for a place at the first. */
function roomFirst<L extends Choosable>(deployments: readonly L[]): readonly L[] {
  if (deployments.every(({ limiter }) => limiter.hasRoom())) return deployments
  return [
    ...deployments.filter(({ limiter }) => limiter.hasRoom()),
    ...deployments.filter(({ limiter }) => !limiter.hasRoom()),
  ]
}

/** Gives the deployment that may be asked again first; throws `upstream_unavailable` where the plan says to refuse. */
function firstToReopen<L extends Choosable>(
  deployments: readonly L[],
  allOpen: ResilienceSettings['allOpen'],
  payerOf: (deployment: L) => Account,
): readonly L[] {
  if (allOpen === 'refuse') {
    const waits = deployments.map((deployment) => deployment.health.waitMs(payerOf(deployment)))
    throw new ApiError('upstream_unavailable', { retryAfterSeconds: Math.max(1, Math.ceil(Math.min(...waits) / 1000)) })
  }
  // Times, not waits: a wait gets shorter while the next one is worked out.
  const times = deployments.map((deployment) => deployment.health.closedUntil(payerOf(deployment)))
  const first = times.indexOf(Math.min(...times))
  return deployments.slice(first, first + 1)
}
