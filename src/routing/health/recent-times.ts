const KEPT = 128
const SAMPLES_MIN = 20
const NEWEST_SHARE = 0.2

/** The last 128 times of something, in ms, and their moving average. */
export class RecentTimes {
  readonly #ring = new Float64Array(KEPT)
  #count = 0
  #averageMs: number | undefined
  /** The sorted ring; undefined: the ring has changed since. */
  #sorted: Float64Array | undefined

  /** Adds a time. */
  add(ms: number): void {
    this.#ring[this.#count % KEPT] = ms
    this.#count += 1
    this.#sorted = undefined
    this.#averageMs = this.#averageMs === undefined ? ms : this.#averageMs + NEWEST_SHARE * (ms - this.#averageMs)
  }

  /** The moving average, with a fifth of the weight on the newest time; undefined: there was none yet. */
  averageMs(): number | undefined {
    return this.#averageMs
  }

  /** The time that `percent` of those kept do not exceed; undefined below 20 of them. */
  percentile(percent: number): number | undefined {
    const kept = Math.min(this.#count, KEPT)
    if (kept < SAMPLES_MIN) return undefined
    this.#sorted ??= this.#ring.slice(0, kept).sort()
    return this.#sorted[Math.max(0, Math.ceil((percent / 100) * kept) - 1)]
  }
}
