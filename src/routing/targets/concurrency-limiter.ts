import type { ConcurrencySettings } from '../../config/sections/upstreams/concurrency.ts'
import { ApiError } from '../../openai/api-error.ts'
import type { Deadlines } from '../../timing/deadlines.ts'

/** Limits how many calls an upstream has at once, and queues the others. */
export interface ConcurrencyLimiter {
  /** Whether `enter` would let a call in at once. */
  hasRoom(): boolean
  /**
   * Takes a slot at once, or waits for one in the order of arrival. Gives the function to call when the call is over; calling it again does
   * nothing. undefined: there is no limit, and nothing to give back.
   *
   * Throws `upstream_busy` where the queue is full. The promise rejects with `queue_timeout` when the wait is over, or with the signal's
   * reason when that aborts.
   *
   * @example
   * const entering = deployment.limiter.enter(exchange.abort.signal)
   * const leave = entering instanceof Promise ? await entering : entering
   */
  enter(signal: AbortSignal): (() => void) | undefined | Promise<() => void>
  inUse(): number
  queued(): number
  /** Sets the limits (undefined: none). Calls under way stay counted, and waiting ones keep their place. */
  configure(limits: ConcurrencySettings | undefined): void
}

/** Makes a limiter without calls. */
export function createConcurrencyLimiter(
  limits: ConcurrencySettings | undefined,
  deadlines: Deadlines,
): ConcurrencyLimiter {
  return new Limiter(limits, deadlines)
}

class Limiter implements ConcurrencyLimiter {
  #limits: ConcurrencySettings | undefined
  readonly #deadlines: Deadlines
  #inUse = 0
  /** For each waiting call, in the order of arrival, the function that lets it in. */
  readonly #waiting = new Set<() => void>()

  constructor(limits: ConcurrencySettings | undefined, deadlines: Deadlines) {
    this.#limits = limits
    this.#deadlines = deadlines
  }

  hasRoom(): boolean {
    return this.#limits === undefined || this.#inUse < this.#limits.max
  }

  inUse(): number {
    return this.#inUse
  }

  queued(): number {
    return this.#waiting.size
  }

  enter(signal: AbortSignal): (() => void) | undefined | Promise<() => void> {
    const limits = this.#limits
    if (limits === undefined) return undefined
    if (this.#inUse < limits.max) return this.#take()
    if (this.#waiting.size >= limits.queue) throw new ApiError('upstream_busy', { retryAfterSeconds: 1 })
    return this.#wait(signal, limits.queueMs)
  }

  configure(limits: ConcurrencySettings | undefined): void {
    this.#limits = limits
    this.#letIn()
  }

  #take(): () => void {
    this.#inUse += 1
    let isTaken = true
    return () => {
      if (!isTaken) return
      isTaken = false
      this.#inUse -= 1
      this.#letIn()
    }
  }

  /** Hands free slots to those that have waited longest. */
  #letIn(): void {
    for (const letIn of this.#waiting) {
      if (!this.hasRoom()) return
      letIn()
    }
  }

  #wait(signal: AbortSignal, queueMs: number): Promise<() => void> {
    if (signal.aborted) return Promise.reject(signal.reason)
    const { promise, resolve, reject } = Promise.withResolvers<() => void>()
    const leaveQueue = (): void => {
      this.#waiting.delete(letIn)
      deadline.clear()
      signal.removeEventListener('abort', onAbort)
    }
    const letIn = (): void => {
      leaveQueue()
      resolve(this.#take())
    }
    const onAbort = (): void => {
      leaveQueue()
      reject(signal.reason)
    }
    const deadline = this.#deadlines.start(queueMs, () => {
      leaveQueue()
      reject(new ApiError('queue_timeout'))
    })
    this.#waiting.add(letIn)
    signal.addEventListener('abort', onAbort)
    return promise
  }
}
