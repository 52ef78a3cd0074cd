/** A cool-down: the time for which a target or an account has asked to be left alone. */
export class CoolDown {
  readonly #now: () => number
  #until = 0

  /** `now`: a monotonic clock, in ms. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Extends the cool-down to `ms` from now, at least. */
  extend(ms: number): void {
    this.#until = Math.max(this.#until, this.#now() + ms)
  }

  /** The rest of the cool-down, in ms; 0: none. Once it is over, the clock is asked no more. */
  waitMs(): number {
    if (this.#until === 0) return 0
    const waitMs = Math.max(0, this.#until - this.#now())
    if (waitMs === 0) this.#until = 0
    return waitMs
  }
}
