import type { Settings } from '../config/settings.ts'
import type { Exchange } from '../exchange.ts'
import { ApiError } from '../openai/api-error.ts'
import type { Route } from '../router/router.ts'
import type { Deadlines } from '../timing/deadlines.ts'
import { clientDeadlineMs } from './client-deadline.ts'

/** The time limits of the environment. */
export interface TimeLimits {
  readonly streamIdleMs: number
  readonly totalMs: number
}

/** The time limits of one exchange. */
export interface ExchangeLimits {
  /** When the answer has to be on its way, in `performance.now()`; infinite: whenever. */
  readonly dueAt: number
  /** To be called when the answer is on its way: the client's clock is its own affair then. */
  readonly onDelivered: () => void
}

const NO_LIMITS: ExchangeLimits = { dueAt: Number.POSITIVE_INFINITY, onDelivered() {} }

/**
 * Starts the clocks of an exchange that its route or its client asks for: the route's own limit on the whole takes the
 * place of the environment's, and the timeout that an SDK tells ends the call just before the SDK would.
 *
 * @example
 * const { dueAt, onDelivered } = limitTime(exchange, route, settings, { deadlines, timeouts })
 */
export function limitTime(
  exchange: Exchange,
  route: Route,
  settings: Settings,
  { deadlines, timeouts }: { readonly deadlines: Deadlines; readonly timeouts: TimeLimits },
): ExchangeLimits {
  if (!settings.hasFile) return NO_LIMITS
  const elapsed = (): number => performance.now() - exchange.startedAt
  const totalMs = route.sending.timeouts.totalMs ?? route.lanes[0]?.upstream.timeouts.totalMs
  const totalDueAt = dueAfter(exchange, totalMs ?? timeouts.totalMs)
  if (totalMs !== undefined) {
    exchange.total?.clear()
    exchange.total =
      totalMs === 0
        ? undefined
        : deadlines.start(Math.max(1, totalMs - elapsed()), () =>
            exchange.abort.abort(new ApiError('upstream_timeout')),
          )
    exchange.atEnd(() => exchange.total?.clear())
  }
  const clientMs = settings.clientDeadline ? clientDeadlineMs(exchange.request.headers) : undefined
  if (clientMs === undefined) return { dueAt: totalDueAt, onDelivered: NO_LIMITS.onDelivered }
  const clock = deadlines.start(Math.max(1, clientMs - elapsed()), () =>
    exchange.abort.abort(new ApiError('client_deadline')),
  )
  exchange.atEnd(() => clock.clear())
  return { dueAt: Math.min(totalDueAt, exchange.startedAt + clientMs), onDelivered: () => clock.clear() }
}

function dueAfter({ startedAt }: Exchange, limitMs: number): number {
  return limitMs === 0 ? Number.POSITIVE_INFINITY : startedAt + limitMs
}
