import { partOfMemory, type TableMemory } from './mapped-memory.ts'
import type { ProcessSeat } from './process-seat.ts'

/** 32-bit words of a reservation's head. Of the table's own head, the first one counts the slots that have ever been used. */
const HEAD_HALVES = 32
const HEAD_BYTES = HEAD_HALVES * 4
/** Two records: one is written while the other counts. */
const RECORD_BYTES = 2048

/** The most budgets and places of one reservation. */
export const BUDGETS_MAX = 12
/** See there. */
export const PLACES_MAX = 4

/** The states of a reservation: nobody's; a call is under way; its end is being counted; it has ended, and is not in the books yet. */
export const RESERVATION_STATE = { free: 0, open: 1, ending: 2, ended: 3 } as const

/** The 32-bit words of a reservation. */
export const RESERVATION_FIELD = {
  /** How many budgets it has, how many of them hold the amount now, and how many places it has now. */
  budgets: 1,
  applied: 2,
  places: 3,
  /** The step that is being made, whose counter may or may not have been changed, counted from 1; 0: none. */
  pending: 4,
  /** The steps that a process was killed in, as bits: their counters are to be counted again. */
  doubts: 5,
  /** 1: its process was gone before its end. */
  isInterrupted: 7,
  /** The counters of its budgets and places. */
  budget: 12,
  place: 12 + BUDGETS_MAX,
} as const

const STATE = 0
const RECORD = 6
/** 64-bit words of a reservation, between those. */
const AMOUNT = 4
const SEEN = 5

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The places of reservations in memory that processes share, each with numbers, counters and a record. */
export class ReservationSlots {
  readonly #slots: number
  readonly #halves: Int32Array
  readonly #words: BigInt64Array
  readonly #records: Uint8Array
  readonly #seat: ProcessSeat
  /** Those that this process has used last: so memory that is in the processor's cache is used again. */
  readonly #lately: number[] = []
  #next = 0

  /** `slots`: how many calls may be under way or not booked yet. */
  constructor(memory: TableMemory, slots: number, seat: ProcessSeat) {
    const heads = partOfMemory(memory, 0, (slots + 1) * HEAD_BYTES)
    this.#slots = slots
    this.#halves = heads.halves
    this.#words = heads.words
    this.#records = partOfMemory(memory, (slots + 1) * HEAD_BYTES, slots * RECORD_BYTES * 2).bytes
    this.#seat = seat
  }

  /** Bytes of a table with so many slots. */
  static bytesOf(slots: number): number {
    return (slots + 1) * HEAD_BYTES + slots * RECORD_BYTES * 2
  }

  /** How many slots have ever been used: no look has to go further. */
  get used(): number {
    return Atomics.load(this.#halves, 0)
  }

  /** Takes a slot that is nobody's; undefined: there is none. */
  take(): number | undefined {
    for (;;) {
      const slot = this.#lately.pop() ?? this.#findFree()
      if (slot === undefined) return undefined
      const open = RESERVATION_STATE.open | ((this.#seat.number + 1) << 8)
      if (Atomics.compareExchange(this.#halves, halfOf(slot), RESERVATION_STATE.free, open) !== 0) continue
      if (slot >= this.used) this.#grow(slot + 1)
      return slot
    }
  }

  /** Gives a slot back, empty. */
  free(slot: number): void {
    const at = halfOf(slot)
    // What was seen goes before its record: a process that is killed in between has it booked again, which counts once.
    this.#words.fill(0n, (at >> 1) + AMOUNT, (at >> 1) + SEEN + 1)
    this.#halves.fill(0, at + STATE + 1, at + AMOUNT * 2)
    Atomics.store(this.#halves, at + STATE, RESERVATION_STATE.free)
    this.#lately.push(slot)
  }

  /** Its state. */
  state(slot: number): number {
    return Atomics.load(this.#halves, halfOf(slot) + STATE) & 0xff
  }

  /** The seat of the process whose it is; -1: nobody's. */
  owner(slot: number): number {
    return (Atomics.load(this.#halves, halfOf(slot) + STATE) >> 8) - 1
  }

  /** Sets its state; it is this process's from then on. */
  setState(slot: number, state: number): void {
    Atomics.store(this.#halves, halfOf(slot) + STATE, state | ((this.#seat.number + 1) << 8))
  }

  /** One of its `RESERVATION_FIELD`s. */
  get(slot: number, field: number): number {
    return this.#halves[halfOf(slot) + field] ?? 0
  }

  /** Sets one, before all that is done afterwards. */
  set(slot: number, field: number, value: number): void {
    Atomics.store(this.#halves, halfOf(slot) + field, value)
  }

  /** What is held in each of its budgets. */
  amount(slot: number): bigint {
    return this.#words[(halfOf(slot) >> 1) + AMOUNT] ?? 0n
  }

  /** Sets that, before anything is held. */
  setAmount(slot: number, amount: bigint): void {
    this.#words[(halfOf(slot) >> 1) + AMOUNT] = amount
  }

  /** What the call is known to have cost. */
  seen(slot: number): bigint {
    return this.#words[(halfOf(slot) >> 1) + SEEN] ?? 0n
  }

  /** Notes that. */
  see(slot: number, cost: bigint): void {
    this.#words[(halfOf(slot) >> 1) + SEEN] = cost
  }

  /** Its record; undefined: none. */
  record(slot: number): string | undefined {
    const mark = Atomics.load(this.#halves, halfOf(slot) + RECORD)
    if (mark === 0) return undefined
    const from = recordAt(slot, mark & 1)
    return decoder.decode(this.#records.subarray(from, from + (mark >> 1)))
  }

  /** Writes a record in place of the last one, which counts until all of it is there; false: it is too long. undefined: none. */
  write(slot: number, record: string | undefined): boolean {
    const at = halfOf(slot) + RECORD
    const half = 1 - (Atomics.load(this.#halves, at) & 1)
    const from = recordAt(slot, half)
    const { read, written } =
      record === undefined
        ? { read: 0, written: 0 }
        : encoder.encodeInto(record, this.#records.subarray(from, from + RECORD_BYTES))
    if (read < (record?.length ?? 0)) return false
    Atomics.store(this.#halves, at, written === 0 ? 0 : (written << 1) | half)
    return true
  }

  #findFree(): number | undefined {
    for (let step = 0; step < this.#slots; step += 1) {
      const slot = this.#next
      this.#next = slot + 1 === this.#slots ? 0 : slot + 1
      if (Atomics.load(this.#halves, halfOf(slot) + STATE) === RESERVATION_STATE.free) return slot
    }
    return undefined
  }

  #grow(to: number): void {
    for (;;) {
      const before = this.used
      if (before >= to || Atomics.compareExchange(this.#halves, 0, before, to) === before) return
    }
  }
}

/** The first 32-bit word of a slot. */
function halfOf(slot: number): number {
  return (slot + 1) * HEAD_HALVES
}

function recordAt(slot: number, half: number): number {
  return (slot * 2 + half) * RECORD_BYTES
}
