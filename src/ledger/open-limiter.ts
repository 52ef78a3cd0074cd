import type { Log } from '../telemetry/log.ts'
import type { BookingQueue } from './books.ts'
import { countersFolder } from './counters/counters-folder.ts'
import { openLocalLimiter } from './counters/local-limiter.ts'
import type { Ledger } from './ledger.ts'
import type { Limiter } from './limiter.ts'

/** The dependencies of a limiter. */
export interface OpenLimiterDeps {
  /** The setting that `openLedger` opens. */
  readonly store: string
  readonly ledger: Pick<Ledger, 'spent' | 'book'>
  readonly bookings: Pick<BookingQueue, 'add'>
  readonly log: Pick<Log, 'warn'>
}

/**
 * Opens what limits are decided by. Rejects with a `LimiterError` where the counters can't be kept where they belong.
 *
 * @example
 * const limiter = await openLimiter({ store: 'sqlite:/var/lib/nexcode/ledger.db', ledger, bookings, log })
 */
export function openLimiter({ store, ledger, bookings, log }: OpenLimiterDeps): Promise<Limiter> {
  return openLocalLimiter({ folder: countersFolder(store), ledger, bookings, log })
}
