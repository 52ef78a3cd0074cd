import type { Timeouts } from '../../config/sections/timeouts.ts'
import type { Settings } from '../../config/settings.ts'
import type { Exchange } from '../../exchange/exchange.ts'
import { ApiError } from '../../openai/api-error.ts'
import type { Deadlines } from '../../timing/deadlines.ts'
import type { Deployment } from '../targets/deployment.ts'
import type { Route } from '../targets/router.ts'
import { NO_CLOCK, startClientClock } from './client-clock.ts'

/** The time limits of the environment. */
export interface TimeLimits {
  readonly streamIdleMs: number
  readonly totalMs: number
}

/** The clocks of one exchange: the model's or its upstream's limit on the whole, and the client's own timeout. */
export interface ExchangeClocks {
  /** When a deployment's answer has to be on its way, in the time of `performance.now()`; infinite: no limit. */
  readonly dueAt: (deployment: Deployment) => number
  /** The same by the client's own clock alone. */
  readonly clientDueAt: () => number
  /** To be called when a deployment is asked: where the model has no limit on the whole, its upstream's holds from then on. */
  readonly onDeployment: (deployment: Deployment) => void
  /** To be called when the answer is on its way: the client's clock stops. */
  readonly onDelivered: () => void
}

/**
 * Starts the clocks that an exchange's route or client asks for: the model's or the upstream's limit on the whole replaces
 * the environment's, and the timeout that an SDK tells ends the call just before the SDK would. This server's own limits count
 * from the request's arrival. undefined: there is no configuration file, and only the environment's limits hold.
 *
 * @example
 * const clocks = startClocks(exchange, route, settings, { deadlines, timeouts })
 */
export function startClocks(
  exchange: Exchange,
  route: Route,
  settings: Settings,
  { deadlines, timeouts }: { readonly deadlines: Deadlines; readonly timeouts: TimeLimits },
): ExchangeClocks | undefined {
  if (!settings.hasFile) return undefined
  const totalOf = (deployment: Deployment): number => ownLimit('totalMs', route, deployment) ?? timeouts.totalMs
  // Another child of its parent may have had a limit of its own in place of everybody's.
  let runningMs = exchange.hasTotal ? timeouts.totalMs : 0
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
 * Returns the model's time limit, else the upstream's; undefined: neither has one, and the environment's holds.
 *
 * @example
 * const idleMs = ownLimit('streamIdleMs', route, deployment) ?? timeouts.streamIdleMs
 */
export function ownLimit(limit: keyof Timeouts, { resilience }: Route, { upstream }: Deployment): number | undefined {
  return resilience.timeouts[limit] ?? upstream.timeouts[limit]
}
