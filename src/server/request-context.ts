import type { Arrival, BodilessRequest } from '../exchange/arrival.ts'
import { Exchange, type Observer } from '../exchange/exchange.ts'
import { createAttachment } from '../formats/attachment.ts'

const exchanges = createAttachment<BodilessRequest, Exchange>('exchange')

/**
 * Opens the exchange of a request that has just arrived.
 *
 * @example
 * const exchange = openExchange(request, arrivalOf(request), observer)
 */
export function openExchange(request: BodilessRequest, arrival: Arrival, observer: Observer): Exchange {
  const exchange = new Exchange(request, arrival, observer)
  exchanges.set(request, exchange)
  return exchange
}

/** The exchange that a request belongs to. */
export function exchangeOf(request: BodilessRequest): Exchange {
  const exchange = exchanges.get(request)
  if (exchange === undefined) throw new Error('A request reached a route without an exchange.')
  return exchange
}
