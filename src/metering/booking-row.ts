import type { Exchange } from '../exchange/exchange.ts'
import { entryOf, type Principal, principalName } from '../exchange/principal.ts'
import { DEFAULT_PROJECT_ID } from '../ledger/first-records.ts'
import type { Booking } from '../ledger/records.ts'
import { useOfRequest } from '../openai/endpoint-use.ts'
import { NO_USAGE } from '../openai/usage/usage.ts'

/** What this process's ids of bookings have in common: the time of its start, and a part that no other has. A counter follows; all is hex. */
const PROCESS = Date.now().toString(16).padStart(12, '0') + crypto.randomUUID().replaceAll('-', '').slice(0, 12)
const COUNTS = 2 ** 32
let booked = 0

/** What is only known of a call with its end. */
export type Settled = Pick<
  Booking,
  | 'usage'
  | 'cost'
  | 'saved'
  | 'pricedBy'
  | 'isEstimated'
  | 'outcome'
  | 'status'
  | 'servedModel'
  | 'upstream'
  | 'tier'
  | 'isBatch'
>

/** The call before its end: what is booked of it if its process dies. */
export const UNSETTLED: Settled = Object.freeze({
  usage: NO_USAGE,
  cost: 0,
  saved: 0,
  pricedBy: 'none',
  isEstimated: true,
  outcome: 'interrupted',
  status: 0,
  servedModel: '',
  upstream: '',
  tier: '',
  isBatch: false,
})

/**
 * Makes the row of a call for the books.
 *
 * @example
 * const booking = bookingOf(exchange, { ...UNSETTLED, ...settled })
 */
export function bookingOf(
  exchange: Exchange,
  settled: Settled,
  id = newBookingId(),
  at = arrivedAt(exchange),
): Booking {
  const { principal, cache } = exchange
  // Where nothing has to decide by the model, a body is not read for it, and only the answer tells it.
  const model = exchange.model ?? settled.servedModel
  const entry = entryOf(principal)
  // Each part by its name: a spread costs more than the object.
  const row: Booking = {
    id,
    at,
    requestId: exchange.id,
    keyId: entry?.id ?? principalName(principal),
    projectId: entry?.project?.id ?? DEFAULT_PROJECT_ID,
    model: model.length > MODEL_CHARS_MAX ? model.slice(0, MODEL_CHARS_MAX) : model,
    endpoint: useOfRequest(exchange).name,
    usage: settled.usage,
    cost: settled.cost,
    saved: settled.saved,
    pricedBy: settled.pricedBy,
    isEstimated: settled.isEstimated,
    outcome: settled.outcome,
    status: settled.status,
    servedModel: settled.servedModel,
    upstream: settled.upstream,
    tier: settled.tier,
    isBatch: settled.isBatch,
  }
  return cache === undefined ? row : { ...row, cache }
}

/** The key and the project that what a principal does is booked to. */
export function bookedTo(principal: Principal): Pick<Booking, 'keyId' | 'projectId'> {
  const entry = entryOf(principal)
  return { keyId: entry?.id ?? principalName(principal), projectId: entry?.project?.id ?? DEFAULT_PROJECT_ID }
}

const MODEL_CHARS_MAX = 200

/** When its request came, in milliseconds since 1970. */
export function arrivedAt({ startedAt }: Exchange): number {
  return Math.round(Date.now() - performance.now() + startedAt)
}

/** Makes an id that no other booking has, and that sorts behind those before it. */
function newBookingId(): string {
  booked += 1
  return PROCESS + (COUNTS + (booked % COUNTS)).toString(16).slice(1)
}
