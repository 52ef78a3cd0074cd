import { ApiError } from '../openai/api-error.ts'

/** How many exchanges are under way, and whether new ones are let in. */
export interface Admission {
  /** Lets one in, or throws `overloaded` or `draining`. The function it gives back is to be called once, at the end. */
  readonly admit: () => () => void
  /** From now on nobody new is let in. Resolves when the last one has ended. */
  readonly drain: () => Promise<void>
  readonly isDraining: () => boolean
  readonly inFlight: () => number
}

/**
 * Makes the counter of exchanges in flight.
 *
 * @example
 * const admission = createAdmission(config.limits.inFlightMax)
 */
export function createAdmission(inFlightMax: number): Admission {
  let inFlight = 0
  let isDraining = false
  const idle = Promise.withResolvers<void>()

  const settle = (): void => {
    if (isDraining && inFlight === 0) idle.resolve()
  }

  const release = (): void => {
    inFlight -= 1
    settle()
  }

  return {
    admit() {
      if (isDraining) throw new ApiError('draining')
      if (inFlight >= inFlightMax) throw new ApiError('overloaded')
      inFlight += 1
      return release
    },
    drain() {
      isDraining = true
      settle()
      return idle.promise
    },
    isDraining: () => isDraining,
    inFlight: () => inFlight,
  }
}
