import type { BreakerSettings } from '../../config/sections/breaker.ts'
import { type Account, type Beginning, type CallReport, type CallReportOwner, createCallReport } from './call-report.ts'
import { type BreakerState, CircuitBreaker, type OnBreakerChange } from './circuit-breaker.ts'
import type { KeyRest } from './key-rest.ts'
import { RecentTimes } from './recent-times.ts'

/**
 * The recent health of one deployment: its breaker, its calls under way, and its times to first byte. Limits of the server's account, and
 * the rest of its key, concern only calls on that account. `account` is the server's where it is left out.
 */
export interface DeploymentHealth {
  /** Whether a call may start now: the breaker is closed, or half open without a probe, and there is no cool-down. Takes no probe. */
  isAvailable(account?: Account): boolean
  /** A call starts. It is the probe where the breaker is half open and has none yet. `spendsKey`: it spends the deployment's own key. */
  begin(account?: Account, spendsKey?: boolean): CallReport
  /** When a call may start, by the clock of its breaker; 0, or a time that has passed: now, or as soon as the probe under way has an outcome. */
  closedUntil(account?: Account): number
  /** How long until then, in ms; 0: a call may start now. */
  waitMs(account?: Account): number
  state(): BreakerState
  /** The number of calls that have begun and not ended. */
  inFlight(): number
  /** The moving average of the times to first byte of 2xx answers, in ms; undefined: none yet. */
  averageMs(): number | undefined
  /** The time to first byte, in ms, that `percent` of the last 128 2xx answers did not exceed; undefined below 20 of them. */
  percentile(percent: number): number | undefined
  /** From now on the breaker keeps to these settings; its state stays. */
  configure(settings: BreakerSettings): void
}

/** Statuses whose `Retry-After` holds for everybody: the target has too much to do. */
const COOLING_STATUSES: ReadonlySet<number> = new Set([503, 529])
/** The status whose `Retry-After` holds for one account. */
const LIMITED = 429

/**
 * Makes the health of a deployment that has had no call yet.
 *
 * @param now A monotonic clock, in ms.
 * @param rest The rest of the deployment's key, which all deployments with that key share; undefined: it has no key of the server.
 */
export function createDeploymentHealth(
  settings: BreakerSettings,
  now: () => number,
  rest?: KeyRest,
  onChange?: OnBreakerChange,
): DeploymentHealth {
  return new Health(new CircuitBreaker(settings, now, onChange), settings.openMaxMs, now, rest)
}

class Health implements DeploymentHealth, CallReportOwner {
  readonly #breaker: CircuitBreaker
  readonly #now: () => number
  /** The longest cool-down, in ms. */
  #coolDownMaxMs: number
  readonly #times = new RecentTimes()
  readonly #rest: KeyRest | undefined
  readonly #coolDown: CoolDown
  /** The cool-down of the server's account alone. */
  readonly #limited: CoolDown
  #inFlight = 0
  #answers = 0

  constructor(breaker: CircuitBreaker, coolDownMaxMs: number, now: () => number, rest: KeyRest | undefined) {
    this.#breaker = breaker
    this.#coolDownMaxMs = coolDownMaxMs
    this.#rest = rest
    this.#now = now
    this.#coolDown = new CoolDown(now)
    this.#limited = new CoolDown(now)
  }

  isAvailable(account: Account = 'server'): boolean {
    return this.waitMs(account) === 0 && !this.#breaker.isProbed
  }

  closedUntil(account: Account = 'server'): number {
    const targets = Math.max(this.#breaker.openUntil, this.#coolDown.until)
    return account === 'caller' ? targets : Math.max(targets, this.#limited.until, this.#rest?.until ?? 0)
  }

  waitMs(account: Account = 'server'): number {
    const until = this.closedUntil(account)
    return until === 0 ? 0 : Math.max(0, until - this.#now())
  }

  state(): BreakerState {
    return this.#breaker.state()
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
    this.#breaker.configure(settings)
    this.#coolDownMaxMs = settings.openMaxMs
  }

  begin(account: Account = 'server', spendsKey = account === 'server'): CallReport {
    this.#inFlight += 1
    const isProbe = this.#breaker.takeProbe()
    const keyUse = spendsKey ? this.#rest?.begin() : undefined
    return createCallReport(this, { epoch: this.#breaker.epoch, isProbe, account, keyUse, answers: this.#answers })
  }

  onAnswer(beginning: Beginning, status: number, ms: number | undefined, retryAfterMs: number | undefined): void {
    this.#answers += 1
    if (ms !== undefined && status >= 200 && status < 300) this.#times.add(ms)
    if (status < 400 && beginning.keyUse !== undefined) this.#rest?.accepted(beginning.keyUse)
    if (retryAfterMs !== undefined) this.#stayAway(beginning, status, retryAfterMs)
    if (status >= 500 && status !== 501 && status !== 505) this.#breaker.onFailure(beginning)
    else this.#breaker.onSuccess(beginning)
  }

  onFailure(beginning: Beginning): void {
    this.#breaker.onFailure(beginning)
  }

  onRefusal(beginning: Beginning): number | undefined {
    this.#answers += 1
    // The target itself is there.
    this.#breaker.onSuccess(beginning)
    return beginning.keyUse === undefined ? undefined : this.#rest?.refused(beginning.keyUse)
  }

  onOutwaited(beginning: Beginning, ms: number): void {
    const isSilent = beginning.answers === this.#answers
    if (isSilent && ms >= (this.averageMs() ?? 0)) this.#breaker.onFailure(beginning)
    else this.#breaker.onAbandon(beginning)
  }

  onAbandon(beginning: Beginning): void {
    this.#breaker.onAbandon(beginning)
  }

  onEnd(beginning: Beginning, isBroken: boolean | undefined): void {
    this.#inFlight -= 1
    if (isBroken !== undefined) this.#breaker.onBodyEnd(beginning, isBroken)
  }

  #stayAway({ account }: Beginning, status: number, retryAfterMs: number): void {
    const ms = Math.min(retryAfterMs, this.#coolDownMaxMs)
    if (COOLING_STATUSES.has(status)) this.#coolDown.extend(ms)
    else if (status === LIMITED && account === 'server') this.#limited.extend(ms)
  }
}

/** A cool-down: the time for which a target or an account has asked to be left alone. */
class CoolDown {
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

  /** The end of the last one, by its clock; 0: there was none. */
  get until(): number {
    return this.#until
  }
}
