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
import { bookingOf } from './booking-row.ts'
import type { ReservedUnits } from './call-units.ts'
import type { Grant } from './decide.ts'
import type { LimitedDemand } from './demand.ts'
import { type CallKind, isOver, madeObject } from './metered-kinds.ts'
import type { ObjectBooks } from './object-books.ts'
import { type CallTotal, SentCalls } from './sent-calls.ts'

/** The dependencies of metered calls. */
export interface MeteredCallDeps {
  readonly books: Pick<Books, 'bookings' | 'limiter'>
  readonly prices: PriceBook
  readonly objects: ObjectBooks
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
  readonly #kind: CallKind
  readonly #deps: MeteredCallDeps
  readonly #tally: UsageTally
  readonly #calls: SentCalls
  #demand: LimitedDemand | undefined
  #grant: Grant | undefined
  #unnotedBytes: number

  constructor(request: PreparedRequest, kind: CallKind, units: ReservedUnits, deps: MeteredCallDeps) {
    this.#request = request
    this.#kind = kind
    this.#deps = deps
    this.#calls = new SentCalls(request, units, deps.prices)
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

  beforeTold(count: () => void): void {
    this.#tally.beforeTold(count)
  }

  waitFor(reading: Promise<void>): void {
    this.#tally.waitFor(reading)
  }

  settled(): Promise<void> | undefined {
    return this.#tally.settled()
  }

  told(): ToldUsage {
    const [told, { kind }] = [this.#tally.told(), this.#kind]
    // What nobody has asked of a model is not estimated.
    return told.isEstimated && (kind === 'told' || kind === 'making') ? { ...told, usage: NO_USAGE } : told
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
    const made = madeObject(this.#kind, own, this.#calls.status)
    if (made !== undefined) this.#deps.objects.keep(made, this.#request, this.#grant?.reservation)
    else this.#end(total, this.#bookingOf(own, total, outcome))
  }

  #end({ told: { usage } }: CallTotal, booking: Booking | undefined): void {
    const { exchange } = this.#request
    const cost = booking?.cost ?? 0
    if (booking !== undefined)
      exchange.onSpent({ cost, inputTokens: inputTokens(usage), outputTokens: outputTokens(usage) })
    if (this.#grant !== undefined)
      this.#grant.reservation.end({ cost: BigInt(cost), units: this.#unitsOf(usage), booking })
    else if (booking?.isObject === true) this.#deps.objects.book(exchange, booking)
    else if (booking !== undefined) bookUnheld(this.#deps.books, exchange, booking)
  }

  /** The row of the books; undefined: nothing was called, or it is booked already. */
  #bookingOf(own: ToldUsage, { told, cost, pricedBy }: CallTotal, outcome: Outcome): Booking | undefined {
    const { deployment, status } = this.#calls
    const object = this.#objectOf(own)
    if (deployment === undefined || object === 'not yet') return undefined
    const noted = this.#demand?.booking
    const id = object === undefined ? noted?.id : this.#deps.objects.idOf(deployment.upstream.name, object)
    if (object !== undefined && this.#deps.objects.isBooked(id ?? '')) return undefined
    const settled = {
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
      isBatch: false,
    }
    const row = bookingOf(this.#request.exchange, settled, id, noted?.at)
    return object === undefined ? row : { ...row, isObject: true }
  }

  /**
   * The object that can be fetched again and again, whose booking it is; undefined: it is a call of its own; `not yet`: it goes on, or was
   * booked when it was made, as is each response that was not made in the background.
   */
  #objectOf(told: ToldUsage): string | undefined {
    const [{ id, isBackground }, kind, isUsed] = [told, this.#kind, totalTokens(told.usage) > 0]
    if (kind.kind === 'call') return isBackground ? id : undefined
    if (kind.kind === 'told') return kind.isCertain || isUsed ? undefined : 'not yet'
    if (kind.kind === 'making' || !isOver(told) || !isBackground || !isUsed) return 'not yet'
    return this.#calls.status < 300 ? kind.id : 'not yet'
  }

  /** The units that it really used, in the order of its demand. */
  #unitsOf(usage: Usage): readonly number[] {
    return (this.#demand?.modelRates ?? []).map(({ kind }) =>
      kind === 'tokensPerMinute' ? totalTokens(usage) : usage.images,
    )
  }
}
