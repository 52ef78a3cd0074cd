import type { RateShare } from '../exchange/spending.ts'
import {
  type Decision,
  type Limiter,
  LimiterError,
  type RateState,
  type Refusal,
  type Reservation,
} from '../ledger/limiter.ts'
import { ApiError } from '../openai/api-error.ts'
import { budgetDemands, type LimitedDemand } from './demand.ts'
import { refusalError } from './refusals.ts'

/** A demand that is granted. */
export interface Grant {
  readonly reservation: Reservation
  /** What is held for it in each of its budgets, in nano-dollars. */
  readonly amount: bigint
  /** What the limits on requests and on tokens leave, of those the tightest; undefined: there is none. */
  readonly requests: RateShare | undefined
  readonly tokens: RateShare | undefined
}

/** So often a demand is made smaller: others may take meanwhile what was left of a budget. */
const TRIES = 5

/**
 * Decides about a demand: at once, or where another machine decides by a promise. `mayCost`: whether the request may cost its caller money;
 * it is asked only where a rate or a place refuses.
 */
export type Decide = (demand: LimitedDemand, mayCost: () => boolean) => Grant | Promise<Grant>

/**
 * Makes the function that has a demand decided. It throws, or rejects with, the refusal, or `limits_unavailable` where nobody can decide. What
 * may be allowed all the same, and how much of it, the limiter knows (`shareOnDown`).
 *
 * A budget that is spent refuses before any rate does: the caller has to stop, and would be told to wait.
 *
 * @example
 * const decide = createDecide(books.limiter)
 * const deciding = decide(demand, () => true)
 */
export function createDecide(limiter: Pick<Limiter, 'decide' | 'look'>): Decide {
  const onFailure = (thrown: unknown): never => {
    throw thrown instanceof LimiterError ? new ApiError('limits_unavailable', { cause: thrown }) : thrown
  }
  const refuse = async (demand: LimitedDemand, refusal: Refusal): Promise<never> => {
    throw (await spentBudget(limiter, demand)) ?? refusalError(demand, refusal)
  }
  return (demand, mayCost) => {
    let tries = 0
    const use = (asked: LimitedDemand, decision: Decision): Grant | Promise<Grant> => {
      if (decision.kind === 'granted') {
        const { reservation, rates } = decision
        const [requests, tokens] = [tightest(asked, rates, 'requests'), tightest(asked, rates, 'tokens')]
        return { reservation, amount: asked.amount, requests, tokens }
      }
      if (decision.kind === 'budget') return ask(withLess(asked, decision, ++tries < TRIES))
      if (asked.limits.hasBudget && mayCost()) return refuse(asked, decision)
      throw refusalError(asked, decision)
    }
    const ask = (asked: LimitedDemand): Grant | Promise<Grant> => {
      try {
        const deciding = limiter.decide(asked, Date.now())
        return deciding instanceof Promise
          ? deciding.then((decision) => use(asked, decision)).catch(onFailure)
          : use(asked, deciding)
      } catch (thrown) {
        return onFailure(thrown)
      }
    }
    return ask(demand)
  }
}

/**
 * The same demand with what a budget has room for that has refused it: at most what is expected of such calls. Throws the refusal where that is
 * less than will do, and where nothing less does.
 */
function withLess(
  demand: LimitedDemand,
  refusal: Extract<Refusal, { kind: 'budget' }>,
  mayTry: boolean,
): LimitedDemand {
  const limit = demand.budgets[refusal.index]?.limit
  if (demand.lesser === undefined || limit === undefined) throw refusalError(demand, refusal)
  const { most, usual, least } = demand.lesser()
  const enough = larger(least, smaller(usual, limit))
  const amount = smaller(most, limit - refusal.spent - refusal.held)
  if (!mayTry || amount < enough || amount >= demand.amount)
    throw refusalError({ ...demand, amount: smaller(enough, demand.amount) }, refusal)
  return { ...demand, amount }
}

function smaller(one: bigint, other: bigint): bigint {
  return one < other ? one : other
}

function larger(one: bigint, other: bigint): bigint {
  return one > other ? one : other
}

/** The refusal of a budget of the demand's caller that is spent; undefined: there is none, or nobody can tell by now. */
async function spentBudget(limiter: Pick<Limiter, 'look'>, demand: LimitedDemand): Promise<ApiError | undefined> {
  const budgets = budgetDemands(demand.limits, Date.now())
  try {
    for (const [index, budget] of budgets.entries()) {
      const { spent, held } = await limiter.look(budget)
      if (spent >= budget.limit) return refusalError({ ...demand, budgets }, { kind: 'budget', index, spent, held })
    }
  } catch (thrown) {
    if (!(thrown instanceof LimiterError)) throw thrown
  }
  return undefined
}

/** The rate of a kind that leaves the smallest part of itself. */
function tightest(
  { modelRates, rates }: LimitedDemand,
  states: readonly RateState[],
  unit: 'requests' | 'tokens',
): RateShare | undefined {
  let found: RateShare | undefined
  for (let index = 0; index < modelRates.length; index += 1) {
    const limit = rates[index]?.limit
    const state = states[index]
    if (modelRates[index]?.kind.startsWith(unit) !== true || limit === undefined || state === undefined) continue
    const { remaining, resetMs } = state
    if (found !== undefined && found.remaining / found.limit <= remaining / limit) continue
    found = { limit, remaining, resetMs }
  }
  return found
}
