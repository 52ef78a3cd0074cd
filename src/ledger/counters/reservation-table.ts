import type { CounterTable } from './counter-table.ts'
import type { TableMemory } from './mapped-memory.ts'
import type { ProcessSeat } from './process-seat.ts'

/** Bytes of a reservation: its numbers, and its record as JSON. */
const SLOT_BYTES = 1024
const RECORD_AT = 128
/** The length of the longest record, in bytes. */
export const RECORD_BYTES_MAX = SLOT_BYTES - RECORD_AT

/** 32-bit words of a reservation. */
const STATE = 0
const OWNER = 1
/** How many money counters hold the amount now. */
const APPLIED = 3
const PLACES = 4
const RECORD_LENGTH = 5
const MONEY = 6
const MONEY_MAX = 8
const PLACE = 14
/** The step that is being made, whose counter may or may not have been changed; 0: none. */
const PENDING = 18
const PLACES_MAX = 4
/** 64-bit words of a reservation, behind those. */
const AMOUNT = 10
const SEEN = 11

/** How often a counter is counted again before it is left as it is, until the next time. */
const RECOUNTS_MAX = 10_000

/** The states of a reservation: nobody's; a call is under way; its end is being counted; it has ended, and is not in the books yet. */
const FREE = 0
const OPEN = 1
const ENDING = 2
const ENDED = 3

/** A counter of money and its limit. */
export interface Budget {
  readonly slot: number
  readonly limit: bigint
}

/** A counter of calls under way and its limit. */
export interface PlaceLimit {
  readonly slot: number
  readonly limit: number
}

/** What is asked for before a call is made. */
export interface Demand {
  /** The most that the call can cost. */
  readonly amount: bigint
  readonly budgets: readonly Budget[]
  readonly places: readonly PlaceLimit[]
}

/** A reservation that was made, or the budget or places that allow none, by their index. */
export type Reserved =
  | { readonly slot: number }
  | { readonly refusedBudget: number }
  | { readonly refusedPlaces: number }
  | 'full'

/** A reservation that has ended and waits to be booked. */
export interface Ended {
  readonly slot: number
  /** undefined: its process was killed while it wrote the record. */
  readonly record: Uint8Array | undefined
  /** What it is charged with. */
  readonly spent: bigint
  /** Whether its process died before its end. */
  readonly isInterrupted: boolean
}

/**
 * The calls under way on a machine, each with what is held for it, and those that have ended and are not booked yet. A reservation ends
 * exactly once, also where its process is killed at any moment: another process, or the next one, ends it with what was seen of the call.
 *
 * @example
 * const reserved = reservations.reserve({ amount, budgets, places }, record)
 * reservations.end(slot, cost, finalRecord)
 * reservations.booked(slot)
 */
export class ReservationTable {
  readonly #memory: TableMemory
  readonly #slots: number
  readonly #counters: CounterTable
  readonly #seat: ProcessSeat
  #next = 0

  /** `slots`: how many calls may be under way or not booked yet. */
  constructor(memory: TableMemory, slots: number, counters: CounterTable, seat: ProcessSeat) {
    this.#memory = memory
    this.#slots = slots
    this.#counters = counters
    this.#seat = seat
    this.#next = Math.floor((seat.number * slots) / 64)
  }

  /** Bytes of a table with so many slots. */
  static bytesOf(slots: number): number {
    return slots * SLOT_BYTES
  }

  /** Holds the amount in all budgets and takes a place in each, or does neither. `record`: what is booked where this process dies. */
  reserve({ amount, budgets, places }: Demand, record: Uint8Array): Reserved {
    if (budgets.length > MONEY_MAX || places.length > PLACES_MAX) throw new Error('A call has too many limits.')
    const slot = this.#take()
    if (slot === undefined) return 'full'
    const { halves, words } = this.#memory
    const at = slot * (SLOT_BYTES / 4)
    words[slot * (SLOT_BYTES / 8) + AMOUNT] = amount
    words[slot * (SLOT_BYTES / 8) + SEEN] = 0n
    this.#write(slot, record)
    for (const [index, { slot: counter, limit }] of budgets.entries()) {
      halves[at + MONEY + index] = counter
      Atomics.store(halves, at + PENDING, index + 1)
      const isHeld = this.#counters.hold(counter, amount, limit)
      if (isHeld) halves[at + APPLIED] = index + 1
      Atomics.store(halves, at + PENDING, 0)
      if (isHeld) continue
      this.#release(slot)
      return { refusedBudget: index }
    }
    for (const [index, { slot: counter, limit }] of places.entries()) {
      halves[at + PLACE + index] = counter
      Atomics.store(halves, at + PENDING, MONEY_MAX + index + 1)
      const isIn = this.#counters.enter(counter, limit)
      if (isIn) halves[at + PLACES] = index + 1
      Atomics.store(halves, at + PENDING, 0)
      if (isIn) continue
      this.#release(slot)
      return { refusedPlaces: index }
    }
    return { slot }
  }

  /** Notes what the call is known to have cost so far: what is charged where its process dies. */
  see(slot: number, cost: bigint): void {
    this.#memory.words[slot * (SLOT_BYTES / 8) + SEEN] = cost
  }

  /** Ends a reservation with what the call has cost. Only the first call of this counts. */
  end(slot: number, spent: bigint, record: Uint8Array): void {
    const at = slot * (SLOT_BYTES / 4)
    if (Atomics.load(this.#memory.halves, at + STATE) !== OPEN) return
    this.#write(slot, record)
    this.see(slot, spent)
    this.#finish(slot)
  }

  /** Frees the place of a reservation that is in the books. */
  booked(slot: number): void {
    Atomics.store(this.#memory.halves, slot * (SLOT_BYTES / 4) + STATE, FREE)
  }

  /**
   * Ends what processes that are gone have left, this one's own seat included where `isStart`. Gives all of theirs that wait to be booked,
   * which are this process's from now on.
   */
  adopt(isStart: boolean): readonly Ended[] {
    const { halves } = this.#memory
    const adopted: Ended[] = []
    const gone = new Map<number, boolean>()
    for (let slot = 0; slot < this.#slots; slot += 1) {
      const at = slot * (SLOT_BYTES / 4)
      const state = Atomics.load(halves, at + STATE)
      if (state === FREE) continue
      const owner = Atomics.load(halves, at + OWNER)
      const isGone = gone.get(owner) ?? (owner === this.#seat.number ? isStart : !this.#seat.isTaken(owner))
      gone.set(owner, isGone)
      if (!isGone) continue
      if (owner !== this.#seat.number) {
        if (Atomics.compareExchange(halves, at + OWNER, owner, this.#seat.number) !== owner) continue
      }
      const pending = Atomics.load(halves, at + PENDING)
      if (state !== ENDED) this.#finish(slot)
      if (pending !== 0) this.#recount(at, pending)
      adopted.push({ ...this.#ended(slot), isInterrupted: state === OPEN })
    }
    return adopted
  }

  /**
   * Counts again what a counter holds, where a process was killed in the middle of changing it: the sum over all reservations, once no other
   * process is in the middle of a change of its own.
   */
  #recount(at: number, pending: number): void {
    const { halves } = this.#memory
    const isMoney = pending <= MONEY_MAX
    const counter = halves[at + (isMoney ? MONEY + pending - 1 : PLACE + pending - MONEY_MAX - 1)] ?? 0
    halves[at + PENDING] = 0
    for (let tries = 0; tries < RECOUNTS_MAX; tries += 1) {
      const before = isMoney ? this.#counters.held(counter) : BigInt(this.#counters.count(counter))
      const sum = this.#sumOf(counter, isMoney)
      if (sum === undefined || sum !== this.#sumOf(counter, isMoney)) continue
      if (this.#counters.correct(counter, isMoney, before, sum)) return
    }
  }

  /** What all reservations hold in a counter; undefined: one is being changed. */
  #sumOf(counter: number, isMoney: boolean): bigint | undefined {
    const { halves, words } = this.#memory
    let sum = 0n
    for (let slot = 0; slot < this.#slots; slot += 1) {
      const at = slot * (SLOT_BYTES / 4)
      if (Atomics.load(halves, at + STATE) === FREE) continue
      if (Atomics.load(halves, at + PENDING) !== 0) return undefined
      const [count, first] = isMoney ? [halves[at + APPLIED], MONEY] : [halves[at + PLACES], PLACE]
      for (let index = 0; index < (count ?? 0); index += 1)
        if (halves[at + first + index] === counter)
          sum += isMoney ? (words[slot * (SLOT_BYTES / 8) + AMOUNT] ?? 0n) : 1n
    }
    return sum
  }

  /** Takes a slot that is nobody's. */
  #take(): number | undefined {
    const { halves } = this.#memory
    for (let step = 0; step < this.#slots; step += 1) {
      const slot = this.#next
      this.#next = slot + 1 === this.#slots ? 0 : slot + 1
      const at = slot * (SLOT_BYTES / 4)
      if (Atomics.load(halves, at + STATE) !== FREE) continue
      if (Atomics.compareExchange(halves, at + STATE, FREE, OPEN) !== FREE) continue
      halves[at + OWNER] = this.#seat.number
      halves[at + APPLIED] = 0
      halves[at + PLACES] = 0
      halves[at + PENDING] = 0
      return slot
    }
    return undefined
  }

  /** Gives back what has been taken so far, and the slot. */
  #release(slot: number): void {
    this.see(slot, 0n)
    this.#finish(slot)
    this.booked(slot)
  }

  /** Counts what was seen as spent, and gives back the rest. A process that is killed here leaves the rest of the work to `adopt`. */
  #finish(slot: number): void {
    const { halves, words } = this.#memory
    const at = slot * (SLOT_BYTES / 4)
    Atomics.store(halves, at + STATE, ENDING)
    const amount = words[slot * (SLOT_BYTES / 8) + AMOUNT] ?? 0n
    const spent = words[slot * (SLOT_BYTES / 8) + SEEN] ?? 0n
    for (let left = halves[at + APPLIED] ?? 0; left > 0; left -= 1) {
      Atomics.store(halves, at + PENDING, left)
      halves[at + APPLIED] = left - 1
      this.#counters.settle(halves[at + MONEY + left - 1] ?? 0, amount, spent)
      Atomics.store(halves, at + PENDING, 0)
    }
    for (let left = halves[at + PLACES] ?? 0; left > 0; left -= 1) {
      Atomics.store(halves, at + PENDING, MONEY_MAX + left)
      halves[at + PLACES] = left - 1
      this.#counters.leave(halves[at + PLACE + left - 1] ?? 0)
      Atomics.store(halves, at + PENDING, 0)
    }
    Atomics.store(halves, at + STATE, ENDED)
  }

  #ended(slot: number): Omit<Ended, 'isInterrupted'> {
    const { halves, words, bytes } = this.#memory
    const length = halves[slot * (SLOT_BYTES / 4) + RECORD_LENGTH] ?? 0
    const from = slot * SLOT_BYTES + RECORD_AT
    const record = length === 0 ? undefined : bytes.slice(from, from + length)
    return { slot, record, spent: words[slot * (SLOT_BYTES / 8) + SEEN] ?? 0n }
  }

  /** Writes a record. Its length comes last: one that is unfinished is none. */
  #write(slot: number, record: Uint8Array): void {
    const { halves, bytes } = this.#memory
    const length = slot * (SLOT_BYTES / 4) + RECORD_LENGTH
    Atomics.store(halves, length, 0)
    bytes.set(record.subarray(0, RECORD_BYTES_MAX), slot * SLOT_BYTES + RECORD_AT)
    Atomics.store(halves, length, Math.min(record.byteLength, RECORD_BYTES_MAX))
  }
}
