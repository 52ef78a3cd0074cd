import { ApiError } from '../openai/api-error.ts'

/** The exchanges that are under way, and the admission of new ones. */
export interface Admission {
  /**
   * Gives a caller one of the places, or throws `overloaded` or `draining`. `at` is a monotonic time, in ms. A caller that has `arrive`d
   * before is not refused because the server drains since. The function it gives back is to be called once, at the end.
   */
  readonly admit: (caller: string, at: number, hasArrived?: boolean) => () => void
  /**
   * Lets a request send its body before it takes a place, or throws `draining`. The function it gives back is to be called once, when the
   * request need not be waited for any more.
   */
  readonly arrive: () => () => void
  /**
   * Counts a request that has a place and streams its body on: throws `overloaded` if such requests have too many of the
   * places. The function it gives back may be called more than once, when the body is complete and at the end.
   */
  readonly upload: () => () => void
  /** Lets no new exchange in from now on. Resolves when the last one has ended. */
  readonly drain: () => Promise<void>
  readonly isDraining: () => boolean
  readonly inFlight: () => number
  /** Whether nothing is under way. */
  readonly isIdle: () => boolean
}

/** The limits on exchanges under way. */
export interface AdmissionLimits {
  readonly inFlightMax: number
  /** The percentage of the places that one caller may hold while others want some. 100: all. */
  readonly callerSharePercent: number
}

/** One caller is kept to a share if others wanted a place at most this long ago. */
const OTHERS_MS = 60_000
/** The number of callers that are remembered although they have no exchange under way. */
const IDLE_CALLERS_MAX = 4096
/** The share of the places for requests whose bodies stream on. */
const UPLOADS_SHARE = 0.5

/** A caller: its exchanges under way, and the function to call when one of them ends. */
class Caller {
  inFlight = 0
  readonly release: () => void

  constructor(onRelease: () => void) {
    this.release = () => {
      this.inFlight -= 1
      onRelease()
    }
  }
}

/**
 * Makes the counter of exchanges in flight.
 *
 * @example
 * const admission = createAdmission(config.limits)
 */
export function createAdmission({ inFlightMax, callerSharePercent }: AdmissionLimits): Admission {
  const uploadsMax = Math.max(1, Math.floor(inFlightMax * UPLOADS_SHARE))
  const idle = Promise.withResolvers<void>()
  let inFlight = 0
  let arriving = 0
  let uploads = 0
  let isDraining = false

  const isIdle = (): boolean => inFlight === 0 && arriving === 0
  const settle = (): void => {
    if (isDraining && isIdle()) idle.resolve()
  }
  const release = (): void => {
    inFlight -= 1
    settle()
  }
  const seat =
    callerSharePercent === 100 ? () => release : createSeats(shareOf(inFlightMax, callerSharePercent), release)
  const arrived = (): void => {
    arriving -= 1
    settle()
  }

  return {
    admit(caller, at, hasArrived = false) {
      if (isDraining && !hasArrived) throw new ApiError('draining')
      if (inFlight >= inFlightMax) {
        seat(caller, at, true)
        throw new ApiError('overloaded')
      }
      const leave = seat(caller, at, false)
      inFlight += 1
      return leave
    },
    arrive() {
      if (isDraining) throw new ApiError('draining')
      arriving += 1
      return arrived
    },
    upload() {
      if (uploads >= uploadsMax) throw new ApiError('overloaded', { message: TOO_MANY_UPLOADS })
      uploads += 1
      let isOver = false
      return () => {
        if (!isOver) uploads -= 1
        isOver = true
      }
    },
    drain() {
      isDraining = true
      settle()
      return idle.promise
    },
    isDraining: () => isDraining,
    inFlight: () => inFlight,
    isIdle,
  }
}

const TOO_MANY_UPLOADS = 'This server has as many uploads under way as it takes. Please retry shortly.'
const MORE_THAN_A_SHARE =
  'This server has as many requests in flight for you as it takes while others want some. Please retry shortly.'

function shareOf(inFlightMax: number, percent: number): number {
  return Math.max(1, Math.ceil((inFlightMax * percent) / 100))
}

/** Gives a caller a place; with `isFull` there is none, and only the caller's wish for one is remembered. */
type Seat = (caller: string, at: number, isFull: boolean) => () => void

/** Makes the function that keeps a caller to its share of the places while others want some. A caller that is alone has all of them. */
function createSeats(shareMax: number, onRelease: () => void): Seat {
  const callers = new Map<string, Caller>()
  /** The last caller and its time, and the time of the last other caller. */
  let latest: Caller | undefined
  let latestAt = Number.NEGATIVE_INFINITY
  let othersAt = Number.NEGATIVE_INFINITY

  const callerOf = (name: string): Caller => {
    const known = callers.get(name)
    if (known !== undefined) return known
    if (callers.size >= IDLE_CALLERS_MAX) {
      for (const [other, { inFlight }] of callers) if (inFlight === 0) callers.delete(other)
    }
    const caller = new Caller(onRelease)
    callers.set(name, caller)
    return caller
  }

  return (name, at, isFull) => {
    const caller = callerOf(name)
    if (caller !== latest) {
      othersAt = latestAt
      latest = caller
    }
    latestAt = at
    if (isFull) return caller.release
    if (caller.inFlight >= shareMax && at - othersAt < OTHERS_MS)
      throw new ApiError('overloaded', { message: MORE_THAN_A_SHARE })
    caller.inFlight += 1
    return caller.release
  }
}
