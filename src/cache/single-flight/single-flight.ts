import { type CallResult, CoalescedCall, type ShareOptions, type SingleFlightDeps } from './coalesced-call.ts'

/** One request's part in a flight. */
export interface Participant<Note> {
  /** The leader is the one whose request started it. */
  readonly role: 'leader' | 'follower'
  /** An answer of its own, with its own headers and the whole body. */
  readonly answer: Promise<CallResult<Note>>
}

/** Identical requests that are under way, each as one call. */
export interface SingleFlight<Note> {
  /**
   * Joins the flight of a key, or begins it with `start`. A call that fails fails for all who wait for it, with one error. It
   * is made for none of them in particular: `start` gets a controller of the flight's own, which is aborted when all have left,
   * and with which it may give the call up by itself.
   */
  join(
    key: string,
    start: (abort: AbortController) => Promise<CallResult<Note>>,
    options: ShareOptions,
  ): Participant<Note>
  /**
   * Resolves when it is known whether the answer of a key's flight, which has come to its end, is a good one: before, nobody should join
   * it, who could have come later as well. undefined: there is nothing to wait for.
   */
  judged(key: string): Promise<void> | undefined
  /** Whether a key can be joined now. */
  has(key: string): boolean
  /** How many keys can be joined now. */
  readonly size: number
  /** Resolves when there is none. */
  idle(): Promise<void>
}

/**
 * Makes the register of flights; a finished one is forgotten at once.
 *
 * @example
 * const flights = createFlights<Deployment>({ now: () => performance.now(), keptBytesMax: 8 * MIB })
 * const { role, answer } = flights.join(key, start, { signal: exchange.abort.signal, runsOn: false })
 */
export function createSingleFlight<Note>(deps: SingleFlightDeps): SingleFlight<Note> {
  const flights = new Map<string, CoalescedCall<Note>>()
  const idle: (() => void)[] = []
  return {
    join(key, start, options) {
      const { signal } = options
      if (signal.aborted) return { role: 'follower', answer: Promise.reject(signal.reason) }
      const known = flights.get(key)
      if (known !== undefined) return { role: 'follower', answer: known.join(signal) }
      const flight = new CoalescedCall<Note>(deps, options, (isTooLarge, chunks) => {
        if (flights.get(key) !== flight) return
        flights.delete(key)
        options.onOver?.(isTooLarge, chunks)
        if (flights.size === 0) for (const resolve of idle.splice(0)) resolve()
      })
      flights.set(key, flight)
      const answer = flight.join(signal)
      flight.begin(start)
      return { role: 'leader', answer }
    },
    judged: (key) => flights.get(key)?.judged,
    has: (key) => flights.has(key),
    get size() {
      return flights.size
    },
    idle: () => (flights.size === 0 ? Promise.resolve() : new Promise((resolve) => void idle.push(resolve))),
  }
}
