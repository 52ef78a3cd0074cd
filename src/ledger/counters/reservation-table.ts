import type { CounterTable } from './counter-table.ts'
import {
  BUDGETS_MAX,
  RESERVATION_FIELD as FIELD,
  PLACES_MAX,
  type ReservationSlots,
  RESERVATION_STATE as STATE,
} from './reservation-slots.ts'

/** A counter of money, and its limit in nano-dollars. */
export interface HeldBudget {
  readonly slot: number
  /** The digest of its name: whether it is still there is looked at after it holds the amount. */
  readonly name: bigint
  readonly limit: bigint
}

/** A counter of calls under way, and its limit. */
export interface HeldPlace {
  readonly slot: number
  readonly name: bigint
  readonly limit: number
}

/** What is asked for before a call is made. */
export interface Holding {
  /** The most that the call can cost, in nano-dollars. */
  readonly amount: bigint
  readonly budgets: readonly HeldBudget[]
  readonly places: readonly HeldPlace[]
}

/** A reservation by its slot; or the budget or places that allow none, by their index; `moved`: a counter is elsewhere now. */
export type Reserved =
  | { readonly kind: 'reserved'; readonly slot: number }
  | { readonly kind: 'budget'; readonly index: number }
  | { readonly kind: 'place'; readonly index: number }
  | { readonly kind: 'full' }
  | { readonly kind: 'moved' }

/**
 * The calls under way on a machine, each with what is held for it, and those that have ended and are not booked yet. A reservation ends
 * exactly once, also where its process is killed at any moment: another process, or the next one, ends it (`adopt`).
 */
export class ReservationTable {
  readonly #slots: ReservationSlots
  readonly #counters: CounterTable

  constructor(slots: ReservationSlots, counters: CounterTable) {
    this.#slots = slots
    this.#counters = counters
  }

  /** Holds the amount in all budgets and takes a place in each, or does neither. */
  reserve({ amount, budgets, places }: Holding): Reserved {
    if (budgets.length > BUDGETS_MAX || places.length > PLACES_MAX) throw new Error('A call has too many limits.')
    const slot = this.#slots.take()
    if (slot === undefined) return { kind: 'full' }
    this.#slots.setAmount(slot, amount)
    let index = 0
    for (const { slot: counter, name, limit } of budgets) {
      this.#begin(slot, index, counter)
      if (!this.#counters.hold(counter, amount, limit)) return this.#giveBack(slot, { kind: 'budget', index })
      this.#hasMoney(slot, index)
      if (!this.#counters.slots.isOf(counter, name)) return this.#giveBack(slot, { kind: 'moved' })
      index += 1
    }
    index = 0
    for (const { slot: counter, name, limit } of places) {
      this.#begin(slot, BUDGETS_MAX + index, counter)
      if (!this.#counters.enter(counter, limit)) return this.#giveBack(slot, { kind: 'place', index })
      this.#hasPlace(slot, index)
      if (!this.#counters.slots.isOf(counter, name)) return this.#giveBack(slot, { kind: 'moved' })
      index += 1
    }
    return { kind: 'reserved', slot }
  }

  /** Ends a reservation with what the call has cost, in nano-dollars. It is to be called once. */
  end(slot: number, spent: bigint): void {
    this.#slots.see(slot, spent)
    this.finish(slot)
  }

  /** Counts what was seen as spent, and gives back the rest. A process that is killed here leaves the rest of the work to `adopt`. */
  finish(slot: number): void {
    const slots = this.#slots
    slots.setState(slot, STATE.ending)
    const amount = slots.amount(slot)
    const spent = slots.seen(slot)
    for (let left = slots.get(slot, FIELD.applied); left > 0; left -= 1) {
      slots.set(slot, FIELD.pending, left)
      slots.set(slot, FIELD.applied, left - 1)
      this.#counters.settle(slots.get(slot, FIELD.budget + left - 1), amount, spent)
      slots.set(slot, FIELD.pending, 0)
    }
    for (let left = slots.get(slot, FIELD.places); left > 0; left -= 1) {
      slots.set(slot, FIELD.pending, BUDGETS_MAX + left)
      slots.set(slot, FIELD.places, left - 1)
      this.#counters.leave(slots.get(slot, FIELD.place + left - 1))
      slots.set(slot, FIELD.pending, 0)
    }
    slots.setState(slot, STATE.ended)
  }

  /** Counters of money that have calls which have ended and are not booked yet, and those in the middle of their end. */
  unbooked(): ReadonlySet<number> {
    const found = new Set<number>()
    for (let slot = 0; slot < this.#slots.used; slot += 1) {
      if (this.#slots.state(slot) < STATE.ending) continue
      for (let index = 0; index < this.#slots.get(slot, FIELD.budgets); index += 1)
        found.add(this.#slots.get(slot, FIELD.budget + index))
    }
    return found
  }

  /** Begins a step of a reservation. The words say at each moment whether it was made, is being made, or was not. */
  #begin(slot: number, step: number, counter: number): void {
    this.#slots.set(slot, FIELD.budget + step, counter)
    this.#slots.set(slot, FIELD.pending, step + 1)
  }

  #hasMoney(slot: number, index: number): void {
    const slots = this.#slots
    slots.set(slot, FIELD.budgets, index + 1)
    slots.set(slot, FIELD.applied, index + 1)
    slots.set(slot, FIELD.pending, 0)
  }

  #hasPlace(slot: number, index: number): void {
    this.#slots.set(slot, FIELD.places, index + 1)
    this.#slots.set(slot, FIELD.pending, 0)
  }

  #giveBack(slot: number, why: Reserved): Reserved {
    // Of a step that was refused nothing was changed.
    this.#slots.set(slot, FIELD.pending, 0)
    this.finish(slot)
    this.#slots.free(slot)
    return why
  }
}
