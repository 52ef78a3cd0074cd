import type { Exchange } from '../exchange/exchange.ts'
import { BoundedMemo } from '../formats/bounded-memo.ts'
import { windowAt } from '../ledger/counters/budget-window.ts'
import type { BudgetDemand, CallDemand, PlaceDemand, RateDemand } from '../ledger/limiter.ts'
import { NO_USAGE, type Usage } from '../openai/usage/usage.ts'
import { bookingOf, UNSETTLED } from './booking-row.ts'
import type { CallerBudget, CallerLimits, ModelRate, RateKind } from './caller-limits.ts'

/** All that is asked for, and whose limits these are, in the order of the demand. */
export interface LimitedDemand extends CallDemand {
  readonly limits: CallerLimits
  readonly modelRates: readonly ModelRate[]
  readonly model: string | undefined
  /** Works out what will do for a call without a cap, where a budget has no room for the most that it can cost; absent: nothing less does. */
  readonly lesser?: (() => LesserAmounts) | undefined
}

/** What will do for a call whose most a budget has no room for, in nano-dollars. */
export interface LesserAmounts {
  /** What is held where it is there. */
  readonly most: bigint
  /** It is let past only where so much is left, or the whole limit; and never where less than `least` is. */
  readonly usual: bigint
  readonly least: bigint
}

/** What a call is expected to use: what its limits are asked for. */
export interface CallUnits {
  readonly tokens: number
  readonly images: number
  /** The most that it can cost, in nano-dollars. */
  readonly amount: bigint
  /** What its request alone says of its usage: it is booked where this process dies, and no answer can tell it. */
  readonly asked?: Partial<Usage>
}

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const PERIODS: Readonly<Record<RateKind, number>> = {
  requestsPerMinute: MINUTE_MS,
  requestsPerDay: DAY_MS,
  tokensPerMinute: MINUTE_MS,
  imagesPerMinute: MINUTE_MS,
}
/** The limits on requests, which a repeated answer counts towards, too; all others only hold for calls that go upstream. */
const OF_REQUESTS: ReadonlySet<RateKind> = new Set(['requestsPerMinute', 'requestsPerDay'])

/** Names of models are the callers', so there is no end of them. */
const REMEMBERED = { entriesMax: 500, keyCharsMax: 256 } as const

/** What all requests of a caller for one model have in common. */
interface ModelDemands {
  readonly ofRequest: LimitedDemand | undefined
  /** The rates of what a call uses. */
  readonly ofUse: readonly ModelRate[]
}

const known = new WeakMap<CallerLimits, BoundedMemo<ModelDemands>>()

/**
 * What every request asks for, before it is known whether it goes upstream: one of the requests of its minute and day, and a place among
 * those under way. undefined: it has no such limit.
 *
 * @example
 * const demand = requestDemand(limits, model)
 */
export function requestDemand(limits: CallerLimits, model: string | undefined): LimitedDemand | undefined {
  return demandsFor(limits, model).ofRequest
}

/** They are made once for each state of a key. */
function demandsFor(limits: CallerLimits, model: string | undefined): ModelDemands {
  let memo = known.get(limits)
  if (memo === undefined) {
    memo = new BoundedMemo(REMEMBERED)
    known.set(limits, memo)
  }
  return memo.get(model ?? '') ?? memo.set(model ?? '', makeDemands(limits, model))
}

function makeDemands(limits: CallerLimits, model: string | undefined): ModelDemands {
  const [modelRates, ofUse]: [ModelRate[], ModelRate[]] = [[], []]
  for (const rate of limits.ratesOf(model)) (OF_REQUESTS.has(rate.kind) ? modelRates : ofUse).push(rate)
  const places = limits.places.map(({ id, concurrency }): PlaceDemand => ({ name: `${id} calls`, limit: concurrency }))
  if (modelRates.length === 0 && places.length === 0) return { ofRequest: undefined, ofUse }
  const rates = modelRates.map((rate) => rateDemand(rate, 1))
  return {
    ofRequest: { limits, model, modelRates, rates, places, budgets: [], amount: 0n, booking: undefined },
    ofUse,
  }
}

/**
 * What a call that goes upstream asks for: its tokens and images, and money in each of the caller's budgets. undefined: it has no such
 * limit. It is booked on the exchange if this process dies meanwhile, and counts in the windows that it is booked in.
 *
 * @example
 * const demand = callDemand(limits, model, { tokens, images, amount }, exchange)
 */
export function callDemand(
  limits: CallerLimits,
  model: string | undefined,
  units: CallUnits,
  exchange: Exchange,
  lesser?: LimitedDemand['lesser'],
): LimitedDemand | undefined {
  const modelRates = demandsFor(limits, model).ofUse
  if (modelRates.length === 0 && !limits.hasBudget) return undefined
  const { tokens, images, amount, asked } = units
  const rates = modelRates.map((rate) => rateDemand(rate, rate.kind === 'tokensPerMinute' ? tokens : images))
  const booking = bookingOf(
    exchange,
    asked === undefined ? UNSETTLED : { ...UNSETTLED, usage: { ...NO_USAGE, ...asked } },
  )
  const budgets = budgetDemands(limits, booking.at)
  return { limits, model, modelRates, rates, places: [], budgets, amount, booking, lesser }
}

/**
 * What a session asks for before it is opened: the least money that there is, in each of its caller's budgets. undefined: none is limited.
 *
 * @example
 * const demand = sessionDemand(limits)
 */
export function sessionDemand(limits: CallerLimits): LimitedDemand | undefined {
  if (!limits.hasBudget) return undefined
  const budgets = budgetDemands(limits, Date.now())
  return { limits, model: undefined, modelRates: [], rates: [], places: [], budgets, amount: 1n, booking: undefined }
}

/** A caller's budgets in the windows of a moment, and how long these last, in milliseconds since 1970. */
interface BudgetsNow {
  readonly demands: readonly BudgetDemand[]
  readonly from: number
  readonly to: number
}

const budgetsNow = new WeakMap<CallerLimits, BudgetsNow>()

/** A caller's budgets in their windows of a moment, in milliseconds since 1970. */
export function budgetDemands(limits: CallerLimits, at: number): readonly BudgetDemand[] {
  const last = budgetsNow.get(limits)
  if (last !== undefined && at >= last.from && at < last.to) return last.demands
  const demands = limits.budgets.map((budget) => budgetDemand(budget, at))
  const from = Math.max(0, ...demands.map((demand) => demand.from * 1000))
  const to = Math.min(Number.POSITIVE_INFINITY, ...demands.map((demand) => demand.to * 1000))
  budgetsNow.set(limits, { demands, from, to })
  return demands
}

function rateDemand({ name, limit, kind }: ModelRate, units: number): RateDemand {
  return { name, limit, periodMs: PERIODS[kind], units }
}

/** A budget in the window of a moment, in milliseconds since 1970. */
function budgetDemand({ holder, window, limit }: CallerBudget, now: number): BudgetDemand {
  const { startsAt, endsAt } = windowAt(window, holder.timeZone, now)
  const scope =
    holder.scope === 'key' ? { keyId: holder.id } : holder.scope === 'project' ? { projectId: holder.id } : {}
  return { ...scope, from: startsAt / 1000, to: endsAt / 1000, limit }
}
