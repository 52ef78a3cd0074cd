import type { TableMemory } from './mapped-memory.ts'
import type { ProcessLock } from './process-lock.ts'

/** 64-bit words of a slot. The first one is its counter's name; the others are the counter's. */
export const COUNTER_WORDS = 8
/** The 32-bit word of a slot that says when its counter was last used. */
const USED_AT = 9

const EMPTY = 0n
/** The mark of a slot whose counter has been removed: a search goes on behind it. */
const REMOVED = -1n
/** How many slots a counter may be away from its own. */
const STEPS_MAX = 256

/** Is thrown where a counter is wanted, and all slots near its own are in use. */
export class CountersFullError extends Error {}

/** Which counters are no longer wanted. */
export interface UnusedCounters {
  /** Not used since, in seconds since 1970. */
  readonly before: number
  /** Whether nothing is lost with it. */
  readonly isIdle: (slot: number) => boolean
  /** Gives those that calls are not booked of yet: what these have spent is known here alone. */
  readonly unbooked: () => ReadonlySet<number>
}

/** Where counters lie: a hash table by the digests of their names, which processes share. A slot is told by the index of its first word. */
export class CounterSlots {
  readonly #words: BigInt64Array
  readonly #halves: Int32Array
  readonly #mask: number
  readonly #lock: ProcessLock

  /** `slots`: how many counters there may be, a power of two. `lock`: for those who make or remove one. */
  constructor(memory: TableMemory, slots: number, lock: ProcessLock) {
    if ((slots & (slots - 1)) !== 0) throw new Error('The number of slots must be a power of two.')
    this.#words = memory.words
    this.#halves = memory.halves
    this.#mask = slots - 1
    this.#lock = lock
  }

  /** The place of a counter, which is made where it is missing. `now`: seconds since 1970. Throws `CountersFullError`. */
  slotOf(name: bigint, now: number): number {
    const found = this.#find(name)
    if (found !== undefined) return found
    return this.#lock.run(() => this.#find(name) ?? this.#make(name, now))
  }

  /** Whether a slot still holds the counter of that name. */
  isOf(slot: number, name: bigint): boolean {
    return Atomics.load(this.#words, slot) === name
  }

  /** Notes that the counter is in use. `now`: seconds since 1970. */
  touch(slot: number, now: number): void {
    this.#halves[slot * 2 + USED_AT] = now
  }

  /** Removes counters that are no longer used, and that nothing is lost with. Gives their number. */
  removeUnused(unused: UnusedCounters): number {
    return this.#lock.run(() => {
      const unbooked = unused.unbooked()
      let removed = 0
      // Backwards: where a run of removed ones ends, its slots are empty again, and no search has to pass them.
      for (let at = this.#mask; at >= 0; at -= 1) {
        const slot = at * COUNTER_WORDS
        const name = Atomics.load(this.#words, slot)
        if (name === EMPTY) continue
        if (name !== REMOVED) {
          if (unbooked.has(slot) || !this.#remove(slot, name, unused)) continue
          removed += 1
        }
        const next = ((at + 1) & this.#mask) * COUNTER_WORDS
        if (Atomics.load(this.#words, next) === EMPTY) Atomics.store(this.#words, slot, EMPTY)
      }
      return removed
    })
  }

  /** Who holds an amount looks afterwards whether the counter is still there; so it is looked here after it was marked. */
  #remove(slot: number, name: bigint, unused: UnusedCounters): boolean {
    if (!this.#isUnused(slot, unused)) return false
    Atomics.store(this.#words, slot, REMOVED)
    if (this.#isUnused(slot, unused)) return true
    Atomics.store(this.#words, slot, name)
    return false
  }

  #isUnused(slot: number, { before, isIdle }: UnusedCounters): boolean {
    return (this.#halves[slot * 2 + USED_AT] ?? 0) < before && isIdle(slot)
  }

  #find(name: bigint): number | undefined {
    const first = Number(name & BigInt(this.#mask))
    for (let step = 0; step < STEPS_MAX && step <= this.#mask; step += 1) {
      const slot = ((first + step) & this.#mask) * COUNTER_WORDS
      const there = Atomics.load(this.#words, slot)
      if (there === name) return slot
      if (there === EMPTY) return undefined
    }
    return undefined
  }

  /** Only one process makes a counter at a time, so that none is made twice. Its name is written last: an unfinished one is not there. */
  #make(name: bigint, now: number): number {
    const first = Number(name & BigInt(this.#mask))
    for (let step = 0; step < STEPS_MAX && step <= this.#mask; step += 1) {
      const slot = ((first + step) & this.#mask) * COUNTER_WORDS
      const there = this.#words[slot]
      if (there !== EMPTY && there !== REMOVED) continue
      this.#words.fill(0n, slot + 1, slot + COUNTER_WORDS)
      this.touch(slot, now)
      Atomics.store(this.#words, slot, name)
      return slot
    }
    throw new CountersFullError('All counters are in use.')
  }
}
