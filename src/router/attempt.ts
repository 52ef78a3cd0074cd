/** One call at a lane. One of the first three is called, then `ended`; what comes a second time does not count. */
export interface Attempt {
  /**
   * The answer's headers have come, after `ms`. A status of 500 and more counts as a failure (501 and 505 do not); all
   * others close a half-open breaker. `retryAfterMs` with 429, 503 or 529: the lane cools down that long. `ms` undefined:
   * how long it took says nothing about other calls.
   *
   * @example
   * attempt.answered(answer.status, now() - sentAt, parseRetryAfter(answer.headers, Date.now()))
   */
  answered(status: number, ms: number | undefined, retryAfterMs?: number): void
  /** No answer, or none that is one, by the target's fault: connect, timeout, reset, invalid. */
  failed(): void
  /** The client left before an answer, or its deadline ran out: nobody's fault. Frees the probe. */
  abandoned(): void
  /** The exchange with the lane is over: its body has ended, `isBroken`: before its time, by the target's fault. */
  ended(isBroken?: boolean): void
}

/** The state of a breaker when a call began. */
export interface Beginning {
  /** Between two openings or closings. */
  readonly era: number
  /** Whether it is the one that a half-open breaker lets through. */
  readonly isProbe: boolean
}

/** Who is told how an attempt went. */
export interface AttemptOwner {
  onAnswer(beginning: Beginning, status: number, ms: number | undefined, retryAfterMs: number | undefined): void
  onFailure(beginning: Beginning): void
  onAbandon(beginning: Beginning): void
  /** `isBroken`: of a good answer, whether its body broke; undefined: there was none. */
  onEnd(beginning: Beginning, isBroken: boolean | undefined): void
}

/** Makes the attempt that tells its owner what becomes of it, each thing once. */
export function createAttempt(owner: AttemptOwner, beginning: Beginning): Attempt {
  return new Call(owner, beginning)
}

/** A class, because there is one for every request. */
class Call implements Attempt {
  readonly #owner: AttemptOwner
  readonly #beginning: Beginning
  #isSettled = false
  #isEnded = false
  #isGood = false

  constructor(owner: AttemptOwner, beginning: Beginning) {
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

  abandoned(): void {
    if (this.#settle()) this.#owner.onAbandon(this.#beginning)
  }

  ended(isBroken = false): void {
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
