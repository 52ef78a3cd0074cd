import type { Deadline, Deadlines } from '../timing/deadlines.ts'

/** Something that may have to be waited for, which is nobody's own work. */
export interface PausableClock {
  /** The waiting begins. */
  pause(): void
  /** It is over. */
  resume(): void
}

/**
 * The clock of an extension's own work: it stands still while anything else is waited for, and begins anew behind that.
 */
export class WorkClock implements PausableClock {
  readonly #deadline: Deadline
  #waiting: number

  /** `waiting`: how much is being waited for already. */
  constructor(deadlines: Deadlines, limitMs: number, waiting: number, onExpire: () => void) {
    this.#deadline = deadlines.start(limitMs, onExpire)
    this.#waiting = waiting
    if (waiting > 0) this.#deadline.suspend()
  }

  pause(): void {
    this.#waiting += 1
    if (this.#waiting === 1) this.#deadline.suspend()
  }

  resume(): void {
    this.#waiting -= 1
    if (this.#waiting === 0) this.#deadline.touch()
  }

  /** The work is done. */
  clear(): void {
    this.#deadline.clear()
  }
}
