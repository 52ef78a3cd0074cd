import type { KeyDirectory } from './directory/key-directory.ts'
import type { Ledger } from './ledger.ts'
import type { Limiter } from './limiter.ts'
import type { Booking } from './records.ts'

/** Takes rows for the books, and writes them in batches behind the requests. */
export interface BookingQueue {
  /** Adds a row that no reservation holds: of a hit, of a follower. Never throws, never waits. */
  readonly add: (booking: Booking) => void
  /** Resolves once all rows so far are in the books, or can't be written now. */
  readonly flush: () => Promise<void>
}

/** All that a process needs to know its callers and to meter them, opened once. */
export interface Books {
  readonly ledger: Ledger
  readonly directory: KeyDirectory
  readonly limiter: Limiter
  readonly bookings: BookingQueue
  /** Writes what is left, and closes all of it. */
  readonly close: () => Promise<void>
}
