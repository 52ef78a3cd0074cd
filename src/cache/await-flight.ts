import { noteBody } from '../answers/body-note.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { createAttachment } from '../formats/attachment.ts'
import type { Source } from './flight.ts'
import type { FlightNote } from './reuse-request.ts'

/** Errors behind which the client's own retries would only repeat what has been tried. */
const spent = createAttachment<object, true>('spent')

/** Notes on an error that all who get it should not try again. */
export function noteSpent(cause: unknown): void {
  if (typeof cause === 'object' && cause !== null) spent.set(cause, true)
}

/**
 * Waits for the answer of a flight, and has the exchange told whether its client should try again: it may be one of many who
 * get it.
 *
 * @example
 * const { answer, note } = await awaitFlight(joined.answer, exchange)
 */
export async function awaitFlight(
  joining: Promise<Source<FlightNote>>,
  exchange: Pick<Exchange, 'shouldRetry'>,
): Promise<Source<FlightNote>> {
  try {
    const source = await joining
    exchange.shouldRetry ??= source.note.shouldRetry
    const { answer, whole } = source
    if (whole !== undefined) noteBody(answer, { whole })
    return source
  } catch (cause) {
    if (typeof cause === 'object' && cause !== null && spent.get(cause) === true) exchange.shouldRetry = false
    throw cause
  }
}
