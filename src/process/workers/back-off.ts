/** The growing delay before a process that died is started again. */
export interface BackOff {
  /** Gives the delay for a process that lived for so long. */
  readonly next: (livedMs: number) => number
}

const FIRST_MS = 100
const MAX_MS = 30_000
/** After a life of this length, a death is a new failure and not the last one again. */
const STEADY_MS = 30_000

/**
 * Makes a back-off: 100 ms at first, twice as long after each early death, half a minute at most.
 *
 * @example
 * const backOff = createBackOff()
 * setTimeout(start, backOff.next(performance.now() - startedAt))
 */
export function createBackOff(): BackOff {
  let delayMs = 0
  return {
    next(livedMs) {
      delayMs = delayMs === 0 || livedMs >= STEADY_MS ? FIRST_MS : Math.min(delayMs * 2, MAX_MS)
      return delayMs
    },
  }
}
