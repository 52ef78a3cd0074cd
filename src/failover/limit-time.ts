import type { Settings } from '../config/settings.ts'
import type { Exchange } from '../exchange.ts'
import { ApiError } from '../openai/api-error.ts'
import type { Route } from '../router/router.ts'
import type { Deadlines } from '../timing/deadlines.ts'
import { clientDeadlineMs } from './client-deadline.ts'

/** The time limits of the environment. */
export interface TimeLimits {
  readonly streamIdleMs: number
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
 * const { dueAt, onDelivered } = limitTime(exchange, route, settings, { deadlines })
 */
export function limitTime(
  exchange: Exchange,
  route: Route,
  settings: Settings,
  { deadlines }: { readonly deadlines: Deadlines },
): ExchangeLimits {
  const elapsed = (): number => performance.now() - exchange.startedAt
  const totalMs = route.sending.timeouts.totalMs ?? route.lanes[0]?.upstream.timeouts.totalMs
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
  if (clientMs === undefined) return NO_LIMITS
  const clock = deadlines.start(Math.max(1, clientMs - elapsed()), () =>
    exchange.abort.abort(new ApiError('client_deadline')),
  )
  exchange.atEnd(() => clock.clear())
  return { dueAt: exchange.startedAt + clientMs, onDelivered: () => clock.clear() }
}
