import type { LedgerSettings } from '../config/sections/ledger.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { ignoreRejection } from '../formats/ignore-rejection.ts'
import type { Books } from '../ledger/books.ts'
import { useOfRequest } from '../openai/endpoint-use.ts'
import type { ToldUsage } from '../openai/usage/usage.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import type { PreparedRequest } from '../requests/prepared-request.ts'
import { AnswerSizes } from './answer-sizes.ts'
import { amountExpected, callUnits, type Needs, NO_UNITS, type ReservedUnits } from './call-units.ts'
import { type CallerLimits, limitsOfCaller } from './caller-limits.ts'
import { modelNamed } from './dearest-call.ts'
import { callDemand, type LimitedDemand } from './demand.ts'
import { EarlierResponses } from './earlier-responses.ts'
import { MeteredCall } from './metered-call.ts'
import type { CallKind } from './metered-kinds.ts'
import type { ObjectBooks } from './object-books.ts'

/** The dependencies of metering calls. */
export interface MeterDeps {
  readonly books: Pick<Books, 'limiter' | 'bookings'>
  readonly prices: () => PriceBook
  readonly objects: ObjectBooks
  readonly ledger: () => Pick<LedgerSettings, 'uncappedCalls'>
}

/** Begins to count a call, and gives what it asks for; undefined: nothing. Throws where its model has no price and its money is limited. */
export type Meter = (
  request: PreparedRequest,
  kind: CallKind,
) => { readonly call: MeteredCall; readonly demand: LimitedDemand | undefined }

/**
 * Makes the function that begins to count calls. What it learns of their answers it keeps in this process.
 *
 * @example
 * const meter = createMeter({ books, prices, objects, ledger: () => settings().ledger })
 * const { call, demand } = meter(request, kind)
 */
export function createMeter({ books, prices, objects, ledger }: MeterDeps): Meter {
  const sizes = new AnswerSizes()
  const earlier = new EarlierResponses()
  const lesserOf = (request: PreparedRequest, { uncapped, amount }: ReservedUnits): LimitedDemand['lesser'] => {
    const { uncappedCalls } = ledger()
    if (uncapped === undefined || uncappedCalls === 'whole') return undefined
    return () => {
      const amountOf = (tokens: number): bigint => amountExpected(request, tokens, { prices: prices(), earlier })
      const amounts = sizes.lesserAmounts(uncapped.kind, amount, amountOf)
      return uncappedCalls === 'alone' ? { ...amounts, most: amount } : amounts
    }
  }
  return (request, kind) => {
    const { exchange, outgoing } = request
    exchange.isMetered = true
    const limits = kind.kind === 'call' ? limitsOfCaller(exchange) : undefined
    const units = kind.kind === 'call' ? callUnits(request, needsOf(limits), { prices: prices(), earlier }) : NO_UNITS
    const call = new MeteredCall(request, kind, units, { books, prices: prices(), objects })
    if (limits === undefined) return { call, demand: undefined }
    const { uncapped } = units
    if (uncapped !== undefined) learnAtEnd(exchange, call, (told) => sizes.hear(uncapped, told))
    if (limits.countsUse && useOfRequest(exchange).name === 'responses')
      learnAtEnd(exchange, call, (told) => earlier.hear(modelNamed(request), told))
    const lesser = lesserOf(request, units)
    return { call, demand: callDemand(limits, outgoing.model ?? exchange.model, units, exchange, lesser) }
  }
}

/** Has something learnt from what an answer tells that is complete, once all of it has been read. */
function learnAtEnd(exchange: Exchange, call: MeteredCall, learn: (told: ToldUsage) => void): void {
  exchange.atEnd(({ kind }) => {
    if (kind !== 'complete') return
    const reading = call.settled()
    if (reading === undefined) learn(call.told())
    else void ignoreRejection(reading).then(() => learn(call.told()))
  })
}

/** What has to be known of a call of a caller before it is made. */
function needsOf(limits: CallerLimits | undefined): Needs {
  if (limits === undefined || !limits.countsUse) return 'usage'
  return limits.hasBudget ? 'money' : 'tokens'
}
