import type { Log } from '../telemetry/log.ts'
import { openLocalLimiter } from './counters/local-limiter.ts'
import { type BudgetDemand, type CallDemand, type Decision, type Limiter, LimiterError } from './limiter.ts'
import type { Booking } from './records.ts'
import { budgetName } from './redis/redis-budgets.ts'

/** The dependencies of a share. */
export interface ShareOnDownDeps {
  readonly bookings: { readonly add: (booking: Booking, onBooked: () => void) => void }
  readonly log: Pick<Log, 'warn' | 'info'>
  /** Whether calls are allowed now; else they are refused, as by the limiter alone. */
  readonly isAllowed: () => boolean
}

/** One process may use so much of each limit while limits can't be decided: `1 / PART`. */
const PART = 10
const SIZES = { counters: 2 ** 14, reservations: 2 ** 12 }

/**
 * Wraps a limiter for `on_ledger_down: allow`: while it can't decide, calls are allowed within a tenth of each limit. Of a budget that is a
 * tenth for all such times in its window together: a server that is late now and then would else give away as many. What they have spent is
 * read from the books before anything is decided by the limiter itself again.
 *
 * @example
 * const limiter = shareOnDown(openRedisLimiter(deps), { bookings, log, isAllowed: () => true })
 */
export function shareOnDown(limiter: Limiter, deps: ShareOnDownDeps): Limiter {
  return new ShareOnDown(limiter, deps)
}

class ShareOnDown implements Limiter {
  readonly #limiter: Limiter
  readonly #deps: ShareOnDownDeps
  /** Budgets of calls that a share has allowed, by the ids of their bookings. */
  readonly #shared = new Map<string, readonly BudgetDemand[]>()
  /** Budgets that such calls are booked in now, and that the limiter has not heard of. */
  readonly #unheard = new Map<string, BudgetDemand>()
  #share: Promise<Limiter> | undefined
  #isDown = false

  constructor(limiter: Limiter, deps: ShareOnDownDeps) {
    this.#limiter = limiter
    this.#deps = deps
  }

  decide(demand: CallDemand, now: number): Decision | Promise<Decision> {
    if (this.#isDown || this.#unheard.size > 0) return this.#decideAgain(demand, now)
    try {
      const deciding = this.#limiter.decide(demand, now)
      return deciding instanceof Promise
        ? deciding.catch((cause: unknown) => this.#decideByShare(demand, now, cause))
        : deciding
    } catch (cause) {
      return this.#decideByShare(demand, now, cause)
    }
  }

  look(budget: BudgetDemand): ReturnType<Limiter['look']> {
    return this.#limiter.look(budget)
  }

  distrust(budgets: readonly BudgetDemand[]): Promise<void> {
    return this.#limiter.distrust(budgets)
  }

  state(): ReturnType<Limiter['state']> {
    return this.#limiter.state()
  }

  async close(): Promise<void> {
    await this.#limiter.close()
    await (await this.#share)?.close()
  }

  async #decideAgain(demand: CallDemand, now: number): Promise<Decision> {
    try {
      const unheard = [...this.#unheard]
      if (unheard.length > 0) await this.#limiter.distrust(unheard.map(([, budget]) => budget))
      for (const [name] of unheard) this.#unheard.delete(name)
      const decision = await this.#limiter.decide(demand, now)
      if (this.#isDown) this.#deps.log.info({}, 'limits are decided again')
      this.#isDown = false
      return decision
    } catch (cause) {
      return this.#decideByShare(demand, now, cause)
    }
  }

  async #decideByShare(demand: CallDemand, now: number, cause: unknown): Promise<Decision> {
    if (!(cause instanceof LimiterError) || !this.#deps.isAllowed()) throw cause
    if (!this.#isDown) {
      this.#isDown = true
      this.#deps.log.warn({ err: cause }, 'limits can not be decided: calls are allowed within a tenth of each limit')
    }
    const bookings = { add: (one: Booking, onBooked: () => void) => this.#book(one, onBooked) }
    this.#share ??= openLocalLimiter({
      folder: undefined,
      ledger: undefined,
      bookings,
      log: this.#deps.log,
      sizes: SIZES,
    })
    const decision = await (await this.#share).decide(shareOf(demand), now)
    // A refusal would tell of limits that are not those of the caller.
    if (decision.kind !== 'granted')
      throw new LimiterError(`${cause.message} The share of this node is used up.`, { cause })
    const { reservation } = decision
    return {
      ...decision,
      reservation: {
        see: (cost) => reservation.see(cost),
        end: (end) => {
          if (end.booking !== undefined) this.#shared.set(end.booking.id, demand.budgets)
          reservation.end(end)
        },
      },
    }
  }

  #book(booking: Booking, onBooked: () => void): void {
    this.#deps.bookings.add(booking, () => {
      onBooked()
      for (const budget of this.#shared.get(booking.id) ?? []) this.#unheard.set(budgetName(budget), budget)
      this.#shared.delete(booking.id)
    })
  }
}

/** What is asked of the share: the same, with a tenth of each limit. */
function shareOf({ rates, places, budgets, amount, booking }: CallDemand): CallDemand {
  return {
    rates: rates.map((rate) => ({ ...rate, limit: Math.ceil(rate.limit / PART) })),
    places: places.map(({ name, limit }) => ({ name, limit: Math.ceil(limit / PART) })),
    budgets: budgets.map((one) => ({ ...one, limit: one.limit / BigInt(PART) })),
    ...{ amount, booking },
  }
}
