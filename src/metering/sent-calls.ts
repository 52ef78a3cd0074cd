import type { Outcome } from '../exchange/outcome.ts'
import { ApiError } from '../openai/api-error.ts'
import { addUsage, NO_USAGE, outputTokens, type ToldUsage, USAGE_FIELDS, type Usage } from '../openai/usage/usage.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import type { PreparedRequest } from '../requests/prepared-request.ts'
import type { SentCall } from '../routing/attempts/sent-call.ts'
import { payerOf } from '../routing/deployment-address.ts'
import type { Deployment } from '../routing/targets/deployment.ts'
import { type CallCost, costOfAnswer } from './call-prices.ts'
import type { ReservedUnits } from './call-units.ts'
import { usageOfCut } from './cut-usage.ts'

/** What all calls that were sent for a request have used and cost. */
export interface CallTotal extends CallCost {
  /** What the answer tells; its usage is that of all calls. */
  readonly told: ToldUsage
}

/** What one of them has used and cost. */
interface CallPart extends CallCost {
  readonly usage: Usage
}

/** A call, behind those of the same request that were sent before it. */
interface ChainedCall extends SentCall {
  readonly before: ChainedCall | undefined
}

const NOTHING: CallCost = { cost: 0, pricedBy: 'none' }
const COMPLETE: Outcome = { kind: 'complete' }
const NO_CALLS: readonly SentCall[] = []

/**
 * The calls that were sent upstream for one request: mostly one, which is answered. Those that were sent and given up, such as the slower one of
 * two, are billed upstream, too.
 *
 * @example
 * const calls = new SentCalls(request, units, prices)
 * const { told, cost } = calls.total(tally.told(), outcome)
 */
export class SentCalls {
  /** The status of the answer that was handed on; 0: none was. */
  status = 0
  readonly #request: PreparedRequest
  readonly #units: ReservedUnits
  readonly #prices: PriceBook
  #last: ChainedCall | undefined

  constructor(request: PreparedRequest, units: ReservedUnits, prices: PriceBook) {
    this.#request = request
    this.#units = units
    this.#prices = prices
  }

  /** The deployment that has answered, or else the one that was asked last; undefined: none was. */
  get deployment(): Deployment | undefined {
    return this.#request.deployment ?? this.#last?.deployment
  }

  /** Notes that a call goes out, at a time of `performance.now()`. */
  add(deployment: Deployment, sentAt: number): SentCall {
    const isBilled = !this.#request.exchange.abort.signal.aborted
    this.#last = { deployment, sentAt, endedAt: undefined, isBilled, before: this.#last }
    return this.#last
  }

  /** The deployment's name for the model. */
  modelAt(deployment: Deployment): string {
    const { outgoing, exchange } = this.#request
    return outgoing.modelFor(deployment) ?? outgoing.model ?? exchange.model ?? ''
  }

  /** What the answer has cost by what it has told so far. */
  costOf(told: ToldUsage): CallCost {
    const { deployment } = this.#request
    return deployment === undefined || this.status === 0 || this.status >= 400
      ? NOTHING
      : this.#costAt(deployment, told)
  }

  /** What all calls have cost by now, in nano-dollars: of those that nobody has an answer of, what they have read. */
  costSoFar(tell: () => ToldUsage): number {
    const answering = this.#answering
    let cost = answering === undefined ? 0 : this.costOf(tell()).cost
    for (const sent of this.#cutBut(answering)) cost += this.#cutAt(sent, sent.endedAt).cost
    return cost
  }

  /**
   * What all calls have used and cost, once the exchange has ended. `told`: by the answer; `held`: the amount that is held for it, undefined:
   * nothing is.
   */
  total(told: ToldUsage, outcome: Outcome, held: bigint | undefined): CallTotal {
    if (isRefusal(told, outcome)) return this.total({ ...told, usage: NO_USAGE, isEstimated: false }, COMPLETE, held)
    const cut = this.#cutBut(isUnseen(told, outcome) ? undefined : this.#answering)
    if (cut.length === 0 || !this.#hasArrived()) return { told, ...this.costOf(told) }
    const now = performance.now()
    const parts = cut.map((sent) => this.#cutAt(sent, sent.endedAt ?? now))
    const total = this.#sum(told, parts)
    if (held === undefined || held === 0n || total.cost <= held) return total
    // No budget is overspent by a guess of what was written.
    const read = cut.map((sent) => this.#cutAt(sent, undefined))
    return this.#sum(told, read)
  }

  #sum(told: ToldUsage, parts: readonly CallPart[]): CallTotal {
    const own = isNothing(told) ? [] : [{ ...this.costOf(told), usage: told.usage }]
    const all = [...own, ...parts]
    const isUnknown = all.some(({ pricedBy }) => pricedBy === 'none')
    return {
      told: { ...told, isEstimated: true, usage: all.map(({ usage }) => usage).reduce(addUsage) },
      cost: all.reduce((sum, { cost }) => sum + cost, 0),
      pricedBy: isUnknown ? 'none' : (all[0]?.pricedBy ?? 'none'),
    }
  }

  /** The call whose answer was handed on. */
  get #answering(): SentCall | undefined {
    if (this.status === 0) return undefined
    for (let call = this.#last; call !== undefined; call = call.before)
      if (call.deployment === this.#request.deployment && call.endedAt === undefined) return call
    return undefined
  }

  /** The calls that are billed upstream, without one of them; the newest first. */
  #cutBut(answering: SentCall | undefined): readonly SentCall[] {
    const last = this.#last
    // Most requests are sent once, and answered.
    if (last === undefined || (last === answering && last.before === undefined)) return NO_CALLS
    const cut: SentCall[] = []
    for (let call: ChainedCall | undefined = last; call !== undefined; call = call.before)
      if (call.isBilled && call !== answering) cut.push(call)
    return cut
  }

  #cutAt(sent: SentCall, until: number | undefined): CallPart {
    const usage = usageOfCut(sent, { units: this.#units, exchange: this.#request.exchange }, until)
    return { usage, ...this.#costAt(sent.deployment, { usage }) }
  }

  #costAt(deployment: Deployment, told: Partial<ToldUsage> & Pick<ToldUsage, 'usage'>): CallCost {
    if (payerOf(this.#request.exchange.principal, deployment.upstream) === 'caller')
      return { cost: 0, pricedBy: 'caller' }
    const about = { asked: this.modelAt(deployment), isBatch: false, picture: this.#units.picture }
    return costOfAnswer(told, deployment.upstream, about, this.#prices)
  }

  /** Whether all of the request has come: an upstream bills no half of one. */
  #hasArrived(): boolean {
    let isHere = false
    this.#request.exchange.onceArrived(() => {
      isHere = true
    })
    return isHere
  }
}

/** Whether a stream has ended in an error before it had a word. */
function isRefusal({ isEstimated, usage }: ToldUsage, outcome: Outcome): boolean {
  const isWordless = isEstimated && outputTokens(usage) === 0
  return isWordless && outcome.kind === 'complete' && outcome.end?.failure() !== undefined
}

/** Whether the body of an answer has broken off, or was left, before anything of it was seen. One of the wrong kind was seen. */
function isUnseen(told: ToldUsage, outcome: Outcome): boolean {
  if (outcome.kind === 'complete' || !isNothing(told)) return false
  if (outcome.kind === 'cancelled') return true
  return !(outcome.cause instanceof ApiError && outcome.cause.kind === 'upstream_invalid_response')
}

function isNothing({ usage, cost }: ToldUsage): boolean {
  return cost === undefined && USAGE_FIELDS.every((field) => usage[field] === 0)
}
