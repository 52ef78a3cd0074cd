import type { TableMemory } from './mapped-memory.ts'
import type { ProcessSeat } from './process-seat.ts'

/** How often a lock is tried before its holder is looked for. */
const TRIES_PER_LOOK = 1000

/** A lock that the processes of a machine share, for work of microseconds: who waits, spins. A holder that was killed loses it. */
export class ProcessLock {
  readonly #halves: Int32Array
  readonly #at: number
  readonly #mark: number
  readonly #seat: ProcessSeat

  /** `at`: the 32-bit word of the lock, which holds the seat of its holder. */
  constructor({ halves }: TableMemory, at: number, seat: ProcessSeat) {
    this.#halves = halves
    this.#at = at
    this.#mark = seat.number + 1
    this.#seat = seat
    // A process before this one in the same seat was killed while it held the lock.
    Atomics.compareExchange(halves, at, this.#mark, 0)
  }

  /** Runs a function while no other process runs one under this lock. It must neither wait nor take the lock again. */
  run<T>(work: () => T): T {
    for (let tries = 1; ; tries += 1) {
      const holder = Atomics.compareExchange(this.#halves, this.#at, 0, this.#mark)
      if (holder === 0) break
      if (tries % TRIES_PER_LOOK !== 0) continue
      this.#seat.ifGone(holder - 1, () => Atomics.compareExchange(this.#halves, this.#at, holder, 0))
    }
    try {
      return work()
    } finally {
      Atomics.store(this.#halves, this.#at, 0)
    }
  }
}
