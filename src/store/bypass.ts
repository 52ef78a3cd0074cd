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
 */
export class Bypass {
  readonly #now: () => number
  readonly #events: BypassEvents
  /** Counts up whenever trouble begins or ends: what a call from before finds out says nothing about now. */
  #round = 0
  #since: number | undefined
  #until = 0
  #periodMs = FIRST_MS
  #hasTrial = false
  #wellAt = Number.NEGATIVE_INFINITY

  /** `now`: milliseconds of a clock that only goes forward. */
  constructor(now: () => number, events: BypassEvents) {
    this.#now = now
    this.#events = events
  }

  /** Asks for a call: gives what `succeeded` or `failed` has to be told, or undefined where the call is to be left out. */
  ask(): number | undefined {
    if (this.#since === undefined) return this.#round
    if (this.#hasTrial || this.#now() < this.#until) return undefined
    this.#hasTrial = true
    return this.#round
  }

  succeeded(round: number): void {
    if (this.#since === undefined || round !== this.#round) return
    const awayMs = this.#now() - this.#since
    this.#since = undefined
    this.#hasTrial = false
    this.#round += 1
    this.#wellAt = this.#now()
    this.#events.onWell(awayMs)
  }

  failed(round: number, cause: unknown): void {
    if (round !== this.#round) return
    const at = this.#now()
    const isNew = this.#since === undefined
    const isFirst = isNew && at - this.#wellAt >= LAST_MS
    this.#periodMs = isFirst ? FIRST_MS : Math.min(this.#periodMs * 2, LAST_MS)
    this.#until = at + this.#periodMs
    this.#hasTrial = false
    if (!isNew) return
    this.#since = at
    this.#round += 1
    this.#events.onTrouble(cause)
  }
}
