import type { KeyUse } from '../health/key-rest.ts'

/**
 * Whose account with the upstream a call is made on. What is learnt of a caller's own key, organization or project (its
 * limits, a refusal) says nothing about others.
 */
export type Account = 'server' | 'caller'

/** One call at a deployment. One of those before `ended` is called, then that; what comes a second time does not count. */
export interface CallReport {
  /**
   * The answer's headers have come, after `ms`. A status of 500 and more counts as a failure (501 and 505 do not); all
   * others close a half-open breaker. `retryAfterMs` with 503 or 529: the deployment cools down that long, and with 429 for those
   * who are on the server's account, as this call is. `ms` undefined: how long it took says nothing about other calls.
   *
   * @example
   * attempt.answered(answer.status, now() - sentAt, parseRetryAfter(answer.headers, Date.now()))
   */
  answered(status: number, ms: number | undefined, retryAfterMs?: number): void
  /** No answer, or none that is one, by the target's fault: connect, timeout, reset, invalid. */
  failed(): void
  /**
   * The upstream has refused the server's key: that rests, whatever the target. Gives how long, in ms; undefined: it rested
   * already, or the call spent no key of the server's.
   */
  refused(): number | undefined
  /**
   * The client's time ran out after `ms` without an answer. A failure, where the target has answered nobody meanwhile and
   * usually takes no longer; else the client was too hasty, and it is nobody's fault.
   */
  outwaited(ms: number): void
  /** The client left before an answer: nobody's fault. Frees the probe. */
  abandoned(): void
  /** The exchange with the deployment is over: its body has ended, `isBroken`: before its time, by the target's fault; undefined: that can't be told. */
  ended(isBroken?: boolean): void
}

/** The state of a deployment when a call began. */
export interface Beginning {
  /** Between two openings or closings of the breaker. */
  readonly era: number
  /** Whether it is the one that a half-open breaker lets through. */
  readonly isProbe: boolean
  readonly account: Account
  /** undefined: no key of the server's is spent. */
  readonly keyUse: KeyUse | undefined
  /** Answers that the deployment had given by then. */
  readonly answers: number
}

/** Who is told how an attempt went. */
export interface CallReportOwner {
  onAnswer(beginning: Beginning, status: number, ms: number | undefined, retryAfterMs: number | undefined): void
  onFailure(beginning: Beginning): void
  onRefusal(beginning: Beginning): number | undefined
  onOutwaited(beginning: Beginning, ms: number): void
  onAbandon(beginning: Beginning): void
  /** `isBroken`: of a good answer, whether its body broke; undefined: there was none. */
  onEnd(beginning: Beginning, isBroken: boolean | undefined): void
}

/** Makes the attempt that tells its owner what becomes of it, each thing once. */
export function createCallReport(owner: CallReportOwner, beginning: Beginning): CallReport {
  return new Call(owner, beginning)
}

/** A class, because there is one for every request. */
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
    // A probe whose outcome nobody told must not keep all others out for good.
    this.abandoned()
    this.#owner.onEnd(this.#beginning, this.#isGood ? isBroken : undefined)
  }

  #settle(): boolean {
    const isFirst = !this.#isSettled
    this.#isSettled = true
    return isFirst
  }
}
