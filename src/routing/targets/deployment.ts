import type { Secret } from '../../config/secret.ts'
import type { UpstreamSettings } from '../../config/sections/upstreams/upstream.ts'
import type { BreakerState } from '../health/circuit-breaker.ts'
import type { DeploymentHealth } from '../health/deployment-health.ts'
import type { ConcurrencyLimiter } from './concurrency-limiter.ts'

/**
 * A target with one of its keys: what an attempt asks. All routes that lead to it share its health and limiter, also those of later
 * reloads. As a route has it, `*` in the model's name is filled in.
 */
export interface Deployment {
  /** Its name in logs, headers and `/ready`: `openai`, `openai/gpt-4o`, with `#2` behind it for the second key of a pool. */
  readonly label: string
  readonly upstream: UpstreamSettings
  /** The upstream's name for the model; undefined: as the caller writes it. */
  readonly model: string | undefined
  readonly key: Secret | undefined
  /** The number of its key among the upstream's, from 0. */
  readonly keyIndex: number
  readonly health: DeploymentHealth
  /** The upstream's limiter, shared by all its deployments. */
  readonly limiter: ConcurrencyLimiter
}

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

/** Gives a deployment's present state. */
export function deploymentStateOf({
  label,
  health,
  limiter,
}: Pick<Deployment, 'label' | 'health' | 'limiter'>): DeploymentState {
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
