import type { Exchange } from '../../exchange/exchange.ts'
import type { Books } from '../../ledger/books.ts'
import type { PriceBook } from '../../pricing/price-book.ts'
import type { Deployment } from '../../routing/targets/deployment.ts'
import { limitsOfCaller } from '../caller-limits.ts'
import type { Decide, Grant } from '../decide.ts'
import { sessionDemand } from '../demand.ts'
import { enterRequest } from '../enter-request.ts'
import { lendEntry } from '../lent-entry.ts'
import type { Meter } from '../meter-call.ts'
import { assertCallPermitted, assertEndpointPermitted } from '../permissions.ts'
import { bookSessionEvent } from './book-session-event.ts'
import { CountedSession } from './counted-session.ts'
import type { MeteredSession, SessionOpening } from './metered-session.ts'

/** The part of metering that is about sessions on WebSockets. */
export interface SessionMetering {
  /**
   * Lets a session on a WebSocket be opened: its caller may use its model, and has money left. A promise where another machine decides. Throws, or
   * rejects with, an `ApiError`. `model`: as its URL names it; `deployments`: those that it may go to.
   */
  readonly enterSession: (
    exchange: Exchange,
    model: string | undefined,
    deployments: readonly Deployment[],
  ) => void | Promise<void>
  /** Opens it: each of its responses is under its caller's limits, and is booked. undefined: the money is not this server's. */
  readonly session: (opening: SessionOpening) => MeteredSession | undefined
}

/** What sessions need of metering. */
export interface SessionsDeps {
  readonly meter: Meter
  readonly decide: Decide
  readonly books: Pick<Books, 'bookings' | 'limiter'>
  readonly prices: () => PriceBook
}

/**
 * Makes the part of metering that is about sessions on WebSockets.
 *
 * @example
 * const { enterSession, session } = createSessions({ meter, decide, books, prices })
 */
export function createSessions(deps: SessionsDeps): SessionMetering {
  const { meter, decide, books, prices } = deps
  const placeless: Decide = (demand, mayCost) => decide({ ...demand, places: [] }, mayCost)
  return {
    enterSession(exchange, model, deployments) {
      const isLent = lendEntry(exchange, { are: 'some', upstreams: deployments.map(({ upstream }) => upstream) })
      const limits = limitsOfCaller(exchange)
      if (limits === undefined) return undefined
      if (isLent) assertEndpointPermitted(limits, exchange)
      assertCallPermitted(limits, exchange, { model, value: undefined })
      const demand = sessionDemand(limits)
      if (demand === undefined) return undefined
      const deciding = decide(demand, () => true)
      return deciding instanceof Promise ? deciding.then(letGo) : letGo(deciding)
    },
    session(opening) {
      const { exchange, deployment, model } = opening
      if (limitsOfCaller(exchange) === undefined) return undefined
      return new CountedSession(opening, {
        limitsOf(of) {
          lendEntry(of, { are: 'some', upstreams: [deployment.upstream] })
          return limitsOfCaller(of)
        },
        enter: (of, named, isAhead) =>
          enterRequest(of, named, [deployment], { decide: isAhead ? placeless : decide, prices: prices() }),
        meter(request) {
          const { call, demand } = meter(request, { kind: 'call' })
          const reserve = async (): Promise<void> => {
            if (demand === undefined) return
            call.begin(demand, await decide(demand, () => demand.amount > 0n))
          }
          return { call, reserve }
        },
        book(value, transcriber) {
          bookSessionEvent(value, { exchange, deployment, model, transcriber }, { books, prices: prices() })
        },
      })
    },
  }
}

/** Gives back at once what was only asked for to see whether there is any. */
function letGo({ reservation }: Grant): void {
  reservation.end({ cost: 0n, booking: undefined })
}
