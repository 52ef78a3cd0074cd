import { ApiError } from '../openai/api-error.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import type { RegisteredDeployment } from '../routing/targets/deployment-registry.ts'
import type { Deadline } from '../timing/deadlines.ts'
import {
  type CheckDeploymentDeps,
  type CheckedDeployment,
  type CheckState,
  checkDeployment,
} from './check-deployment.ts'

/** The dependencies of the active checks. */
export interface HealthCheckDeps extends CheckDeploymentDeps {
  /** Monotonic, in ms. */
  readonly now: () => number
}

/** The active checks of all upstreams that have a `check`. */
export interface HealthChecks {
  /** Follows these settings from now on. A deployment that was there before is not asked before it is due. */
  readonly watch: (snapshot: Pick<Snapshot, 'router' | 'egressOf'>) => void
  /** Ends the checks under way and asks nobody any more. */
  readonly stop: () => void
}

/** A deployment that is asked on a schedule. */
interface ScheduledDeployment extends CheckedDeployment {
  readonly state: ScheduleState
  /** The timer of the next look at it. */
  next: Deadline | undefined
}

/** The state of a deployment's checks and their schedule; it stays over reloads. */
interface ScheduleState extends CheckState {
  dueAt: number
}

/** The shortest time between two looks at whether a check is due. */
const LOOK_MS_MIN = 100

/**
 * Makes the active checks: each deployment of an upstream that has a `check` is asked now and then by a GET with its key, and its
 * health learns the result. A deployment that rests is not asked; when its rest is over the check is the probe, so that no
 * caller pays for it. Where no upstream has a check, nothing runs.
 *
 * @example
 * const checks = createHealthChecks({ send, now, deadlines, userAgent, log })
 * checks.watch(snapshot)
 */
export function createHealthChecks(deps: HealthCheckDeps): HealthChecks {
  const states = new WeakMap<RegisteredDeployment['health'], ScheduleState>()
  let scheduled: readonly ScheduledDeployment[] = []
  let isStopped = false

  const stateOf = ({ health }: RegisteredDeployment): ScheduleState => {
    const known = states.get(health) ?? { dueAt: deps.now(), isGood: true, target: undefined, isMissing: false }
    states.set(health, known)
    return known
  }
  const forget = (): void => {
    for (const one of scheduled) {
      one.next?.clear()
      one.abort?.abort(new ApiError('client_closed'))
    }
    scheduled = []
  }
  return {
    stop() {
      isStopped = true
      forget()
    },
    watch(snapshot) {
      forget()
      if (isStopped) return
      scheduled = snapshot.router.deployments().flatMap((deployment) => {
        const { check } = deployment.upstream
        if (check === undefined) return []
        return [{ deployment, check, snapshot, state: stateOf(deployment), next: undefined, abort: undefined }]
      })
      for (const one of scheduled) look(one, deps)
    },
  }
}

/** Checks a deployment where that is due, and looks again when the next check may be due. */
function look(scheduled: ScheduledDeployment, deps: HealthCheckDeps): void {
  const { deployment, check, state } = scheduled
  const waitMs = deployment.health.waitMs()
  const isDue = deps.now() >= state.dueAt || deployment.health.state() === 'half_open'
  if (isDue && scheduled.abort === undefined && deployment.health.isAvailable()) {
    state.dueAt = deps.now() + check.everyMs
    void checkDeployment(scheduled, deps)
  }
  // A caller's call may open the breaker between two checks: this has to be seen before the breaker's time is up.
  const lookMs = Math.min(check.everyMs, Math.max(LOOK_MS_MIN, deployment.upstream.breaker.openMs))
  const untilDueMs = state.dueAt - deps.now()
  const nextMs = untilDueMs > 0 ? Math.min(untilDueMs, lookMs) : lookMs
  scheduled.next = deps.deadlines.start(waitMs > 0 ? waitMs : nextMs, () => look(scheduled, deps))
}
