import type { SendingSettings, Strategy } from '../../config/settings.ts'
import { ApiError } from '../../openai/api-error.ts'
import type { LaneHealth } from '../health/lane-health.ts'
import type { Account } from './attempt.ts'
import type { Gate } from './gate.ts'
import { type Candidate, rank } from './rank.ts'

/** Where the rotations of a model stand: all routes of a wildcard share it. */
export interface Turns {
  turn: number
}

/** What decides the order of some lanes. */
export interface OrderingPlan<L> {
  /** At least one; those of lower order first. */
  readonly candidates: readonly Candidate<L>[]
  readonly strategy: Strategy
  readonly allOpen: SendingSettings['allOpen']
  readonly turns: Turns
  readonly random: () => number
}

/** What can be ordered. */
interface Choosable {
  readonly health: LaneHealth
  readonly gate: Gate
}

/**
 * Makes the function that puts lanes into the order in which one request is to try them.
 *
 * Those that are not available are left out before the strategy sees the others, so that a share of a lane that is gone
 * goes to all others alike. Throws `upstream_unavailable` where none is available and the plan is to refuse then.
 */
export function createOrdering<L extends Choosable>(
  plan: OrderingPlan<L>,
): (affinity: string | undefined, accountOf?: (lane: L) => Account) => readonly L[] {
  const { candidates, allOpen } = plan
  const lanes = candidates.map(({ lane }) => lane)
  const [only] = lanes
  if (only !== undefined && lanes.length === 1) {
    return (_affinity, accountOf = onServers) =>
      only.health.isAvailable(accountOf(only)) ? lanes : whenAllAreOpen(lanes, allOpen, accountOf)
  }
  return (affinity, accountOf = onServers) => {
    const available = candidates.filter(({ lane }) => lane.health.isAvailable(accountOf(lane)))
    return available.length === 0
      ? whenAllAreOpen(lanes, allOpen, accountOf)
      : roomFirst(ranked(available, plan, affinity))
  }
}

function onServers(): Account {
  return 'server'
}

/** Those of each order by the strategy, lower orders first. */
function ranked<L extends Choosable>(
  candidates: readonly Candidate<L>[],
  { strategy, random, turns }: OrderingPlan<L>,
  affinity: string | undefined,
): readonly L[] {
  const deps = { random, turn: turns.turn, affinity }
  turns.turn += 1
  const lanes: L[] = []
  for (let start = 0; start < candidates.length; ) {
    const order = candidates[start]?.order
    const after = candidates.findIndex((candidate, index) => index > start && candidate.order !== order)
    const end = after === -1 ? candidates.length : after
    for (const { lane } of rank(candidates.slice(start, end), strategy, deps)) lanes.push(lane)
    start = end
  }
  return lanes
}

/** A call overflows to the next lane before it waits for a place at the first. */
function roomFirst<L extends Choosable>(lanes: readonly L[]): readonly L[] {
  if (lanes.every(({ gate }) => gate.hasRoom())) return lanes
  return [...lanes.filter(({ gate }) => gate.hasRoom()), ...lanes.filter(({ gate }) => !gate.hasRoom())]
}

function whenAllAreOpen<L extends Choosable>(
  lanes: readonly L[],
  allOpen: SendingSettings['allOpen'],
  accountOf: (lane: L) => Account,
): readonly L[] {
  const waits = lanes.map((lane) => lane.health.waitMs(accountOf(lane)))
  const shortestMs = Math.min(...waits)
  if (allOpen === 'refuse') {
    throw new ApiError('upstream_unavailable', { retryAfterSeconds: Math.max(1, Math.ceil(shortestMs / 1000)) })
  }
  const first = waits.indexOf(shortestMs)
  return lanes.slice(first, first + 1)
}
