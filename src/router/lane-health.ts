import type { BreakerSettings } from '../config/settings.ts'
import { type Attempt, type AttemptOwner, type Beginning, createAttempt } from './attempt.ts'
import { FailureWindow } from './failure-window.ts'
import { RecentTimes } from './recent-times.ts'

/** How one lane has fared lately: its breaker, its calls under way, and its times to first byte. */
export interface LaneHealth {
  /** Whether a call may start now: closed, or half open with no probe under way; and not cooling down. Takes no probe. */
  isAvailable(): boolean
  /** A call starts. Where the breaker is half open and has no probe yet, this call is the probe. */
  begin(): Attempt
  /** How long until it may be asked again, in ms; 0: now, or as soon as the probe under way says so. */
  waitMs(): number
  state(): BreakerState
  /** Calls that have begun and not ended. */
  inFlight(): number
  /** Moving average of the times to first byte of 2xx answers, in ms; undefined: none yet. */
  averageMs(): number | undefined
  /** Time to first byte, in ms, that `percent` of the last 128 2xx answers kept; undefined below 20 of them. */
  percentile(percent: number): number | undefined
  /** From now on the breaker keeps to these settings; what it is and knows stays. */
  configure(settings: BreakerSettings): void
}

/** `half_open`: the time is up, and one call may try. */
export type BreakerState = 'closed' | 'open' | 'half_open'

/** What says how long to stay away, where it says so. */
const COOLING_STATUSES: ReadonlySet<number> = new Set([429, 503, 529])

/**
 * Makes the health of a lane that nobody has asked yet.
 *
 * The breaker opens after a number of failures in a row or at a share of failures within a window, for longer each time
 * that it opens again without a success between; then one call may try. A call says something about the state in which it
 * began: what began before the breaker opened or closed does not move it any more.
 *
 * @param now A monotonic clock, in ms.
 */
export function createLaneHealth(settings: BreakerSettings, now: () => number): LaneHealth {
  return new Health(settings, now)
}

class Health implements LaneHealth, AttemptOwner {
  readonly #now: () => number
  #settings: BreakerSettings
  #window: FailureWindow
  readonly #times = new RecentTimes()
  #inFlight = 0
  #failuresInARow = 0
  /** Good answers whose bodies broke off: their heads are a success each, and would hide it. */
  #brokenInARow = 0
  /** Openings since the last success; 0: closed. */
  #openings = 0
  #openUntil = 0
  #coolUntil = 0
  #isProbed = false
  /** Goes up with every opening and closing. */
  #era = 0

  constructor(settings: BreakerSettings, now: () => number) {
    this.#settings = settings
    this.#window = new FailureWindow(settings.windowMs)
    this.#now = now
  }

  isAvailable(): boolean {
    if (this.#openings === 0 && this.#coolUntil === 0) return true
    return this.waitMs() === 0 && !this.#isProbed
  }

  waitMs(): number {
    if (this.#openings === 0 && this.#coolUntil === 0) return 0
    const at = this.#now()
    // The clock need not be asked again.
    if (at >= this.#coolUntil) this.#coolUntil = 0
    const openUntil = this.#openings === 0 ? 0 : this.#openUntil
    return Math.max(0, openUntil - at, this.#coolUntil - at)
  }

  state(): BreakerState {
    if (this.#openings === 0) return 'closed'
    return this.#now() < this.#openUntil ? 'open' : 'half_open'
  }

  inFlight(): number {
    return this.#inFlight
  }

  averageMs(): number | undefined {
    return this.#times.averageMs()
  }

  percentile(percent: number): number | undefined {
    return this.#times.percentile(percent)
  }

  configure(settings: BreakerSettings): void {
    if (settings.windowMs !== this.#settings.windowMs) this.#window = new FailureWindow(settings.windowMs)
    this.#settings = settings
  }

  begin(): Attempt {
    this.#inFlight += 1
    const isProbe = !this.#isProbed && this.state() === 'half_open'
    if (isProbe) this.#isProbed = true
    return createAttempt(this, { era: this.#era, isProbe })
  }

  onAnswer(beginning: Beginning, status: number, ms: number | undefined, retryAfterMs: number | undefined): void {
    if (ms !== undefined && status >= 200 && status < 300) this.#times.add(ms)
    if (retryAfterMs !== undefined && COOLING_STATUSES.has(status)) this.#coolDown(retryAfterMs)
    if (status >= 500 && status !== 501 && status !== 505) this.onFailure(beginning)
    else this.#onSuccess(beginning)
  }

  onFailure({ era, isProbe }: Beginning): void {
    if (era !== this.#era) return
    if (isProbe) this.#open()
    else if (this.#openings === 0 && this.#isTooMuch()) this.#open()
  }

  onAbandon({ era, isProbe }: Beginning): void {
    if (isProbe && era === this.#era) this.#isProbed = false
  }

  onEnd({ era }: Beginning, isBroken: boolean | undefined): void {
    this.#inFlight -= 1
    if (isBroken === undefined || era !== this.#era) return
    this.#brokenInARow = isBroken ? this.#brokenInARow + 1 : 0
    const { failures } = this.#settings
    if (!isBroken || this.#openings > 0) return
    if ((failures > 0 && this.#brokenInARow >= failures) || this.#isRateTooHigh()) this.#open()
  }

  #onSuccess({ era }: Beginning): void {
    if (era !== this.#era) return
    this.#failuresInARow = 0
    if (this.#openings > 0) this.#enter(0)
    else if (this.#settings.rate > 0) this.#window.count(this.#now(), false)
  }

  #coolDown(retryAfterMs: number): void {
    const until = this.#now() + Math.min(retryAfterMs, this.#settings.openMaxMs)
    this.#coolUntil = Math.max(this.#coolUntil, until)
  }

  /** Counts a failure, and says whether it is one too many. */
  #isTooMuch(): boolean {
    const { failures } = this.#settings
    this.#failuresInARow += 1
    return (failures > 0 && this.#failuresInARow >= failures) || this.#isRateTooHigh()
  }

  /** Counts a failure within the window, and says whether the share is one that opens. */
  #isRateTooHigh(): boolean {
    const { rate, minimum } = this.#settings
    if (rate <= 0) return false
    const counts = this.#window.count(this.#now(), true)
    return counts.calls >= minimum && counts.failures >= rate * counts.calls
  }

  #open(): void {
    this.#enter(this.#openings + 1)
    const { openMs, openMaxMs } = this.#settings
    this.#openUntil = this.#now() + Math.min(openMs * this.#openings, openMaxMs)
  }

  #enter(openings: number): void {
    this.#openings = openings
    this.#era += 1
    this.#isProbed = false
    this.#failuresInARow = 0
    this.#brokenInARow = 0
    this.#window.clear()
  }
}
