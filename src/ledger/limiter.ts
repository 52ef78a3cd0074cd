import type { Booking } from './records.ts'

/** Units that are wanted from a token bucket: so many in each period, and as many at once. */
export interface RateDemand {
  /** What the bucket is known by on all nodes, such as `key_1 gpt-4o requests/min`. */
  readonly name: string
  readonly limit: number
  readonly periodMs: number
  readonly units: number
}

/** A place that is wanted among calls under way. */
export interface PlaceDemand {
  readonly name: string
  readonly limit: number
}

/**
 * A budget that a call must fit in: what is spent and held for calls under way, in one calendar window. It is the window that the booking's
 * `at` is in, or the books would count the call in another one.
 */
export interface BudgetDemand {
  readonly projectId?: string
  readonly keyId?: string
  /** The beginning and end of its window, in seconds since 1970; 0 and Infinity: all time. */
  readonly from: number
  readonly to: number
  /** In nano-dollars. */
  readonly limit: bigint
}

/** All that is asked for before a call. It is granted as a whole, or nothing is taken. */
export interface CallDemand {
  readonly rates: readonly RateDemand[]
  readonly places: readonly PlaceDemand[]
  readonly budgets: readonly BudgetDemand[]
  /** The most that the call can cost, in nano-dollars. */
  readonly amount: bigint
  /** What is booked if this process dies before the end; undefined: nothing is ever booked of it. */
  readonly booking: Booking | undefined
}

/** What a token bucket says. */
export interface RateState {
  /** Units that can be had at once now. */
  readonly remaining: number
  /** When it is full again, in milliseconds from now. */
  readonly resetMs: number
}

/** A call's share of the limits, which is given back exactly once. */
export interface Reservation {
  /** Notes what the call is known to have cost so far, in nano-dollars: what is charged if this process dies. */
  readonly see: (cost: bigint) => void
  /**
   * Ends it: its cost is spent, the rest of the amount is free again, its places are left, and the rates are corrected to the units that
   * were used (by the order of the demand; undefined: as taken). `booking` goes into the books. The first call counts.
   */
  readonly end: (end: {
    readonly cost: bigint
    readonly units?: readonly number[]
    readonly booking: Booking | undefined
  }) => void
}

/** A limit that does not allow a call, by its place in the demand. */
export type Refusal =
  /** `retryMs`: when so many units can be had, from now; Infinity: never. */
  | { readonly kind: 'rate'; readonly index: number; readonly retryMs: number; readonly rates: readonly RateState[] }
  | { readonly kind: 'place'; readonly index: number }
  /** `spent` and `held` in nano-dollars. */
  | { readonly kind: 'budget'; readonly index: number; readonly spent: bigint; readonly held: bigint }

/** What is decided about a demand. */
export type Decision =
  | { readonly kind: 'granted'; readonly reservation: Reservation; readonly rates: readonly RateState[] }
  | Refusal

/** Is thrown where the limits can't be decided by now: their store is down, or all slots are in use. */
export class LimiterError extends Error {}

/**
 * Decides by counters that all processes (or nodes) share, each in one atomic step. A decision that needs no other machine, nor the books, is
 * given at once: a promise would cost more than it.
 *
 * @example
 * const deciding = limiter.decide(demand, Date.now())
 * const decision = deciding instanceof Promise ? await deciding : deciding
 */
export interface Limiter {
  /** `now`: milliseconds since 1970. Throws, or rejects with, a `LimiterError`. */
  readonly decide: (demand: CallDemand, now: number) => Decision | Promise<Decision>
  /** What is spent and held in a budget's window now, in nano-dollars. Rejects with a `LimiterError`. */
  readonly look: (budget: BudgetDemand) => Promise<{ readonly spent: bigint; readonly held: bigint }>
  /**
   * Has budgets read from the books again before anything is decided by them: something was booked in them that no reservation knows of.
   * Rejects with a `LimiterError`.
   */
  readonly distrust: (budgets: readonly BudgetDemand[]) => Promise<void>
  /** Whether it can decide now; the reason where it can't. */
  readonly state: () => 'ok' | { readonly down: string }
  readonly close: () => Promise<void>
}
