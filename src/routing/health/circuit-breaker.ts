import type { BreakerSettings } from '../../config/sections/breaker.ts'
import { FailureWindow } from './failure-window.ts'

/** `half_open`: the time is up, and one call may try. */
export type BreakerState = 'closed' | 'open' | 'half_open'

/** Is told when a breaker opens after it was closed, and for how long, and when it closes again. */
export type OnBreakerChange = (change: { readonly state: 'open' | 'closed'; readonly forMs: number }) => void

/** The breaker's state at a call's beginning; the call hands it back when it reports. */
export interface BreakerCall {
  /** The breaker's epoch when the call began. */
  readonly epoch: number
  /** Whether the call is the one that a half-open breaker lets through. */
  readonly isProbe: boolean
}

/**
 * The circuit breaker of one deployment. It opens after a number of failures in a row, or at a share of failures within a window, for
 * longer each time that it opens again without a success between; then one call may try.
 *
 * A call counts only in the epoch in which it began: one that began before the breaker opened or closed does not move it any more.
 */
export class CircuitBreaker {
  readonly #now: () => number
  readonly #onChange: OnBreakerChange | undefined
  #settings: BreakerSettings
  #window: FailureWindow
  #failuresInARow = 0
  /** Good answers in a row whose bodies broke off. They count by themselves, since their heads are successes. */
  #brokenInARow = 0
  /** Openings since the last success; 0: closed. */
  #openings = 0
  #openUntil = 0
  #isProbed = false
  #epoch = 0

  /** `now`: a monotonic clock, in ms. */
  constructor(settings: BreakerSettings, now: () => number, onChange: OnBreakerChange | undefined) {
    this.#settings = settings
    this.#window = new FailureWindow(settings.windowMs)
    this.#now = now
    this.#onChange = onChange
  }

  /** Goes up with every opening and closing. */
  get epoch(): number {
    return this.#epoch
  }

  /** Whether the one call that may try is under way. */
  get isProbed(): boolean {
    return this.#isProbed
  }

  state(): BreakerState {
    if (this.#openings === 0) return 'closed'
    return this.#now() < this.#openUntil ? 'open' : 'half_open'
  }

  /** The end of its last opening, by its clock; 0: it is closed. */
  get openUntil(): number {
    return this.#openings === 0 ? 0 : this.#openUntil
  }

  /** From now on it keeps to these settings; its state stays. */
  configure(settings: BreakerSettings): void {
    if (settings.windowMs !== this.#settings.windowMs) this.#window = new FailureWindow(settings.windowMs)
    this.#settings = settings
  }

  /** Whether a call that starts now is the probe, which only one can be. */
  takeProbe(): boolean {
    const isProbe = !this.#isProbed && this.state() === 'half_open'
    if (isProbe) this.#isProbed = true
    return isProbe
  }

  onSuccess({ epoch }: BreakerCall): void {
    if (epoch !== this.#epoch) return
    this.#failuresInARow = 0
    if (this.#openings > 0) {
      this.#enter(0)
      this.#onChange?.({ state: 'closed', forMs: 0 })
    } else if (this.#settings.rate > 0) this.#window.count(this.#now(), false)
  }

  onFailure({ epoch, isProbe }: BreakerCall): void {
    if (epoch !== this.#epoch) return
    if (isProbe) this.#open()
    else if (this.#openings === 0 && this.#isTooMuch()) this.#open()
  }

  /** The call has no outcome: another one may be the probe. */
  onAbandon({ epoch, isProbe }: BreakerCall): void {
    if (isProbe && epoch === this.#epoch) this.#isProbed = false
  }

  /** The body of a good answer has ended; `isBroken`: it broke off. */
  onBodyEnd({ epoch }: BreakerCall, isBroken: boolean): void {
    if (epoch !== this.#epoch) return
    this.#brokenInARow = isBroken ? this.#brokenInARow + 1 : 0
    const { failures } = this.#settings
    if (!isBroken || this.#openings > 0) return
    if ((failures > 0 && this.#brokenInARow >= failures) || this.#isRateTooHigh()) this.#open()
  }

  /** Counts a failure, and says whether it opens the breaker. */
  #isTooMuch(): boolean {
    const { failures } = this.#settings
    this.#failuresInARow += 1
    return (failures > 0 && this.#failuresInARow >= failures) || this.#isRateTooHigh()
  }

  /** Counts a failure within the window, and says whether the share of failures is too high. */
  #isRateTooHigh(): boolean {
    const { rate, minimum } = this.#settings
    if (rate <= 0) return false
    const counts = this.#window.count(this.#now(), true)
    return counts.calls >= minimum && counts.failures >= rate * counts.calls
  }

  #open(): void {
    this.#enter(this.#openings + 1)
    const { openMs, openMaxMs } = this.#settings
    const forMs = Math.min(openMs * this.#openings, openMaxMs)
    this.#openUntil = this.#now() + forMs
    // A probe that failed is no news.
    if (this.#openings === 1) this.#onChange?.({ state: 'open', forMs })
  }

  #enter(openings: number): void {
    this.#openings = openings
    this.#epoch += 1
    this.#isProbed = false
    this.#failuresInARow = 0
    this.#brokenInARow = 0
    this.#window.clear()
  }
}
