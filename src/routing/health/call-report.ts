import type { BreakerCall } from './circuit-breaker.ts'
import type { KeyUse } from './key-rest.ts'

/**
 * The account with the upstream that pays for a call. Findings about a caller's own key, organization or project (its limits, a refusal)
 * say nothing about others.
 */
export type Account = 'server' | 'caller'

/** Reports the outcome of one call to its deployment: first one of the other methods, then `ended`. A second report does not count. */
export interface CallReport {
  /**
   * The answer's headers have come, after `ms`. A status of 500 or more counts as a failure (501 and 505 do not); any other closes a
   * half-open breaker. With `retryAfterMs`, a 503 or 529 makes the deployment cool down that long, and a 429 does so for calls on the
   * server's account, if this call is one. `ms` undefined: how long it took says nothing about other calls.
   *
   * @example
   * report.answered(answer.status, now() - sentAt, parseRetryAfter(answer.headers, Date.now()))
   */
  answered(status: number, ms: number | undefined, retryAfterMs?: number): void
  /** No valid answer, by the target's fault: connect, timeout, reset, invalid. */
  failed(): void
  /**
   * The upstream has refused the server's key, which rests now at all targets. Gives for how long, in ms; undefined: it rested already, or
   * the call spent no key of the server.
   */
  refused(): number | undefined
  /**
   * The client's time ran out after `ms` without an answer. It counts as a failure where the target has answered nobody meanwhile
   * and usually takes no longer; else the client was too hasty, and it is nobody's fault.
   */
  outwaited(ms: number): void
  /** The client left before an answer, which is nobody's fault. Another call may be the probe. */
  abandoned(): void
  /** The call is over. `isBroken`: the body broke off by the target's fault; undefined: nobody can tell. */
  ended(isBroken?: boolean): void
}

/** The state of a deployment when a call began. */
export interface Beginning extends BreakerCall {
  readonly account: Account
  /** undefined: the call spends no key of the server. */
  readonly keyUse: KeyUse | undefined
  /** The number of answers that the deployment had given by then. */
  readonly answers: number
}

/** Is told the outcome of a call. */
export interface CallReportOwner {
  onAnswer(beginning: Beginning, status: number, ms: number | undefined, retryAfterMs: number | undefined): void
  onFailure(beginning: Beginning): void
  onRefusal(beginning: Beginning): number | undefined
  onOutwaited(beginning: Beginning, ms: number): void
  onAbandon(beginning: Beginning): void
  /** `isBroken`: whether the body of a good answer broke off; undefined: there was no good answer. */
  onEnd(beginning: Beginning, isBroken: boolean | undefined): void
}

/** Makes the report of a call, which tells its owner each thing once. */
export function createCallReport(owner: CallReportOwner, beginning: Beginning): CallReport {
  return new Call(owner, beginning)
}

/** A class, since there is one for each request. */
class Call implements CallReport {
  readonly #owner: CallReportOwner
  readonly #beginning: Beginning
  #isSettled = false
  #isEnded = false
  #isGood = false

  constructor(owner: CallReportOwner, beginning: Beginning) {
    this.#owner = owner
    this.#beginning = beginning
  }

  answered(status: number, ms: number | undefined, retryAfterMs?: number): void {
    if (!this.#settle()) return
    this.#isGood = status < 400
    this.#owner.onAnswer(this.#beginning, status, ms, retryAfterMs)
  }

  failed(): void {
    if (this.#settle()) this.#owner.onFailure(this.#beginning)
  }

  refused(): number | undefined {
    return this.#settle() ? this.#owner.onRefusal(this.#beginning) : undefined
  }

  outwaited(ms: number): void {
    if (this.#settle()) this.#owner.onOutwaited(this.#beginning, ms)
  }

  abandoned(): void {
    if (this.#settle()) this.#owner.onAbandon(this.#beginning)
  }

  ended(isBroken?: boolean): void {
    if (this.#isEnded) return
    this.#isEnded = true
    // A probe without a reported outcome must not keep all other calls out for good.
    this.abandoned()
    this.#owner.onEnd(this.#beginning, this.#isGood ? isBroken : undefined)
  }

  #settle(): boolean {
    const isFirst = !this.#isSettled
    this.#isSettled = true
    return isFirst
  }
}
