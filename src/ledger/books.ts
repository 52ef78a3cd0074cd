import type { KeyDirectory } from './directory/key-directory.ts'
import type { Ledger } from './ledger.ts'
import type { Limiter } from './limiter.ts'
import type { Booking } from './records.ts'

/** Takes rows for the books, and writes them in batches behind the requests. */
export interface BookingQueue {
  /**
   * Adds a row. `onBooked` is called once it is in the books, or can never be: whoever holds it elsewhere until then gives it, and such a row
   * is never dropped. Of others (those of hits, of followers) so many wait while the books are down, and no more. Never throws, never waits.
   */
  readonly add: (booking: Booking, onBooked?: () => void) => void
  /** Resolves once all rows so far are in the books, or can't be written now. */
  readonly flush: () => Promise<void>
  /** Whether rows can be written now; the reason where they can't. */
  readonly state: () => 'ok' | { readonly down: string }
  /** Writes what is left, if it can be written, and takes no more. The ledger stays open. */
  readonly close: () => Promise<void>
}

/** All that a process needs to know its callers and to meter them, opened once. */
export interface Books {
  readonly ledger: Ledger
  readonly directory: KeyDirectory
  readonly limiter: Limiter
  readonly bookings: BookingQueue
  /**
   * Resolves once what was edited before is in force here, and in the other processes that share the ledger, which look for changes. Rejects with
   * a `LedgerError`.
   */
  readonly spread: () => Promise<void>
  /** Writes what is left, and closes all of it. */
  readonly close: () => Promise<void>
}
