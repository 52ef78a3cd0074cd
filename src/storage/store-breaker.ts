/** The shortest and the longest time for which the breaker stays open. */
const FIRST_MS = 1_000
const LAST_MS = 30_000

/** The events of a store's breaker: each once in a time of trouble. */
export interface StoreBreakerEvents {
  readonly onTrouble: (cause: unknown) => void
  readonly onWell: (awayMs: number) => void
}

/**
 * The circuit breaker of a store: it opens at the first failure, for one second, then for two, up to thirty; after each such time one
 * call is the probe. Trouble that comes back within thirty seconds begins with twice the time it ended with.
 *
 * A deployment's breaker (`routing/health/deployment-health.ts`) counts failures in a row and within a window, by settings, and knows
 * accounts and keys; both keep to the same rule of epochs, so that no late call moves them.
 *
 * Trouble that comes and goes, as with a disk that is nearly full, is told to be over when there was none for `settledMs`.
 */
export class StoreBreaker {
  readonly #now: () => number
  readonly #events: StoreBreakerEvents
  readonly #settledMs: number
  /** Goes up with every opening and closing: the outcome of a call that began before says nothing about now. */
  #epoch = 0
  /** The beginning of the trouble that was told. */
  #since: number | undefined
  #isAway = false
  #until = 0
  #periodMs = FIRST_MS
  #isProbed = false
  #wellAt = Number.NEGATIVE_INFINITY

  /** `now`: milliseconds of a clock that only goes forward. */
  constructor(now: () => number, events: StoreBreakerEvents, settledMs = 0) {
    this.#now = now
    this.#events = events
    this.#settledMs = settledMs
  }

  /** The epoch that a call made past the breaker hands to `succeeded` or `failed`. */
  get epoch(): number {
    return this.#epoch
  }

  /** Whether the breaker is open: it keeps all calls away, except the probe. */
  get isAway(): boolean {
    return this.#isAway
  }

  /** Asks to make a call: gives the epoch for `succeeded` or `failed`, or undefined where the call is to be left out. */
  ask(): number | undefined {
    if (!this.#isAway) return this.#epoch
    if (this.#isProbed || this.#now() < this.#until) return undefined
    this.#isProbed = true
    return this.#epoch
  }

  succeeded(epoch: number): void {
    if (this.#since === undefined || epoch !== this.#epoch) return
    if (this.#isAway) {
      this.#isAway = false
      this.#isProbed = false
      this.#epoch += 1
      this.#wellAt = this.#now()
    }
    if (this.#now() - this.#wellAt < this.#settledMs) return
    const awayMs = this.#wellAt - this.#since
    this.#since = undefined
    this.#events.onWell(awayMs)
  }

  failed(epoch: number, cause: unknown): void {
    if (epoch !== this.#epoch) return
    const at = this.#now()
    const isNew = !this.#isAway
    const isFirst = isNew && at - this.#wellAt >= LAST_MS
    this.#periodMs = isFirst ? FIRST_MS : Math.min(this.#periodMs * 2, LAST_MS)
    this.#until = at + this.#periodMs
    this.#isProbed = false
    if (!isNew) return
    this.#isAway = true
    this.#epoch += 1
    if (this.#since !== undefined) return
    this.#since = at
    this.#events.onTrouble(cause)
  }
}
