/** The slowest rate that a body may come at. */
export interface UploadPace {
  /** Bytes per second, measured over `windowMs` of waiting; 0: any rate. */
  readonly bytesPerSecondMin: number
  readonly windowMs: number
}

/**
 * Measures whether the body of a request comes too slowly: a client that sends a byte now and then is never idle, and would hold its
 * connection for ever. Only time in which the server waits for the client counts; bytes that were sent ahead are no credit.
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

  /** The server waits for the client from now on. */
  wait(at: number): void {
    this.#since ??= at
  }

  /** The server does not wait any more, until the next `wait`. */
  rest(): void {
    this.#since = undefined
  }

  /** Counts bytes that have come. */
  come(bytes: number): void {
    this.#bytes += bytes
  }

  /** Whether the client has been too slow by now; to be asked when bytes have come. */
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
