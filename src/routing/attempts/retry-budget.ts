/** How many extra attempts may be under way at once, over all requests. */
export interface RetryBudget {
  /**
   * Takes an attempt out of the budget, and gives the function to call when that is over (the first call counts); undefined: the
   * budget is spent.
   */
  readonly tryTake: (percent: number) => (() => void) | undefined
}

/**
 * Makes a budget of some percent of the requests under way, and at least `atLeast`. So a few requests can be retried, but an outage does
 * not multiply the load.
 *
 * @example
 * const hedges = createRetryBudget(admission.inFlight, 1)
 */
export function createRetryBudget(liveRequests: () => number, atLeast = 3): RetryBudget {
  let taken = 0
  return {
    tryTake(percent) {
      if (taken >= Math.max(atLeast, Math.floor((percent / 100) * liveRequests()))) return undefined
      taken += 1
      let isTaken = true
      return () => {
        if (isTaken) taken -= 1
        isTaken = false
      }
    },
  }
}
