import type { Outcome } from '../exchange/outcome.ts'
import { ignoreRejection } from '../formats/ignore-rejection.ts'
import type { JsonObject } from '../formats/json/json.ts'
import type { Books } from '../ledger/books.ts'
import type { Booking } from '../ledger/records.ts'
import { inputTokens, NO_USAGE, outputTokens, type ToldUsage, totalTokens, type Usage } from '../openai/usage/usage.ts'
import { createUsageTally, type UsageTally } from '../openai/usage/usage-tally.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import type { PreparedRequest } from '../requests/prepared-request.ts'
import type { SendWatch, SentCall } from '../routing/attempts/sent-call.ts'
import type { Deployment } from '../routing/targets/deployment.ts'
import { bookUnheld } from './book-unheld.ts'
import type { BookedObjects } from './booked-objects.ts'
import { bookingOf } from './booking-row.ts'
import type { ReservedUnits } from './call-units.ts'
import type { Grant } from './decide.ts'
import type { LimitedDemand } from './demand.ts'
import type { MeteredKind } from './metered-kinds.ts'
import { type CallTotal, SentCalls } from './sent-calls.ts'

/** The dependencies of metered calls. */
export interface MeteredCallDeps {
  readonly books: Pick<Books, 'bookings' | 'limiter'>
  readonly prices: PriceBook
  readonly objects: BookedObjects
}

/** After so many bytes of an answer it is noted again what it has cost so far. */
const NOTED_BYTES = 4096

/**
 * One call that goes upstream, from its reservation to its end, when it is known what it used: it ends the reservation, and books the call,
 * exactly once.
 *
 * @example
 * const call = new MeteredCall(request, kind, callUnits(request, 'money', { prices, earlier }), deps)
 * call.begin(demand, grant)
 */
export class MeteredCall implements UsageTally, SendWatch {
  readonly #request: PreparedRequest
  readonly #kind: MeteredKind
  readonly #deps: MeteredCallDeps
  readonly #tally: UsageTally
  readonly #calls: SentCalls
  #demand: LimitedDemand | undefined
  #grant: Grant | undefined
  #unnotedBytes: number

  constructor(request: PreparedRequest, kind: MeteredKind, units: ReservedUnits, deps: MeteredCallDeps) {
    this.#request = request
    this.#kind = kind
    this.#deps = deps
    this.#calls = new SentCalls(request, units, deps.prices, kind.kind === 'batch')
    // Of a stream it is noted at once that it has begun.
    this.#unnotedBytes = request.exchange.stream ? NOTED_BYTES : 0
    this.#tally = createUsageTally(units)
    request.exchange.tally = this
    request.sendWatch = this
    request.exchange.atEnd((outcome) => this.#onEnd(outcome))
  }

  /** It has what it asked for. */
  begin(demand: LimitedDemand, grant: Grant): void {
    this.#demand = demand
    this.#grant = grant
  }

  /** It is sent to a deployment: from now on what it asks for is read there. */
  onSend(deployment: Deployment, sentAt: number): SentCall {
    const sent = this.#calls.add(deployment, sentAt)
    if (this.#grant === undefined) return sent
    if (this.#request.outgoing.received instanceof Uint8Array) this.#note()
    else this.#request.exchange.onceArrived(() => this.#note())
    return sent
  }

  /** The head of an answer has come. */
  onAnswer({ status }: Pick<Response, 'status'>): void {
    this.#calls.status = status
  }

  add(value: JsonObject): void {
    this.#tally.add(value)
  }

  saw(bytes: number): void {
    this.#tally.saw(bytes)
    if (this.#grant === undefined) return
    this.#unnotedBytes += bytes
    if (this.#unnotedBytes < NOTED_BYTES) return
    this.#unnotedBytes = 0
    this.#note()
  }

  waitFor(reading: Promise<void>): void {
    this.#tally.waitFor(reading)
  }

  settled(): Promise<void> | undefined {
    return this.#tally.settled()
  }

  told(): ToldUsage {
    const told = this.#tally.told()
    // What nobody has asked of a model is not estimated.
    return this.#kind.kind === 'told' && told.isEstimated ? { ...told, usage: NO_USAGE } : told
  }

  /** What its answer has cost, in nano-dollars, by what is known so far. */
  costSoFar(): number {
    return this.#calls.costSoFar(() => this.told())
  }

  /** Notes what is charged if this process dies now. */
  #note(): void {
    this.#grant?.reservation.see(BigInt(this.costSoFar()))
  }

  #onEnd(outcome: Outcome): void {
    if (this.#tally.settled() === undefined) this.#settle(outcome)
    else void this.#settleLate(outcome)
  }

  /** Settles once all of an encoded answer has been read. */
  async #settleLate(outcome: Outcome): Promise<void> {
    let reading = this.#tally.settled()
    for (let before: typeof reading; reading !== before; reading = this.#tally.settled()) {
      before = reading
      await ignoreRejection(reading)
    }
    this.#settle(outcome)
  }

  #settle(outcome: Outcome): void {
    const own = this.told()
    const total = this.#calls.total(own, outcome, this.#grant?.amount)
    const { usage } = total.told
    const booking = this.#bookingOf(own, total, outcome)
    const cost = booking?.cost ?? 0
    const { exchange } = this.#request
    if (booking !== undefined)
      exchange.onSpent({ cost, inputTokens: inputTokens(usage), outputTokens: outputTokens(usage) })
    if (this.#grant !== undefined)
      this.#grant.reservation.end({ cost: BigInt(cost), units: this.#unitsOf(usage), booking })
    else if (booking !== undefined) bookUnheld(this.#deps.books, exchange, booking)
  }

  /** The row of the books; undefined: nothing was called, or it is booked already. */
  #bookingOf(own: ToldUsage, { told, cost, pricedBy }: CallTotal, outcome: Outcome): Booking | undefined {
    const { deployment, status } = this.#calls
    if (deployment === undefined) return undefined
    const object = this.#objectOf(own)
    if (object === 'not yet') return undefined
    const noted = this.#demand?.booking
    const id = object === undefined ? noted?.id : this.#deps.objects.take(deployment.upstream.name, object)
    if (id === 'booked') return undefined
    return bookingOf(
      this.#request.exchange,
      {
        usage: told.usage,
        cost,
        saved: 0,
        pricedBy,
        isEstimated: told.isEstimated,
        outcome: outcome.kind,
        status,
        servedModel: told.model ?? this.#calls.modelAt(deployment),
        upstream: deployment.upstream.name,
        tier: told.tier ?? '',
        isBatch: this.#kind.kind === 'batch',
      },
      id,
      noted?.at,
    )
  }

  /**
   * The object that can be fetched again and again, whose booking it is; undefined: it is a call of its own; `not yet`: it goes on, or was
   * booked when it was made, as is each response that was not made in the background.
   */
  #objectOf({ status = '', usage, id, isBackground }: ToldUsage): string | undefined {
    const isOver = OVER.has(status)
    if (this.#kind.kind === 'call') {
      if (!isBackground || id === undefined) return undefined
      return isOver ? id : 'not yet'
    }
    if (this.#kind.kind === 'told') return this.#kind.isCertain || totalTokens(usage) > 0 ? undefined : 'not yet'
    const isKnown = isOver && (this.#kind.kind === 'batch' || isBackground) && totalTokens(usage) > 0
    return isKnown && this.#calls.status < 300 ? this.#kind.id : 'not yet'
  }

  /** The units that it really used, in the order of its demand. */
  #unitsOf(usage: Usage): readonly number[] {
    const rates = this.#demand?.modelRates ?? []
    return rates.map(({ kind }) => (kind === 'tokensPerMinute' ? totalTokens(usage) : usage.images))
  }
}

/** The states of a batch, or of a response, that goes on no more. */
const OVER: ReadonlySet<string> = new Set(['completed', 'incomplete', 'failed', 'cancelled', 'expired'])
