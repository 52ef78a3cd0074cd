/** Until when something is to be left alone, as it has said itself. */
export class CoolDown {
  readonly #now: () => number
  #until = 0

  /** `now`: a monotonic clock, in ms. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** It is to be left alone for `ms` from now, at least. */
  extend(ms: number): void {
    this.#until = Math.max(this.#until, this.#now() + ms)
  }

  /** How long it still is, in ms; 0: not at all, for which the clock is asked once. */
  waitMs(): number {
    if (this.#until === 0) return 0
    const waitMs = Math.max(0, this.#until - this.#now())
    if (waitMs === 0) this.#until = 0
    return waitMs
  }
}
