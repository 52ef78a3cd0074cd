import type { LedgerSettings } from '../config/sections/ledger.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { ignoreRejection } from '../formats/ignore-rejection.ts'
import type { Books } from '../ledger/books.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import type { PreparedRequest } from '../requests/prepared-request.ts'
import { AnswerSizes } from './answer-sizes.ts'
import { BookedObjects } from './booked-objects.ts'
import { callUnits, type Needs, NO_UNITS, type UncappedCall } from './call-units.ts'
import { type CallerLimits, limitsOfCaller } from './caller-limits.ts'
import { callDemand, type LimitedDemand } from './demand.ts'
import { MeteredCall } from './metered-call.ts'
import type { MeteredKind } from './metered-kinds.ts'

/** The dependencies of metering calls. */
export interface MeterDeps {
  readonly books: Pick<Books, 'limiter' | 'bookings'>
  readonly prices: () => PriceBook
  readonly sha256: (text: string) => Uint8Array
  readonly ledger: () => Pick<LedgerSettings, 'uncappedCalls'>
}

/** Begins to count a call, and gives what it asks for; undefined: nothing. Throws where its model has no price and its money is limited. */
export type Meter = (
  request: PreparedRequest,
  kind: MeteredKind,
) => { readonly call: MeteredCall; readonly demand: LimitedDemand | undefined }

/**
 * Makes the function that begins to count calls. What it learns of their answers it keeps in this process.
 *
 * @example
 * const meter = createMeter({ books, prices, sha256, ledger: () => settings().ledger })
 * const { call, demand } = meter(request, kind)
 */
export function createMeter({ books, prices, sha256, ledger }: MeterDeps): Meter {
  const objects = new BookedObjects(sha256)
  const sizes = new AnswerSizes()
  const lesserOf = (call: UncappedCall | undefined, amount: bigint): LimitedDemand['lesser'] => {
    const { uncappedCalls } = ledger()
    if (call === undefined || uncappedCalls === 'whole') return undefined
    return () => {
      const amounts = sizes.lesserAmounts(call, amount)
      return uncappedCalls === 'alone' ? { ...amounts, most: amount } : amounts
    }
  }
  return (request, kind) => {
    const { exchange, outgoing } = request
    exchange.isMetered = true
    const limits = kind.kind === 'call' ? limitsOfCaller(exchange) : undefined
    const units = kind.kind === 'call' ? callUnits(request, needsOf(limits), prices()) : NO_UNITS
    const call = new MeteredCall(request, kind, units, { books, prices: prices(), objects })
    if (limits === undefined) return { call, demand: undefined }
    if (units.uncapped !== undefined) learnAtEnd(exchange, call, units.uncapped, sizes)
    const lesser = lesserOf(units.uncapped, units.amount)
    return { call, demand: callDemand(limits, outgoing.model ?? exchange.model, units, exchange, lesser) }
  }
}

/** Has the sizes of answers hear of one that is complete, once all of it has been read. */
function learnAtEnd(exchange: Exchange, call: MeteredCall, uncapped: UncappedCall, sizes: AnswerSizes): void {
  const hear = (): void => sizes.hear(uncapped, call.told())
  exchange.atEnd(({ kind }) => {
    if (kind !== 'complete') return
    const reading = call.settled()
    if (reading === undefined) hear()
    else void ignoreRejection(reading).then(hear)
  })
}

/** What has to be known of a call of a caller before it is made. */
function needsOf(limits: CallerLimits | undefined): Needs {
  if (limits === undefined || !limits.countsUse) return 'usage'
  return limits.hasBudget ? 'money' : 'tokens'
}
