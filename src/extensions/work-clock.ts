import type { Deadline, Deadlines } from '../timing/deadlines.ts'

/** A clock that stands still while nobody works, such as while the upstream's answer is awaited. */
export interface PausableClock {
  /** Stops the clock. Each call wants a `resume` of its own. */
  pause(): void
  /** Ends one pause. Behind the last one, the clock starts from zero. */
  resume(): void
}

/** Measures an extension's own work, in stretches: each pause ends a stretch, and the next one has the full time again. */
export class WorkClock implements PausableClock {
  readonly #deadline: Deadline
  #pauses: number

  /** `pauses`: how many pauses the run is in when the clock is made. */
  constructor(deadlines: Deadlines, limitMs: number, pauses: number, onExpire: () => void) {
    this.#deadline = deadlines.start(limitMs, onExpire)
    this.#pauses = pauses
    if (pauses > 0) this.#deadline.suspend()
  }

  pause(): void {
    this.#pauses += 1
    if (this.#pauses === 1) this.#deadline.suspend()
  }

  resume(): void {
    this.#pauses -= 1
    if (this.#pauses === 0) this.#deadline.touch()
  }

  /** Stops the clock for good: the work is done. */
  clear(): void {
    this.#deadline.clear()
  }
}
