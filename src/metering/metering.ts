import type { Settings } from '../config/settings.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { Books } from '../ledger/books.ts'
import { askForUsage, hideAskedUsage } from '../requests/metered-stream.ts'
import type { Ask, PreparedRequest } from '../requests/prepared-request.ts'
import type { Deployment } from '../routing/targets/deployment.ts'
import { type CallerLimits, limitsOfCaller } from './caller-limits.ts'
import { createDecide } from './decide.ts'
import { enterRequest } from './enter-request.ts'
import { HeldObjects } from './held-objects.ts'
import { lendEntry } from './lent-entry.ts'
import { createMeter } from './meter-call.ts'
import { isOfObjects, meteredKind } from './metered-kinds.ts'
import { askAboutObjects } from './object-answers.ts'
import { ObjectBooks } from './object-books.ts'
import { assertEndpointPermitted, type NamedCall } from './permissions.ts'
import { createPrices, type PriceSources } from './prices-in-force.ts'
import { bookRepeat } from './repeated-call.ts'
import { createSessions, type SessionMetering } from './session/create-sessions.ts'
import { tellCost } from './tell-cost.ts'

/** Sees to what callers may still do, and has what they did booked. */
export interface Metering extends SessionMetering {
  /** The limits of a request's caller; undefined: it has none. */
  readonly limitsOf: (exchange: Exchange) => CallerLimits | undefined
  /** The same, for a request whose endpoint its caller may use. Throws `endpoint_not_permitted`. */
  readonly admit: (exchange: Exchange) => CallerLimits | undefined
  /**
   * Lets a request in whose endpoint is permitted: its caller may use the model, and has a request and a place left. A promise where another machine
   * decides. Throws, or rejects with, an `ApiError`. `deployments`: those that may be asked; none where its answer is there already. A request that is refused
   * later by another limit, such as its budget, has taken nothing.
   */
  readonly enter: (exchange: Exchange, named: NamedCall, deployments: readonly Deployment[]) => void | Promise<void>
  /** Asks for the answer to a request that goes upstream, once its tokens and its money are reserved; its end is booked. */
  readonly ask: (request: PreparedRequest, next: Ask) => Promise<Response>
  /** Has a call booked whose answer was there already, or was made for another one: it cost nothing, and saved what it would have cost. */
  readonly repeat: (exchange: Exchange, deployments: readonly Deployment[]) => void
  /** Tells in an answer's headers what it has cost, where that is known before its body is sent. */
  readonly tellCost: (exchange: Exchange, answer: Response) => void
}

/** The dependencies of metering. */
export interface MeteringDeps extends PriceSources {
  readonly books: Pick<Books, 'limiter' | 'bookings' | 'ledger' | 'directory'>
  readonly sha256: (text: string) => Uint8Array
  /** The settings in force. */
  readonly settings: () => Pick<Settings, 'ledger' | 'prices' | 'upstreams'>
}

/**
 * Makes the metering of callers. Where there are no books it is not made, and nothing of it runs.
 *
 * @example
 * const metering = createMetering({ books, priceTable, sha256, settings: () => config.settings })
 */
export function createMetering({ books, priceTable, sha256, settings }: MeteringDeps): Metering {
  const { limiter, bookings } = books
  const objects = new ObjectBooks({ books, held: new HeldObjects(books.ledger), sha256 })
  const prices = createPrices({ priceTable, settings })
  const meter = createMeter({ books, prices, objects, ledger: () => settings().ledger })
  const decide = createDecide(limiter)
  const limitsOf = (exchange: Exchange): CallerLimits | undefined => {
    if (exchange.principal.kind === 'caller') lendEntry(exchange, { are: 'all', upstreams: settings().upstreams })
    return limitsOfCaller(exchange)
  }
  return {
    limitsOf,
    admit(exchange) {
      const limits = limitsOf(exchange)
      if (limits !== undefined) assertEndpointPermitted(limits, exchange)
      return limits
    },
    enter: (exchange, named, deployments) => enterRequest(exchange, named, deployments, { decide, prices: prices() }),
    async ask(request, next) {
      const { exchange } = request
      const kind = meteredKind(exchange)
      if (kind === undefined) return next(request)
      if (isOfObjects(kind)) return askAboutObjects(request, kind, next, { objects, prices: prices() })
      const { call, demand } = meter(request, kind)
      if (demand !== undefined) {
        const deciding = decide(demand, () => demand.amount > 0n)
        const grant = deciding instanceof Promise ? await deciding : deciding
        exchange.tokenRate = grant.tokens
        call.begin(demand, grant)
      }
      if (settings().ledger.includeUsage) askForUsage(request)
      const answer = await next(request)
      call.onAnswer(answer)
      return hideAskedUsage(request, answer)
    },
    ...createSessions({ meter, decide, books, prices }),
    repeat(exchange, deployments) {
      if (meteredKind(exchange)?.kind !== 'call') return
      bookRepeat(exchange, deployments, { bookings, prices: prices() })
    },
    tellCost,
  }
}
