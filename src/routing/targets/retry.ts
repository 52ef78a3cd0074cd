import type { RetryCause, RetrySettings } from '../../config/sections/retry.ts'
import { parseHttpDate } from './http-date.ts'

/** How many extra attempts may be under way at once, over all requests. */
export interface RetryBudget {
  /** Takes an attempt out of the budget, and gives the function to call when that is over (the first call counts); undefined: the budget is spent. */
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

/**
 * Whether another attempt may follow a failure.
 *
 * @example
 * if (!isRetried(route.resilience.retry, failure.cause)) throw error
 */
export function isRetried(settings: RetrySettings, cause: RetryCause): boolean {
  return settings.on.includes(cause)
}

/**
 * Gives how long to wait before the same target is asked again, in ms: any time up to `baseMs` · 2ⁿ (full jitter), where n is the number
 * of repeats before this one. It is at least `Retry-After` plus up to `baseMs`, so that not all clients come back at once.
 *
 * undefined: `Retry-After` is too long to be waited for.
 *
 * @example
 * const waitMs = backOffMs(retry, 0, failure.retryAfterMs, Math.random)
 */
export function backOffMs(
  settings: RetrySettings,
  repeat: number,
  retryAfterMs: number | undefined,
  random: () => number,
): number | undefined {
  const share = random()
  const jittered = share * Math.min(settings.maxMs, settings.baseMs * 2 ** repeat)
  if (retryAfterMs === undefined) return jittered
  if (retryAfterMs > settings.retryAfterMaxMs) return undefined
  return Math.max(jittered, retryAfterMs + share * settings.baseMs)
}

/** A number of the headers below; OpenAI's own SDKs take fractions, too. */
const NUMBER = /^\d{1,15}(?:\.\d{1,15})?$/

/**
 * Reads how long an answer asks to be left alone, in ms: `retry-after-ms`, else `Retry-After` in seconds or as a date (RFC 9110
 * §10.2.3). undefined: the header is absent, past or not well-formed.
 *
 * @param nowMs The time that dates are compared with: `Date.now()`.
 *
 * @example
 * health.answered(answer.status, ms, parseRetryAfter(answer.headers, Date.now()))
 */
export function parseRetryAfter(headers: Headers, nowMs: number): number | undefined {
  const ms = headers.get('retry-after-ms')
  if (ms !== null && NUMBER.test(ms)) return Number(ms)
  const after = headers.get('retry-after')
  if (after === null) return undefined
  if (NUMBER.test(after)) return Number(after) * 1000
  const date = parseHttpDate(after, nowMs)
  return date === undefined || date < nowMs ? undefined : date - nowMs
}
