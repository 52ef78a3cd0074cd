/** The shortest and the longest time for which nobody asks. */
const FIRST_MS = 1_000
const LAST_MS = 30_000

/** What a bypass tells of: each once in a time of trouble. */
export interface BypassEvents {
  readonly onTrouble: (cause: unknown) => void
  readonly onWell: (awayMs: number) => void
}

/**
 * Keeps callers away from what is in trouble: at once after a failure, for one second, then for two, up to thirty; after
 * each such time one call tries. Trouble that comes back within thirty seconds begins with twice the time it ended with.
 *
 * Where trouble comes and goes, as with a disk that is nearly full, it is told to be over when there was none for `settledMs`.
 */
export class Bypass {
  readonly #now: () => number
  readonly #events: BypassEvents
  readonly #settledMs: number
  /** Counts up whenever trouble begins or ends: what a call from before finds out says nothing about now. */
  #round = 0
  /** Since when there is trouble that was told of. */
  #since: number | undefined
  #isAway = false
  #until = 0
  #periodMs = FIRST_MS
  #hasTrial = false
  #wellAt = Number.NEGATIVE_INFINITY

  /** `now`: milliseconds of a clock that only goes forward. */
  constructor(now: () => number, events: BypassEvents, settledMs = 0) {
    this.#now = now
    this.#events = events
    this.#settledMs = settledMs
  }

  /** What one that is made in any case is to tell `succeeded` or `failed`. */
  get round(): number {
    return this.#round
  }

  /** Whether callers are kept away, but for the one that tries. */
  get isAway(): boolean {
    return this.#isAway
  }

  /** Asks for a call: gives what `succeeded` or `failed` has to be told, or undefined where the call is to be left out. */
  ask(): number | undefined {
    if (!this.#isAway) return this.#round
    if (this.#hasTrial || this.#now() < this.#until) return undefined
    this.#hasTrial = true
    return this.#round
  }

  succeeded(round: number): void {
    if (this.#since === undefined || round !== this.#round) return
    if (this.#isAway) {
      this.#isAway = false
      this.#hasTrial = false
      this.#round += 1
      this.#wellAt = this.#now()
    }
    if (this.#now() - this.#wellAt < this.#settledMs) return
    const awayMs = this.#wellAt - this.#since
    this.#since = undefined
    this.#events.onWell(awayMs)
  }

  failed(round: number, cause: unknown): void {
    if (round !== this.#round) return
    const at = this.#now()
    const isNew = !this.#isAway
    const isFirst = isNew && at - this.#wellAt >= LAST_MS
    this.#periodMs = isFirst ? FIRST_MS : Math.min(this.#periodMs * 2, LAST_MS)
    this.#until = at + this.#periodMs
    this.#hasTrial = false
    if (!isNew) return
    this.#isAway = true
    this.#round += 1
    if (this.#since !== undefined) return
    this.#since = at
    this.#events.onTrouble(cause)
  }
}
