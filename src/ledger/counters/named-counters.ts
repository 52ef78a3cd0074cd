import { BoundedMemo } from '../../formats/bounded-memo.ts'
import type { BudgetDemand } from '../limiter.ts'
import { CountersFullError } from './counter-slots.ts'
import type { CounterTable } from './counter-table.ts'

/** A counter by its name. */
export interface NamedCounter {
  readonly name: bigint
  /** Where it was found last. */
  slot: number
}

/** A counter of money, by what it counts. */
export interface BudgetCounter extends NamedCounter {
  readonly keyId: string | undefined
  readonly projectId: string | undefined
  readonly from: number
  readonly to: number
  /** What had been spent when it was last compared with the books, in nano-dollars; undefined: it was not yet. */
  compared: bigint | undefined
}

/** So many names are remembered. */
const NAMES_MAX = 65_536
/** Counters that were not used for so long are removed where there is no room, in seconds: the first that gives some. */
const UNUSED_FOR_S = [7 * 86_400, 86_400, 3600, 600, 60, 2]

/** Finds counters by their names: one look into a map for a caller who comes again. */
export class NamedCounters {
  readonly #counters: CounterTable
  readonly #unbooked: () => ReadonlySet<number>
  readonly #rates = new BoundedMemo<NamedCounter>({ entriesMax: NAMES_MAX })
  readonly #places = new BoundedMemo<NamedCounter>({ entriesMax: NAMES_MAX })
  /** Those of one scope in all its windows. */
  readonly #budgets = new BoundedMemo<BudgetCounter[]>({ entriesMax: NAMES_MAX })

  /** `unbooked`: counters of money that calls are not booked of yet. */
  constructor(counters: CounterTable, unbooked: () => ReadonlySet<number>) {
    this.#counters = counters
    this.#unbooked = unbooked
  }

  /** The counter of a token bucket. `now`: milliseconds since 1970. Throws a `CountersFullError`. */
  rate(name: string, now: number): NamedCounter {
    return this.#there(this.#rates.get(name) ?? this.#rates.set(name, named(`rate ${name}`)), now)
  }

  /** The counter of calls under way. Likewise. */
  place(name: string, now: number): NamedCounter {
    return this.#there(this.#places.get(name) ?? this.#places.set(name, named(`place ${name}`)), now)
  }

  /** The counter of a budget. Likewise. */
  budget(demand: Pick<BudgetDemand, 'keyId' | 'projectId' | 'from' | 'to'>, now: number): BudgetCounter {
    const { keyId, projectId, from, to } = demand
    const scope = keyId ?? projectId ?? ''
    const known = this.#budgets.get(scope)
    if (known !== undefined)
      for (const one of known)
        if (one.from === from && one.to === to && one.keyId === keyId && one.projectId === projectId)
          return this.#there(one, now)
    const made = {
      ...named(`budget ${keyId ?? ''} ${projectId ?? ''} ${from} ${to}`),
      ...{ keyId, projectId, from, to, compared: undefined },
    }
    const current = known?.filter((one) => one.to * 1000 > now) ?? []
    this.#budgets.set(scope, [...current, made])
    return this.#there(made, now)
  }

  /** The budgets that are remembered. */
  *budgets(): Generator<BudgetCounter> {
    for (const ofScope of this.#budgets.values()) yield* ofScope
  }

  #there<T extends NamedCounter>(counter: T, now: number): T {
    const { slots } = this.#counters
    const seconds = Math.floor(now / 1000)
    if (counter.slot === -1 || !slots.isOf(counter.slot, counter.name)) counter.slot = this.#find(counter.name, now)
    slots.touch(counter.slot, seconds)
    return counter
  }

  #find(name: bigint, now: number): number {
    const { slots } = this.#counters
    const seconds = Math.floor(now / 1000)
    try {
      return slots.slotOf(name, seconds)
    } catch (cause) {
      if (!(cause instanceof CountersFullError)) throw cause
      const isIdle = (slot: number): boolean => this.#counters.isIdle(slot, now)
      UNUSED_FOR_S.some(
        (unused) => slots.removeUnused({ before: seconds - unused, isIdle, unbooked: this.#unbooked }) > 0,
      )
      return slots.slotOf(name, seconds)
    }
  }
}

function named(name: string): NamedCounter {
  return { name: BigInt.asIntN(64, Bun.hash.xxHash64(name)), slot: -1 }
}
