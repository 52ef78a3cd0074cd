import type { BreakerSettings } from '../../config/sections/breaker.ts'
import {
  type Account,
  type Beginning,
  type CallReport,
  type CallReportOwner,
  createCallReport,
} from '../targets/call-report.ts'
import { CoolDown } from './cool-down.ts'
import { FailureWindow } from './failure-window.ts'
import type { KeyRest } from './key-rest.ts'
import { RecentTimes } from './recent-times.ts'

/**
 * How one deployment has fared lately: its breaker, its calls under way, and its times to first byte. Limits of the server's account,
 * and the rest of its key, concern only those who are on it: `account`, the server's where it is left out.
 */
export interface DeploymentHealth {
  /** Whether a call may start now: closed, or half open with no probe under way; and not cooling down. Takes no probe. */
  isAvailable(account?: Account): boolean
  /** A call starts. Where the breaker is half open and has no probe yet, this call is the probe. `spendsKey`: the deployment's own. */
  begin(account?: Account, spendsKey?: boolean): CallReport
  /** How long until it may be asked again, in ms; 0: now, or as soon as the probe under way says so. */
  waitMs(account?: Account): number
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

/** Is told when a breaker opens after it was closed, and for how long, and when it closes again. */
export type OnBreakerChange = (turn: { readonly state: 'open' | 'closed'; readonly forMs: number }) => void

/** What says how long everybody is to stay away, where it says so: the target has too much to do. */
const COOLING_STATUSES: ReadonlySet<number> = new Set([503, 529])
/** What says so to whoever is on one account. */
const LIMITED = 429

/**
 * Makes the health of a deployment that nobody has asked yet.
 *
 * The breaker opens after a number of failures in a row or at a share of failures within a window, for longer each time
 * that it opens again without a success between; then one call may try. A call says something about the state in which it
 * began: what began before the breaker opened or closed does not move it any more.
 *
 * @param now A monotonic clock, in ms.
 * @param rest That of the deployment's key, which all deployments with it share; undefined: it has no key of the server's.
 */
export function createDeploymentHealth(
  settings: BreakerSettings,
  now: () => number,
  rest?: KeyRest,
  onTurn?: OnBreakerChange,
): DeploymentHealth {
  return new Health(settings, now, rest, onTurn)
}

class Health implements DeploymentHealth, CallReportOwner {
  readonly #now: () => number
  readonly #onChange: OnBreakerChange | undefined
  #settings: BreakerSettings
  #window: FailureWindow
  readonly #times = new RecentTimes()
  readonly #rest: KeyRest | undefined
  readonly #coolDown: CoolDown
  /** The cool-down of the server's account alone. */
  readonly #limited: CoolDown
  #inFlight = 0
  #failuresInARow = 0
  /** Good answers whose bodies broke off: their heads are a success each, and would hide it. */
  #brokenInARow = 0
  /** Openings since the last success; 0: closed. */
  #openings = 0
  #openUntil = 0
  #answers = 0
  #isProbed = false
  /** Goes up with every opening and closing. */
  #epoch = 0

  constructor(
    settings: BreakerSettings,
    now: () => number,
    rest: KeyRest | undefined,
    onTurn: OnBreakerChange | undefined,
  ) {
    this.#settings = settings
    this.#window = new FailureWindow(settings.windowMs)
    this.#now = now
    this.#rest = rest
    this.#onChange = onTurn
    this.#coolDown = new CoolDown(now)
    this.#limited = new CoolDown(now)
  }

  isAvailable(account: Account = 'server'): boolean {
    return this.waitMs(account) === 0 && !this.#isProbed
  }

  waitMs(account: Account = 'server'): number {
    const openMs = this.#openings === 0 ? 0 : this.#openUntil - this.#now()
    const targetMs = Math.max(0, openMs, this.#coolDown.waitMs())
    return account === 'caller' ? targetMs : Math.max(targetMs, this.#limited.waitMs(), this.#rest?.waitMs() ?? 0)
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

  begin(account: Account = 'server', spendsKey = account === 'server'): CallReport {
    this.#inFlight += 1
    const isProbe = !this.#isProbed && this.state() === 'half_open'
    if (isProbe) this.#isProbed = true
    const keyUse = spendsKey ? this.#rest?.begin() : undefined
    return createCallReport(this, { epoch: this.#epoch, isProbe, account, keyUse, answers: this.#answers })
  }

  onAnswer(beginning: Beginning, status: number, ms: number | undefined, retryAfterMs: number | undefined): void {
    this.#answers += 1
    if (ms !== undefined && status >= 200 && status < 300) this.#times.add(ms)
    if (status < 400 && beginning.keyUse !== undefined) this.#rest?.accepted(beginning.keyUse)
    if (retryAfterMs !== undefined) this.#stayAway(beginning, status, retryAfterMs)
    if (status >= 500 && status !== 501 && status !== 505) this.onFailure(beginning)
    else this.#onSuccess(beginning)
  }

  onFailure({ epoch: era, isProbe }: Beginning): void {
    if (era !== this.#epoch) return
    if (isProbe) this.#open()
    else if (this.#openings === 0 && this.#isTooMuch()) this.#open()
  }

  onRefusal(beginning: Beginning): number | undefined {
    this.#answers += 1
    // The target itself is there.
    this.#onSuccess(beginning)
    return beginning.keyUse === undefined ? undefined : this.#rest?.refused(beginning.keyUse)
  }

  onOutwaited(beginning: Beginning, ms: number): void {
    const isSilent = beginning.answers === this.#answers
    if (isSilent && ms >= (this.averageMs() ?? 0)) this.onFailure(beginning)
    else this.onAbandon(beginning)
  }

  onAbandon({ epoch: era, isProbe }: Beginning): void {
    if (isProbe && era === this.#epoch) this.#isProbed = false
  }

  onEnd({ epoch: era }: Beginning, isBroken: boolean | undefined): void {
    this.#inFlight -= 1
    if (isBroken === undefined || era !== this.#epoch) return
    this.#brokenInARow = isBroken ? this.#brokenInARow + 1 : 0
    const { failures } = this.#settings
    if (!isBroken || this.#openings > 0) return
    if ((failures > 0 && this.#brokenInARow >= failures) || this.#isRateTooHigh()) this.#open()
  }

  #onSuccess({ epoch: era }: Beginning): void {
    if (era !== this.#epoch) return
    this.#failuresInARow = 0
    if (this.#openings > 0) {
      this.#enter(0)
      this.#onChange?.({ state: 'closed', forMs: 0 })
    } else if (this.#settings.rate > 0) this.#window.count(this.#now(), false)
  }

  #stayAway({ account }: Beginning, status: number, retryAfterMs: number): void {
    const ms = Math.min(retryAfterMs, this.#settings.openMaxMs)
    if (COOLING_STATUSES.has(status)) this.#coolDown.extend(ms)
    else if (status === LIMITED && account === 'server') this.#limited.extend(ms)
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
    const forMs = Math.min(openMs * this.#openings, openMaxMs)
    this.#openUntil = this.#now() + forMs
    // That a probe has failed is no news.
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
