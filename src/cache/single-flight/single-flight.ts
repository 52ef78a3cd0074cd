import type { CallResult } from './call-result.ts'
import { CoalescedCall, type ShareOptions, type SingleFlightDeps } from './coalesced-call.ts'

/** One request's part in a call. */
export interface Participant {
  /** The leader's request has started the call; followers have joined it. */
  readonly role: 'leader' | 'follower'
  /** The participant's own answer: its own headers, and the whole body. */
  readonly answer: Promise<CallResult>
}

/** Single flight: equal requests that are under way are one call. */
export interface SingleFlight {
  /**
   * Joins the call of a key, or starts it. A call that fails fails for all who wait for it, with one error. It belongs to none of them:
   * `start` gets the call's own controller, which is aborted when all have left, and with which `start` may give the call up.
   */
  join(key: string, start: (abort: AbortController) => Promise<CallResult>, options: ShareOptions): Participant
  /**
   * Resolves when it is known whether the ended answer of a key's call is a good one. A request that arrives meanwhile waits: it could
   * have come later as well, and then it would not get a bad one. undefined: there is nothing to wait for.
   */
  judged(key: string): Promise<void> | undefined
  /** Whether the call of a key can be joined now. */
  has(key: string): boolean
  /** How many calls can be joined now. */
  readonly size: number
  /** Resolves when no call can be joined any more. */
  idle(): Promise<void>
}

/**
 * Makes single flight. A call that has ended is forgotten at once.
 *
 * @example
 * const calls = createSingleFlight({ now: () => performance.now(), keptBytesMax: 8 * MIB })
 * const { role, answer } = calls.join(key, start, { signal: exchange.abort.signal, runsOn: false })
 */
export function createSingleFlight(deps: SingleFlightDeps): SingleFlight {
  const calls = new Map<string, CoalescedCall>()
  const idle: (() => void)[] = []
  return {
    join(key, start, options) {
      const { signal } = options
      if (signal.aborted) return { role: 'follower', answer: Promise.reject(signal.reason) }
      const known = calls.get(key)
      if (known !== undefined) return { role: 'follower', answer: known.join(signal) }
      const call = new CoalescedCall(deps, options, (isTooLarge, chunks) => {
        if (calls.get(key) !== call) return
        calls.delete(key)
        options.onOver?.(isTooLarge, chunks)
        if (calls.size === 0) for (const resolve of idle.splice(0)) resolve()
      })
      calls.set(key, call)
      const answer = call.join(signal)
      call.begin(start)
      return { role: 'leader', answer }
    },
    judged: (key) => calls.get(key)?.judged,
    has: (key) => calls.has(key),
    get size() {
      return calls.size
    },
    idle: () => (calls.size === 0 ? Promise.resolve() : new Promise((resolve) => void idle.push(resolve))),
  }
}
