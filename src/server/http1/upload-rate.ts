/** How fast a body has to come. */
export interface UploadPace {
  /** Bytes in a second, over any time of waiting of `windowMs`; 0: any. */
  readonly bytesPerSecondMin: number
  readonly windowMs: number
}

/**
 * Whether the body of a request comes too slowly: a client that sends a byte now and then is never idle, and holds what it holds for
 * ever. Only the time that the client is waited for counts, and what it has sent ahead is no credit.
 *
 * @example
 * const rate = new UploadRate(pace)
 * rate.wait(performance.now())
 * rate.come(bytes)
 * if (rate.isTooSlow(performance.now())) fail()
 */
export class UploadRate {
  readonly #pace: UploadPace
  #since: number | undefined
  #waitedMs = 0
  #bytes = 0

  constructor(pace: UploadPace) {
    this.#pace = pace
  }

  /** From now on the client is waited for. */
  wait(at: number): void {
    this.#since ??= at
  }

  /** Until something of it is wanted again, it may rest. */
  rest(): void {
    this.#since = undefined
  }

  /** So many bytes have come. */
  come(bytes: number): void {
    this.#bytes += bytes
  }

  /** Whether it has been too slow by now; to be asked when something has come. */
  isTooSlow(at: number): boolean {
    this.#waitedMs += at - (this.#since ?? at)
    if (this.#since !== undefined) this.#since = at
    const { bytesPerSecondMin, windowMs } = this.#pace
    if (this.#waitedMs < windowMs) return false
    const isTooSlow = this.#bytes * 1000 < bytesPerSecondMin * this.#waitedMs
    this.#waitedMs = 0
    this.#bytes = 0
    return isTooSlow
  }
}
