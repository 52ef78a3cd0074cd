import type { Timeouts } from '../../config/sections/timeouts.ts'
import type { Settings } from '../../config/settings.ts'
import type { Exchange } from '../../exchange/exchange.ts'
import { ApiError } from '../../openai/api-error.ts'
import type { Deadlines } from '../../timing/deadlines.ts'
import type { Deployment, Route } from '../targets/router.ts'
import { NO_CLOCK, startClientClock } from './client-clock.ts'

/** The time limits of the environment. */
export interface TimeLimits {
  readonly streamIdleMs: number
  readonly totalMs: number
}

/** The time limits of one exchange. */
export interface ExchangeLimits {
  /** When a deployment's answer has to be on its way, in `performance.now()`; infinite: whenever. */
  readonly dueAt: (deployment: Deployment) => number
  /** The same as far as the client's own clock says it. */
  readonly clientDueAt: () => number
  /** To be called when a deployment is asked: from then on the limit on the whole is its upstream's, where the model has none. */
  readonly onDeployment: (deployment: Deployment) => void
  /** To be called when the answer is on its way: the client's clock is its own affair then. */
  readonly onDelivered: () => void
}

const NO_LIMITS: ExchangeLimits = {
  dueAt: NO_CLOCK.dueAt,
  clientDueAt: NO_CLOCK.dueAt,
  onDeployment() {},
  onDelivered() {},
}

/**
 * Starts the clocks of an exchange that its route or its client asks for: a limit on the whole of the model's or the
 * upstream's takes the place of the environment's, and the timeout that an SDK tells ends the call just before the SDK would.
 * Those of ours count from the request's arrival.
 *
 * @example
 * const { dueAt, clientDueAt, onDeployment, onDelivered } = limitTime(exchange, route, settings, { deadlines, timeouts })
 */
export function limitTime(
  exchange: Exchange,
  route: Route,
  settings: Settings,
  { deadlines, timeouts }: { readonly deadlines: Deadlines; readonly timeouts: TimeLimits },
): ExchangeLimits {
  if (!settings.hasFile) return NO_LIMITS
  const totalOf = (deployment: Deployment): number => ownLimit('totalMs', route, deployment) ?? timeouts.totalMs
  let runningMs = timeouts.totalMs
  const onDeployment = (deployment: Deployment): void => {
    const totalMs = totalOf(deployment)
    if (totalMs === runningMs) return
    runningMs = totalMs
    const leftMs = Math.max(1, exchange.startedAt + totalMs - performance.now())
    const expire = (): void => exchange.abort.abort(new ApiError('upstream_timeout'))
    exchange.limitTotal(totalMs === 0 ? undefined : deadlines.start(leftMs, expire))
  }
  exchange.atEnd(() => exchange.total?.clear())
  const clock = settings.clientDeadline ? startClientClock(exchange, deadlines) : NO_CLOCK
  if (clock !== NO_CLOCK) exchange.atEnd(clock.clear)
  return {
    onDeployment,
    clientDueAt: clock.dueAt,
    dueAt: (deployment) =>
      Math.min(exchange.startedAt + (totalOf(deployment) || Number.POSITIVE_INFINITY), clock.dueAt()),
    onDelivered: clock.clear,
  }
}

/**
 * A time limit that is a model's own, else its upstream's; undefined: neither has one, and the environment's holds.
 *
 * @example
 * const idleMs = ownLimit('streamIdleMs', route, deployment) ?? timeouts.streamIdleMs
 */
export function ownLimit(limit: keyof Timeouts, { resilience }: Route, { upstream }: Deployment): number | undefined {
  return resilience.timeouts[limit] ?? upstream.timeouts[limit]
}
