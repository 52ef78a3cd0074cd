import type { Exchange } from '../exchange/exchange.ts'
import { ignoreRejection } from '../formats/ignore-rejection.ts'
import type { Books } from '../ledger/books.ts'
import type { Booking } from '../ledger/records.ts'
import { type CallerLimits, limitsOfCaller } from './caller-limits.ts'
import { budgetDemands } from './demand.ts'

/**
 * Books what no reservation knows of, such as a batch that is fetched when it is complete. Once it is in the books, the budgets that it counts
 * in are read from them before they decide again: so what is enforced is what is booked.
 */
export function bookUnheld(books: Pick<Books, 'bookings' | 'limiter'>, exchange: Exchange, booking: Booking): void {
  bookWithin(books, limitsOfCaller(exchange), booking)
}

/** The same for what counts in the budgets of another one than the exchange's caller. */
export function bookWithin(
  { bookings, limiter }: Pick<Books, 'bookings' | 'limiter'>,
  limits: CallerLimits | undefined,
  booking: Booking,
): void {
  if (limits?.hasBudget !== true || booking.cost === 0) bookings.add(booking)
  // Where it can't be told now, the comparison with the books comes to the same within a minute.
  else bookings.add(booking, () => void ignoreRejection(limiter.distrust(budgetDemands(limits, booking.at))))
}
