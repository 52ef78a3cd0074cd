import type { TableMemory } from './mapped-memory.ts'
import type { ProcessLock } from './process-lock.ts'

/** 64-bit words of a slot: whose it is, and what is counted. */
const SLOT_WORDS = 8
const NAME = 0
const SPENT = 1
const HELD = 2
const TIME = 3
const COUNT = 4
const USED_AT = 5

const EMPTY = 0n
/** The mark of a slot whose counter has been removed: a search goes on behind it. */
const REMOVED = -1n

/** Is thrown where a counter is wanted, and all slots are in use. */
export class CountersFullError extends Error {}

/**
 * Counters that all processes of a machine decide by, in memory that they share. A counter is found by the digest of its name, and made at
 * its first use. Each change is one atomic operation: no decision waits for another process, and none is made on an old number.
 *
 * @example
 * const counters = new CounterTable(openTableMemory(at, bytes), 1 << 16, lock)
 * const slot = counters.slotOf(digestOf(`${key.id} day 2026-11-30`), now)
 * if (!counters.hold(slot, 5_000_000n, 10_000_000_000n)) throw new ApiError('insufficient_quota')
 */
export class CounterTable {
  readonly #words: BigInt64Array
  readonly #mask: number
  readonly #lock: ProcessLock

  /** `slots`: how many counters there may be, a power of two. */
  constructor(memory: TableMemory, slots: number, lock: ProcessLock) {
    if ((slots & (slots - 1)) !== 0) throw new Error('The number of slots must be a power of two.')
    this.#words = memory.words
    this.#mask = slots - 1
    this.#lock = lock
  }

  /** Bytes of a table with so many slots. */
  static bytesOf(slots: number): number {
    return slots * SLOT_WORDS * 8
  }

  /** The place of a counter, which is made where it is missing. `now`: seconds since 1970. Throws `CountersFullError`. */
  slotOf(name: bigint, now: number): number {
    const found = this.#find(name)
    if (found !== undefined) return found
    return this.#lock.run(() => this.#find(name) ?? this.#make(name, now))
  }

  /** Whether a slot still holds the counter of that name. */
  isOf(slot: number, name: bigint): boolean {
    return Atomics.load(this.#words, slot + NAME) === name
  }

  /**
   * Holds an amount for a call under way, unless more than `limit` would then be spent and held together. Of several who ask at once, those
   * that fit get it.
   */
  hold(slot: number, amount: bigint, limit: bigint): boolean {
    const held = Atomics.add(this.#words, slot + HELD, amount) + amount
    if (Atomics.load(this.#words, slot + SPENT) + held <= limit) return true
    Atomics.sub(this.#words, slot + HELD, amount)
    return false
  }

  /** Ends a hold: `spent` of it is spent, the rest is free again. More than was held may have been spent. */
  settle(slot: number, held: bigint, spent: bigint): void {
    // In this order: between the two, the amount counts twice rather than not at all.
    if (spent !== 0n) Atomics.add(this.#words, slot + SPENT, spent)
    Atomics.sub(this.#words, slot + HELD, held)
  }

  /** What has been spent. */
  spent(slot: number): bigint {
    return Atomics.load(this.#words, slot + SPENT)
  }

  /** What is held for calls under way. */
  held(slot: number): bigint {
    return Atomics.load(this.#words, slot + HELD)
  }

  /** Sets what is known from elsewhere to have been spent, where the counter knows of nothing yet. */
  restore(slot: number, spent: bigint): void {
    Atomics.compareExchange(this.#words, slot + SPENT, 0n, spent)
  }

  /**
   * Takes a place among calls under way, unless `limit` are taken. `leave` gives it back.
   */
  enter(slot: number, limit: number): boolean {
    if (Atomics.add(this.#words, slot + COUNT, 1n) < BigInt(limit)) return true
    Atomics.sub(this.#words, slot + COUNT, 1n)
    return false
  }

  /** Gives a place back. */
  leave(slot: number): void {
    Atomics.sub(this.#words, slot + COUNT, 1n)
  }

  /** Calls under way. */
  count(slot: number): number {
    return Number(Atomics.load(this.#words, slot + COUNT))
  }

  /** Puts right what is held (`isMoney`) or how many calls are under way, unless another process has changed it since. */
  correct(slot: number, isMoney: boolean, before: bigint, to: bigint): boolean {
    return Atomics.compareExchange(this.#words, slot + (isMoney ? HELD : COUNT), before, to) === before
  }

  /** The time up to which a token bucket has been used, in microseconds since 1970; 0: never. */
  time(slot: number): number {
    return Number(Atomics.load(this.#words, slot + TIME))
  }

  /** Moves that time, unless another process has just done so. */
  moveTime(slot: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.#words, slot + TIME, BigInt(from), BigInt(to)) === BigInt(from)
  }

  /** Notes that the counter is in use. `now`: seconds since 1970. */
  touch(slot: number, now: number): void {
    this.#words[slot + USED_AT] = BigInt(now)
  }

  /** Removes counters that nobody has used since `before` (seconds since 1970) and that nothing is held in. Gives their number. */
  removeUnused(before: number): number {
    return this.#lock.run(() => {
      let removed = 0
      for (let slot = 0; slot < (this.#mask + 1) * SLOT_WORDS; slot += SLOT_WORDS) {
        const name = this.#words[slot + NAME] ?? EMPTY
        if (name === EMPTY || name === REMOVED || Number(this.#words[slot + USED_AT]) >= before) continue
        if (this.held(slot) !== 0n || this.count(slot) !== 0) continue
        Atomics.store(this.#words, slot + NAME, REMOVED)
        removed += 1
      }
      return removed
    })
  }

  #find(name: bigint): number | undefined {
    for (let step = 0, at = Number(name & BigInt(this.#mask)); step <= this.#mask; step += 1) {
      const slot = ((at + step) & this.#mask) * SLOT_WORDS
      const there = Atomics.load(this.#words, slot + NAME)
      if (there === name) return slot
      if (there === EMPTY) return undefined
    }
    return undefined
  }

  /** Only one process makes a counter at a time, so that none is made twice. Its name is written last: an unfinished one is not there. */
  #make(name: bigint, now: number): number {
    for (let step = 0, at = Number(name & BigInt(this.#mask)); step <= this.#mask; step += 1) {
      const slot = ((at + step) & this.#mask) * SLOT_WORDS
      const there = this.#words[slot + NAME]
      if (there !== EMPTY && there !== REMOVED) continue
      this.#words.fill(0n, slot + NAME + 1, slot + SLOT_WORDS)
      this.touch(slot, now)
      Atomics.store(this.#words, slot + NAME, name)
      return slot
    }
    throw new CountersFullError('All counters are in use.')
  }
}
