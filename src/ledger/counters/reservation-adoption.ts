import type { CounterTable } from './counter-table.ts'
import type { ProcessSeat } from './process-seat.ts'
import {
  BUDGETS_MAX,
  RESERVATION_FIELD as FIELD,
  type ReservationSlots,
  RESERVATION_STATE as STATE,
} from './reservation-slots.ts'
import type { ReservationTable } from './reservation-table.ts'

/** How often a counter is counted again before it is left as it is, until the next time. */
const RECOUNTS_MAX = 1000

/** A reservation of a process that is gone. It has ended now, and waits to be booked. */
export interface Adopted {
  readonly slot: number
  /** undefined: nothing is to be booked of it. */
  readonly record: string | undefined
  /** What it is charged with, in nano-dollars. */
  readonly spent: bigint
  /** Whether its process ended before it did. */
  readonly isInterrupted: boolean
}

/** Ends what processes that are gone have left under way, and puts right the counters that one was killed in the middle of changing. */
export class ReservationAdoption {
  readonly #slots: ReservationSlots
  readonly #table: ReservationTable
  readonly #counters: CounterTable
  readonly #seat: ProcessSeat

  constructor(slots: ReservationSlots, table: ReservationTable, counters: CounterTable, seat: ProcessSeat) {
    this.#slots = slots
    this.#table = table
    this.#counters = counters
    this.#seat = seat
  }

  /**
   * Gives all that gone processes have left, which is this process's from now on. `isStart`: this process has none of its own yet, and what
   * there is in its seat is of one before it.
   */
  adopt(isStart: boolean): readonly Adopted[] {
    const left = new Map<number, number[]>()
    for (let slot = 0; slot < this.#slots.used; slot += 1) {
      const owner = this.#slots.owner(slot)
      if (owner === -1 || (owner === this.#seat.number && !isStart && !this.#isDoubtful(slot))) continue
      const slots = left.get(owner)
      if (slots === undefined) left.set(owner, [slot])
      else slots.push(slot)
    }
    const ended = [...left].flatMap(([owner, slots]) => {
      const end = (): number[] => slots.filter((slot) => this.#end(slot, owner))
      return owner === this.#seat.number ? end() : (this.#seat.ifGone(owner, end) ?? [])
    })
    // Where a counter can't be counted now, it is tried again at the next time.
    return ended
      .filter((slot) => this.#settleDoubts(slot))
      .map((slot) => ({
        slot,
        record: this.#slots.record(slot),
        spent: this.#slots.seen(slot),
        isInterrupted: this.#slots.get(slot, FIELD.isInterrupted) === 1,
      }))
  }

  /** Ends one of a process that is gone, and of which no other one can take the seat meanwhile. Gives whether it was still there. */
  #end(slot: number, owner: number): boolean {
    const slots = this.#slots
    const state = slots.state(slot)
    if (state === STATE.free || slots.owner(slot) !== owner) return false
    const pending = slots.get(slot, FIELD.pending)
    if (pending !== 0) {
      slots.set(slot, FIELD.doubts, slots.get(slot, FIELD.doubts) | (1 << (pending - 1)))
      // Money that was being spent: whether it was counted, only the books know.
      if (state !== STATE.open && pending <= BUDGETS_MAX)
        this.#counters.doubt(slots.get(slot, FIELD.budget + pending - 1))
      slots.set(slot, FIELD.pending, 0)
    }
    if (state === STATE.open) slots.set(slot, FIELD.isInterrupted, 1)
    if (state === STATE.ended) slots.setState(slot, STATE.ended)
    else this.#table.finish(slot)
    return true
  }

  #isDoubtful(slot: number): boolean {
    return this.#slots.state(slot) === STATE.ended && this.#slots.get(slot, FIELD.doubts) !== 0
  }

  #settleDoubts(slot: number): boolean {
    const slots = this.#slots
    for (let doubts = slots.get(slot, FIELD.doubts); doubts !== 0; doubts &= doubts - 1) {
      const step = 31 - Math.clz32(doubts & -doubts)
      if (!this.#recount(slots.get(slot, FIELD.budget + step), step < BUDGETS_MAX)) return false
    }
    slots.set(slot, FIELD.doubts, 0)
    return true
  }

  /** Sets a counter to the sum over all reservations, once no other process is in the middle of a change. */
  #recount(counter: number, isMoney: boolean): boolean {
    for (let tries = 0; tries < RECOUNTS_MAX; tries += 1) {
      const held = this.#counters.held(counter)
      const count = this.#counters.count(counter)
      const sum = this.#sumOf(counter, isMoney)
      if (sum === undefined || sum !== this.#sumOf(counter, isMoney)) continue
      const isRight = isMoney
        ? this.#counters.correctHeld(counter, held, sum)
        : this.#counters.correctCount(counter, count, Number(sum))
      if (isRight) return true
    }
    return false
  }

  /** What all reservations hold in a counter, money or places; undefined: one is being changed. */
  #sumOf(counter: number, isMoney: boolean): bigint | undefined {
    const slots = this.#slots
    let sum = 0n
    for (let slot = 0; slot < slots.used; slot += 1) {
      if (slots.state(slot) === STATE.free) continue
      if (slots.get(slot, FIELD.pending) !== 0) return undefined
      const count = slots.get(slot, isMoney ? FIELD.applied : FIELD.places)
      const first = isMoney ? FIELD.budget : FIELD.place
      for (let index = 0; index < count; index += 1)
        if (slots.get(slot, first + index) === counter) sum += isMoney ? slots.amount(slot) : 1n
    }
    return sum
  }
}
