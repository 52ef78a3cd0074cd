import type { Log } from '../telemetry/log.ts'
import type { BookingQueue } from './books.ts'
import { countersFolder } from './counters/counters-folder.ts'
import { openLocalLimiter } from './counters/local-limiter.ts'
import type { Ledger } from './ledger.ts'
import type { Limiter } from './limiter.ts'
import { openRedisLimiter } from './redis/redis-limiter.ts'
import type { RedisServerDeps } from './redis/redis-scripts.ts'
import { shareOnDown } from './share-on-down.ts'

/** The dependencies of a limiter. */
export interface OpenLimiterDeps {
  /** The setting that `openLedger` opens. */
  readonly store: string
  /** Where many nodes decide together; undefined: the processes of this machine do. */
  readonly redis: RedisServerDeps | undefined
  /** Whether calls are refused now while limits can't be decided, or allowed within a share of them. */
  readonly onDown: () => 'refuse' | 'allow'
  readonly ledger: Pick<Ledger, 'spent' | 'book'>
  readonly bookings: Pick<BookingQueue, 'add'>
  readonly log: Pick<Log, 'warn' | 'info'>
}

/**
 * Opens what limits are decided by. Rejects with a `LimiterError` where the counters can't be kept where they belong. A Redis that is away is
 * no error: it is connected to when it is used.
 *
 * @example
 * const limiter = await openLimiter({ store: 'sqlite:/var/lib/nexcode/ledger.db', redis, onDown: () => 'refuse', ledger, bookings, log })
 */
export async function openLimiter(deps: OpenLimiterDeps): Promise<Limiter> {
  const { store, redis, onDown, ledger, bookings, log } = deps
  const limiter =
    redis === undefined
      ? await openLocalLimiter({ folder: countersFolder(store), ledger, bookings, log })
      : openRedisLimiter({ server: redis, ledger, bookings, log })
  return shareOnDown(limiter, { bookings, log, isAllowed: () => onDown() === 'allow' })
}
