import type { BreakerState } from '../health/circuit-breaker.ts'
import type { DeploymentHealth } from '../health/deployment-health.ts'
import type { ConcurrencyLimiter } from './concurrency-limiter.ts'

/** One deployment's state, as `/ready` shows it. Keys never appear. */
export interface DeploymentState {
  readonly target: string
  readonly state: BreakerState
  readonly in_flight: number
  /** Calls that wait for a place at its upstream, whichever deployment they are for. */
  readonly queued: number
  readonly ttfb_ms: number | null
  /** How long it is left alone: its breaker is open, or it cools down. Absent: it may be asked now. */
  readonly open_for_ms?: number
}

const MODEL_CHARS_MAX = 100

/**
 * Makes the name of a deployment in logs, headers and `/ready`: its upstream, its model, and the number of its key from the second on.
 * A model's name may be a caller's: it is cut, and `?` stands for each character that a header cannot carry.
 */
export function deploymentLabel(upstream: string, model: string | undefined, keyIndex: number): string {
  const name = model === undefined ? upstream : `${upstream}/${model.slice(0, MODEL_CHARS_MAX)}`
  const number = keyIndex === 0 ? '' : `#${keyIndex + 1}`
  return name.replace(/[^!-~]/g, '?') + number
}

/** The parts of a deployment that have a state. */
interface StatefulDeployment {
  readonly label: string
  readonly health: DeploymentHealth
  readonly limiter: ConcurrencyLimiter
}

/** Gives a deployment's present state. */
export function deploymentStateOf({ label, health, limiter }: StatefulDeployment): DeploymentState {
  const averageMs = health.averageMs()
  const waitMs = health.waitMs()
  return {
    target: label,
    state: health.state(),
    in_flight: health.inFlight(),
    queued: limiter.queued(),
    ttfb_ms: averageMs === undefined ? null : Math.round(averageMs),
    ...(waitMs > 0 && { open_for_ms: Math.ceil(waitMs) }),
  }
}
