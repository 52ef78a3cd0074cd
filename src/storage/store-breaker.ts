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
 * It shares the rule of epochs and of the one probe with a deployment's breaker (`routing/health/circuit-breaker.ts`), and no code: that
 * one counts failures in a row and within a window, by settings, and a core for both would be longer than the lines that it saved.
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
  #isOpen = false
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

  /** The epoch that a call made past the breaker hands to `onSuccess` or `onFailure`. */
  get epoch(): number {
    return this.#epoch
  }

  /** Whether the breaker is open: it keeps all calls away, except the probe. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Asks to make a call: gives the epoch for `onSuccess` or `onFailure`, or undefined where the call is to be left out. */
  ask(): number | undefined {
    if (!this.#isOpen) return this.#epoch
    if (this.#isProbed || this.#now() < this.#until) return undefined
    this.#isProbed = true
    return this.#epoch
  }

  onSuccess(epoch: number): void {
    if (this.#since === undefined || epoch !== this.#epoch) return
    if (this.#isOpen) {
      this.#isOpen = false
      this.#isProbed = false
      this.#epoch += 1
      this.#wellAt = this.#now()
    }
    if (this.#now() - this.#wellAt < this.#settledMs) return
    const awayMs = this.#wellAt - this.#since
    this.#since = undefined
    this.#events.onWell(awayMs)
  }

  onFailure(epoch: number, cause: unknown): void {
    if (epoch !== this.#epoch) return
    const at = this.#now()
    const isNew = !this.#isOpen
    const isFirst = isNew && at - this.#wellAt >= LAST_MS
    this.#periodMs = isFirst ? FIRST_MS : Math.min(this.#periodMs * 2, LAST_MS)
    this.#until = at + this.#periodMs
    this.#isProbed = false
    if (!isNew) return
    this.#isOpen = true
    this.#epoch += 1
    if (this.#since !== undefined) return
    this.#since = at
    this.#events.onTrouble(cause)
  }
}
