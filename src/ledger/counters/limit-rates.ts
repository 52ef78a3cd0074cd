import type { RateDemand, RateState, Refusal } from '../limiter.ts'
import type { CounterTable } from './counter-table.ts'
import type { NamedCounters } from './named-counters.ts'
import { correctUnits, lookAtUnits, takeUnits } from './token-bucket.ts'

const NO_STATES: readonly RateState[] = []

/** Takes units of several token buckets, of all or of none. Times are in milliseconds since 1970. */
export class LimitRates {
  readonly #counters: CounterTable
  readonly #names: NamedCounters

  constructor(counters: CounterTable, names: NamedCounters) {
    this.#counters = counters
    this.#names = names
  }

  /** The refusal of the rate that has to be waited for the longest; undefined: all would allow it. Nothing is taken. */
  refusal(demands: readonly RateDemand[], now: number): Refusal | undefined {
    let longest: { readonly index: number; readonly retryMs: number } | undefined
    const rates = demands.map((rate, index) => {
      const answer = lookAtUnits(this.#counters, this.#names.rate(rate.name, now).slot, rate, rate.units, now)
      if (answer.retryMs > (longest?.retryMs ?? 0)) longest = { index, retryMs: answer.retryMs }
      return answer
    })
    return longest === undefined ? undefined : { kind: 'rate', ...longest, rates }
  }

  /** Takes all units, and gives what the buckets say then; undefined: one of them does not have them, and nothing was taken. */
  take(demands: readonly RateDemand[], now: number): readonly RateState[] | undefined {
    if (demands.length === 0) return NO_STATES
    const states: RateState[] = []
    for (const rate of demands) {
      const answer = takeUnits(this.#counters, this.#names.rate(rate.name, now).slot, rate, rate.units, now)
      if (!answer.isAllowed) {
        this.giveBack(demands.slice(0, states.length), now)
        return undefined
      }
      states.push(answer)
    }
    return states
  }

  /** Gives back all that was taken. */
  giveBack(demands: readonly RateDemand[], now: number): void {
    for (const rate of demands) this.#correct(rate, 0, now)
  }

  /** Corrects what was taken to the units that were used, by the order of the demand. */
  correct(demands: readonly RateDemand[], used: readonly number[], now: number): void {
    for (let index = 0; index < demands.length; index += 1) {
      const rate = demands[index]
      if (rate !== undefined) this.#correct(rate, used[index] ?? rate.units, now)
    }
  }

  #correct(rate: RateDemand, used: number, now: number): void {
    const units = used - rate.units
    if (units !== 0) correctUnits(this.#counters, this.#names.rate(rate.name, now).slot, rate, units, now)
  }
}
