const BUCKETS = 10

/** The calls and failures within the window. */
export interface WindowCounts {
  readonly calls: number
  readonly failures: number
}

/**
 * Counts calls and failures within a sliding window. It is cut into ten buckets of time: counts are
 * forgotten a bucket at a time, and a call costs no memory.
 */
export class FailureWindow {
  readonly #bucketMs: number
  readonly #calls = new Float64Array(BUCKETS)
  readonly #failures = new Float64Array(BUCKETS)
  /** The number of the newest bucket; the ten up to it are within the window. */
  #newest = 0

  /** A window of 0 ms is without end. */
  constructor(windowMs: number) {
    this.#bucketMs = windowMs > 0 ? windowMs / BUCKETS : Number.POSITIVE_INFINITY
  }

  /** Counts a call that ended at `at`, in ms, and gives the window's counts after it. */
  count(at: number, isFailure: boolean): WindowCounts {
    this.#moveTo(Math.floor(at / this.#bucketMs))
    const slot = this.#newest % BUCKETS
    this.#calls[slot] = (this.#calls[slot] ?? 0) + 1
    if (isFailure) this.#failures[slot] = (this.#failures[slot] ?? 0) + 1
    return { calls: sumOf(this.#calls), failures: sumOf(this.#failures) }
  }

  /** Forgets everything. */
  clear(): void {
    this.#calls.fill(0)
    this.#failures.fill(0)
  }

  #moveTo(bucket: number): void {
    if (bucket - this.#newest >= BUCKETS) this.clear()
    else for (let next = this.#newest + 1; next <= bucket; next += 1) this.#empty(next % BUCKETS)
    this.#newest = Math.max(this.#newest, bucket)
  }

  #empty(slot: number): void {
    this.#calls[slot] = 0
    this.#failures[slot] = 0
  }
}

function sumOf(counts: Float64Array): number {
  return counts.reduce((sum, count) => sum + count, 0)
}
