import type { BreakerSettings, ConcurrencySettings, HedgeSettings, RetrySettings } from '../settings.ts'

/** What holds in a file that says nothing else about retries. */
export const RETRY_DEFAULTS: RetrySettings = {
  attempts: 3,
  on: ['connect', 429, 503, 529],
  baseMs: 250,
  maxMs: 8_000,
  retryAfterMaxMs: 10_000,
  budgetPercent: 10,
}

/** What holds in a file that says nothing else about breakers. */
export const BREAKER_DEFAULTS: BreakerSettings = {
  failures: 5,
  rate: 0.5,
  minimum: 20,
  windowMs: 30_000,
  openMs: 30_000,
  openMaxMs: 300_000,
}

/** What completes the hedging that a file asks for. */
export const HEDGE_DEFAULTS: HedgeSettings = { percentile: 95, minMs: 100, budgetPercent: 5 }

/** What completes a limit of calls at once. */
export const QUEUE_DEFAULTS: Omit<ConcurrencySettings, 'max'> = { queue: 0, queueMs: 10_000 }

/** What completes the active check that a file asks for; its path is the preset's where that has one. */
export const CHECK_DEFAULTS = { path: '/models', everyMs: 30_000, timeoutMs: 5_000 } as const
