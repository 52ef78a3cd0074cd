import type { LedgerSettings } from '../config/sections/ledger.ts'
import { OpenLedgerError } from '../ledger/ledger.ts'
import { type Limiter, LimiterError } from '../ledger/limiter.ts'
import { type OpenLimiterDeps, openLimiter } from '../ledger/open-limiter.ts'
import type { RedisServerDeps } from '../ledger/redis/redis-scripts.ts'
import { RedisConnection } from '../storage/redis/redis-connection.ts'
import { StoreBreaker } from '../storage/store-breaker.ts'
import { createDeadlines } from '../timing/deadlines.ts'

/** The longest that a request waits for Redis to decide, in milliseconds. */
const WAIT_MS = 20

/**
 * Opens what limits are decided by: counters of this machine, or a Redis that nodes share. Rejects with an `OpenLedgerError`.
 *
 * @example
 * const limiter = await openLimits(config.settings.ledger, { store, ledger, bookings, log, onDown })
 */
export async function openLimits({ limits }: LedgerSettings, deps: Omit<OpenLimiterDeps, 'redis'>): Promise<Limiter> {
  try {
    return await openLimiter({ ...deps, redis: limits === undefined ? undefined : redisAt(limits.reveal()) })
  } catch (cause) {
    if (!(cause instanceof LimiterError)) throw cause
    const cure = 'Check the folder, and that this user may write there.'
    throw new OpenLedgerError(`can not count: ${cause.message}`, cure, cause)
  }
}

function redisAt(url: string): RedisServerDeps {
  const deadlines = createDeadlines()
  return {
    connection: new RedisConnection(url, deadlines),
    breaker: (events) => new StoreBreaker(() => performance.now(), events),
    deadlines,
    waitMs: WAIT_MS,
  }
}
