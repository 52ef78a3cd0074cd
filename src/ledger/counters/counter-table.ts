import { COUNTER_WORDS, CounterSlots } from './counter-slots.ts'
import type { TableMemory } from './mapped-memory.ts'
import type { ProcessLock } from './process-lock.ts'

/** 64-bit words of a counter. */
const SPENT = 1
const HELD = 2
const TIME = 3
/** 32-bit words of a counter, behind those. */
const COUNT = 8
const IS_KNOWN = 10

/**
 * Counters that all processes of a machine decide by, in memory that they share. A counter is found by the digest of its name, and made at
 * its first use. Each change is one atomic operation: no decision waits for another process, and none is made on an old number.
 */
export class CounterTable {
  readonly slots: CounterSlots
  readonly #words: BigInt64Array
  readonly #halves: Int32Array
  readonly #lock: ProcessLock

  /** `slots`: how many counters there may be, a power of two. */
  constructor(memory: TableMemory, slots: number, lock: ProcessLock) {
    this.slots = new CounterSlots(memory, slots, lock)
    this.#words = memory.words
    this.#halves = memory.halves
    this.#lock = lock
  }

  /** Bytes of a table with so many slots. */
  static bytesOf(slots: number): number {
    return slots * COUNTER_WORDS * 8
  }

  /**
   * Holds an amount for a call under way, unless more than `limit` would then be spent and held together. Of several who ask at once, those
   * that fit get it.
   */
  hold(slot: number, amount: bigint, limit: bigint): boolean {
    for (;;) {
      const held = Atomics.load(this.#words, slot + HELD)
      if (Atomics.load(this.#words, slot + SPENT) + held + amount > limit) return false
      if (Atomics.compareExchange(this.#words, slot + HELD, held, held + amount) !== held) continue
      // Between the look and the hold, another call may have ended and a third one begun: what is spent is looked at again.
      if (Atomics.load(this.#words, slot + SPENT) + held + amount <= limit) return true
      Atomics.sub(this.#words, slot + HELD, amount)
    }
  }

  /** Ends a hold: `spent` of it is spent, the rest is free again. More than was held may have been spent. */
  settle(slot: number, held: bigint, spent: bigint): void {
    // In this order: between the two, the amount counts twice rather than not at all.
    if (spent !== 0n) Atomics.add(this.#words, slot + SPENT, spent)
    if (held !== 0n) Atomics.sub(this.#words, slot + HELD, held)
  }

  /** What has been spent. */
  spent(slot: number): bigint {
    return Atomics.load(this.#words, slot + SPENT)
  }

  /** What is held for calls under way. */
  held(slot: number): bigint {
    return Atomics.load(this.#words, slot + HELD)
  }

  /** Whether what has been spent is known: a new counter has to be told it. */
  isKnown(slot: number): boolean {
    return Atomics.load(this.#halves, slot * 2 + IS_KNOWN) === 1
  }

  /** Notes that what has been spent is not known for certain. */
  doubt(slot: number): void {
    Atomics.store(this.#halves, slot * 2 + IS_KNOWN, 0)
  }

  /** Tells a counter what has been spent, unless that has changed since `before` was read. Gives whether it knows now. */
  tell(slot: number, name: bigint, before: bigint, spent: bigint): boolean {
    return this.#lock.run(() => {
      if (!this.slots.isOf(slot, name)) return false
      if (Atomics.compareExchange(this.#words, slot + SPENT, before, spent) !== before) return false
      Atomics.store(this.#halves, slot * 2 + IS_KNOWN, 1)
      return true
    })
  }

  /** Takes a place among calls under way, unless `limit` are taken. `leave` gives it back. */
  enter(slot: number, limit: number): boolean {
    const at = slot * 2 + COUNT
    for (;;) {
      const count = Atomics.load(this.#halves, at)
      if (count >= limit) return false
      if (Atomics.compareExchange(this.#halves, at, count, count + 1) === count) return true
    }
  }

  /** Gives a place back. */
  leave(slot: number): void {
    Atomics.sub(this.#halves, slot * 2 + COUNT, 1)
  }

  /** Calls under way. */
  count(slot: number): number {
    return Atomics.load(this.#halves, slot * 2 + COUNT)
  }

  /** Puts right what is held, unless another process has changed it since. */
  correctHeld(slot: number, before: bigint, to: bigint): boolean {
    return Atomics.compareExchange(this.#words, slot + HELD, before, to) === before
  }

  /** Puts right how many calls are under way, likewise. */
  correctCount(slot: number, before: number, to: number): boolean {
    return Atomics.compareExchange(this.#halves, slot * 2 + COUNT, before, to) === before
  }

  /** The time up to which a token bucket has been used, in nanoseconds since 1970; 0: never. */
  time(slot: number): bigint {
    return Atomics.load(this.#words, slot + TIME)
  }

  /** Moves that time, unless another process has just done so. */
  moveTime(slot: number, from: bigint, to: bigint): boolean {
    return Atomics.compareExchange(this.#words, slot + TIME, from, to) === from
  }

  /** Whether nothing is lost where it is removed: nothing is held in it, and its bucket is full. `now`: milliseconds since 1970. */
  isIdle(slot: number, now: number): boolean {
    return this.held(slot) === 0n && this.count(slot) === 0 && this.time(slot) <= BigInt(now) * 1_000_000n
  }
}
