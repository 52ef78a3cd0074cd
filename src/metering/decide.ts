import type { RateShare } from '../exchange/spending.ts'
import { type Decision, type Limiter, LimiterError, type RateState, type Reservation } from '../ledger/limiter.ts'
import { ApiError } from '../openai/api-error.ts'
import type { LimitedDemand } from './demand.ts'
import { refusalError } from './refusals.ts'

/** A demand that is granted. */
export interface Grant {
  readonly reservation: Reservation
  /** What the limits on requests and on tokens leave, of those the tightest; undefined: there is none. */
  readonly requests: RateShare | undefined
  readonly tokens: RateShare | undefined
}

/** Decides about a demand: at once, or where another machine decides by a promise. */
export type Decide = (demand: LimitedDemand) => Grant | Promise<Grant>

/**
 * Makes the function that has a demand decided. It throws, or rejects with, the refusal, or `limits_unavailable` where nobody can decide. What
 * may be allowed all the same, and how much of it, the limiter knows (`shareOnDown`).
 *
 * @example
 * const decide = createDecide(books.limiter)
 * const deciding = decide(demand)
 */
export function createDecide(limiter: Limiter): Decide {
  const onFailure = (thrown: unknown): never => {
    throw thrown instanceof LimiterError ? new ApiError('limits_unavailable', { cause: thrown }) : thrown
  }
  return (demand) => {
    const use = (decision: Decision): Grant => {
      if (decision.kind !== 'granted') throw refusalError(demand, decision)
      const { reservation, rates } = decision
      return { reservation, requests: tightest(demand, rates, 'requests'), tokens: tightest(demand, rates, 'tokens') }
    }
    try {
      const deciding = limiter.decide(demand, Date.now())
      return deciding instanceof Promise ? deciding.then(use).catch(onFailure) : use(deciding)
    } catch (thrown) {
      return onFailure(thrown)
    }
  }
}

/** The rate of a kind that leaves the smallest part of itself. */
function tightest(
  { modelRates, rates }: LimitedDemand,
  states: readonly RateState[],
  unit: 'requests' | 'tokens',
): RateShare | undefined {
  let found: RateShare | undefined
  for (const [index, { kind }] of modelRates.entries()) {
    const [limit, state] = [rates[index]?.limit, states[index]]
    if (!kind.startsWith(unit) || limit === undefined || state === undefined) continue
    if (found !== undefined && found.remaining / found.limit <= state.remaining / limit) continue
    found = { limit, ...state }
  }
  return found
}
