import type { Exchange } from '../exchange/exchange.ts'
import type { Outcome } from '../exchange/outcome.ts'
import { ignoreRejection } from '../formats/ignore-rejection.ts'
import { isJsonObject, type Json, type JsonObject } from '../formats/json/json.ts'
import type { Booking } from '../ledger/records.ts'
import { addUsage, inputTokens, NO_USAGE, outputTokens, type ToldUsage, totalTokens } from '../openai/usage/usage.ts'
import { createUsageTally, type UsageTally } from '../openai/usage/usage-tally.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import type { Ask, PreparedRequest } from '../requests/prepared-request.ts'
import { payerOf } from '../routing/deployment-address.ts'
import type { Deployment } from '../routing/targets/deployment.ts'
import { bookingOf, type Settled } from './booking-row.ts'
import { type CallCost, costOfAnswer } from './call-prices.ts'
import { isOver, type ObjectsKind } from './metered-kinds.ts'
import type { ObjectBooks } from './object-books.ts'

/** The dependencies of answers about objects. */
export interface ObjectAnswersDeps {
  readonly objects: ObjectBooks
  readonly prices: PriceBook
}

/** How long an answer may wait for the books to say whose file it is. */
const FILE_MS = 1_000
const NOTHING: CallCost = { cost: 0, pricedBy: 'none' }

/**
 * Asks for an answer about batches, and has what it tells read while it passes. Of a file, only one that a batch's answers are in is read.
 *
 * @example
 * return askAboutObjects(request, { kind: 'batches' }, next, { objects, prices })
 */
export async function askAboutObjects(
  request: PreparedRequest,
  kind: ObjectsKind,
  next: Ask,
  deps: ObjectAnswersDeps,
): Promise<Response> {
  const { exchange, route } = request
  if (kind.kind !== 'lines') {
    exchange.tally = new ObjectAnswers(request, kind, undefined, deps)
    return next(request)
  }
  const finding = new Map(
    route.deployments.map(({ upstream: { name } }) => {
      return [name, ignoreRejection(deps.objects.find(deps.objects.idOf(name, kind.id)))] as const
    }),
  )
  const answer = await next(request)
  const found = await Promise.race([finding.get(request.deployment?.upstream.name ?? ''), afterwards(FILE_MS)])
  if (found !== undefined) exchange.tally = new ObjectAnswers(request, kind, found.bookedAs, deps)
  return answer
}

/**
 * Reads what an answer tells of batches: of one, of a list of them, or line by line what their calls have used. It holds none of the answer but
 * what is told. At its end each that is over is booked to its maker.
 *
 * @example
 * exchange.tally = new ObjectAnswers(request, { kind: 'batch', id: 'batch_1' }, undefined, { objects, prices })
 */
export class ObjectAnswers implements UsageTally {
  readonly #request: PreparedRequest
  readonly #kind: ObjectsKind
  readonly #batch: string | undefined
  readonly #deps: ObjectAnswersDeps
  readonly #batches: { readonly told: ToldUsage; readonly file: string | undefined }[] = []
  #lines: { readonly told: ToldUsage; readonly price: CallCost } | undefined
  #late: Promise<void> | undefined

  /** `batch`: of lines, what their batch is booked as. */
  constructor(request: PreparedRequest, kind: ObjectsKind, batch: string | undefined, deps: ObjectAnswersDeps) {
    this.#request = request
    this.#kind = kind
    this.#batch = batch
    this.#deps = deps
    request.exchange.atEnd((outcome) => void this.#onEnd(outcome))
  }

  get isJson(): boolean {
    return this.#kind.kind === 'lines'
  }

  add(value: JsonObject): void {
    if (this.#kind.kind === 'lines') this.#addLine(value)
    else if (this.#kind.kind === 'batch') this.#addBatch(value)
    else for (const one of listIn(value['data'])) if (isJsonObject(one)) this.#addBatch(one)
  }

  /** How much has passed tells nothing of an object. */
  saw(): void {}

  /** See there. */
  beforeTold(): void {}

  waitFor(reading: Promise<void>): void {
    this.#late = reading
  }

  settled(): Promise<void> | undefined {
    return this.#late
  }

  told(): ToldUsage {
    return this.#lines?.told ?? this.#batches[0]?.told ?? createUsageTally().told()
  }

  #addBatch(value: JsonObject): void {
    const { output_file_id: file, request_counts: counts } = value
    const calls = isJsonObject(counts) && typeof counts['completed'] === 'number' ? counts['completed'] : undefined
    this.#batches.push({ told: { ...toldIn(value), calls }, file: typeof file === 'string' ? file : undefined })
  }

  /** A line of OpenAI's output file has `response.body`, one of Anthropic's results `result.message`; one of an error neither. */
  #addLine({ response, result }: JsonObject): void {
    const body = isJsonObject(response) ? response['body'] : isJsonObject(result) ? result['message'] : undefined
    const { deployment } = this.#request
    if (!isJsonObject(body) || deployment === undefined) return
    const told = toldIn(body)
    const price = this.#costOf(told, deployment)
    const before = this.#lines
    this.#lines = {
      told: { ...told, usage: addUsage(before?.told.usage ?? NO_USAGE, told.usage) },
      price: {
        cost: (before?.price.cost ?? 0) + price.cost,
        pricedBy: before?.price.pricedBy === 'none' ? 'none' : price.pricedBy,
      },
    }
  }

  async #onEnd(outcome: Outcome): Promise<void> {
    for (let before: Promise<void> | undefined; before !== this.#late; await ignoreRejection(before))
      before = this.#late
    const { deployment, exchange } = this.#request
    if (deployment === undefined || outcome.kind !== 'complete') return
    const { objects } = this.#deps
    if (this.#batch !== undefined && this.#lines !== undefined) {
      const { told, price } = this.#lines
      this.#book(this.#rowOf(this.#batch, told, price, deployment), false)
    }
    for (const { told, file } of this.#batches) {
      const id = told.id === undefined ? undefined : objects.idOf(deployment.upstream.name, told.id)
      if (id === undefined || !isOver(told) || objects.isBooked(id)) continue
      if (totalTokens(told.usage) > 0)
        this.#book(this.#rowOf(id, told, this.#costOf(told, deployment), deployment), this.#kind.kind === 'batches')
      else if (file !== undefined) objects.noteFile(exchange, objects.idOf(deployment.upstream.name, file), id)
    }
  }

  #book(row: Booking, isKnown: boolean): void {
    const { exchange } = this.#request
    if (!isKnown) tellSpent(exchange, row)
    this.#deps.objects.book(exchange, row, isKnown)
  }

  #rowOf(id: string, told: ToldUsage, { cost, pricedBy }: CallCost, { upstream }: Deployment): Booking {
    const settled: Settled = {
      ...{ usage: told.usage, cost, saved: 0, pricedBy, isEstimated: false, status: 200 },
      ...{ servedModel: told.model ?? '', upstream: upstream.name, tier: told.tier ?? '', isBatch: true },
      outcome: 'complete',
    } as const
    return bookingOf(this.#request.exchange, settled, id)
  }

  #costOf(told: ToldUsage, { upstream }: Deployment): CallCost {
    if (totalTokens(told.usage) === 0) return NOTHING
    if (payerOf(this.#request.exchange.principal, upstream) === 'caller') return { cost: 0, pricedBy: 'caller' }
    return costOfAnswer(told, upstream, { asked: '', isBatch: true }, this.#deps.prices)
  }
}

function toldIn(value: JsonObject): ToldUsage {
  const tally = createUsageTally()
  tally.add(value)
  return tally.told()
}

function afterwards(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms))
}

function listIn(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : []
}

function tellSpent(exchange: Exchange, { cost, usage }: Booking): void {
  exchange.onSpent({ cost, inputTokens: inputTokens(usage), outputTokens: outputTokens(usage) })
}
