import type { Log } from '../telemetry/log.ts'
import type { BookingQueue } from './books.ts'
import { type Ledger, LedgerError } from './ledger.ts'
import type { Booking } from './records.ts'

/** How many rows are written at once. */
const BATCH_ROWS = 1_000
/** The longest that a row waits for others. */
const PERIOD_MS = 250
/** The longest pause between two tries to write while the books are down. */
const PAUSE_MS_MAX = 10_000
/** How many rows that nobody else holds wait while the books are down: some 50 MB. */
const UNHELD_ROWS_MAX = 50_000

/** The options of a queue. */
export interface BookingQueueOptions {
  readonly ledger: Pick<Ledger, 'book'>
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>
  /** The longest that a row waits for others, in milliseconds. */
  readonly periodMs?: number
}

interface Row {
  readonly booking: Booking
  readonly onBooked: (() => void) | undefined
}

/**
 * Makes the queue that writes rows behind the requests: a thousand at once, or what came in a quarter of a second. While the books are down
 * it tries again and again, and says so once.
 *
 * @example
 * const bookings = createBookingQueue({ ledger, log })
 * bookings.add(booking, () => reservations.booked(slot))
 */
export function createBookingQueue(options: BookingQueueOptions): BookingQueue {
  const queue = new WaitingRows(options)
  return {
    add: (booking, onBooked) => queue.add({ booking, onBooked }),
    flush: () => queue.flush(),
    state: () => queue.state(),
    close: () => queue.close(),
  }
}

class WaitingRows {
  readonly #options: BookingQueueOptions
  readonly #periodMs: number
  #rows: Row[] = []
  #unheld = 0
  #dropped = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #writing: Promise<void> | undefined
  /** Pauses since the books went down, in milliseconds; 0: they are up. */
  #pauseMs = 0
  #fault = ''
  #isClosed = false

  constructor(options: BookingQueueOptions) {
    this.#options = options
    this.#periodMs = options.periodMs ?? PERIOD_MS
  }

  add(row: Row): void {
    if (row.onBooked === undefined) {
      if (this.#unheld >= UNHELD_ROWS_MAX) {
        this.#dropped += 1
        return
      }
      this.#unheld += 1
    }
    this.#rows.push(row)
    if (this.#pauseMs === 0 && this.#rows.length >= BATCH_ROWS) this.#start()
    else this.#wait(this.#periodMs)
  }

  state(): 'ok' | { readonly down: string } {
    return this.#pauseMs === 0 ? 'ok' : { down: this.#fault }
  }

  /** Tries once. */
  async flush(): Promise<void> {
    // What is being written now may have begun before the last rows came.
    await this.#writing
    this.#start()
    await this.#writing
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.flush()
    clearTimeout(this.#timer)
    if (this.#rows.length > 0)
      this.#options.log.error({ rows: this.#rows.length }, 'rows could not be written to the ledger before the end')
  }

  #wait(ms: number): void {
    if (this.#writing !== undefined || this.#isClosed) return
    this.#timer ??= setTimeout(() => this.#start(), ms)
  }

  #start(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#writing !== undefined || this.#rows.length === 0) return
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined
      if (this.#rows.length > 0) this.#wait(this.#pauseMs === 0 ? this.#periodMs : this.#pauseMs)
    })
  }

  /** Writes all rows that are there, batch by batch, until one can't be written now. */
  async #write(): Promise<void> {
    for (let left = this.#rows.length; left > 0; left -= BATCH_ROWS) {
      const batch = this.#rows.slice(0, BATCH_ROWS)
      try {
        await this.#book(batch)
      } catch (cause) {
        this.#onFault(cause)
        return
      }
      this.#rows = this.#rows.slice(batch.length)
      this.#onWritten(batch)
    }
  }

  /** Writes a batch; where a row in it can never be written, each by itself without it. Throws a `LedgerError`. */
  async #book(batch: readonly Row[]): Promise<void> {
    const { ledger, log } = this.#options
    try {
      await ledger.book(batch.map(({ booking }) => booking))
    } catch (cause) {
      if (cause instanceof LedgerError) throw cause
      const [row] = batch
      if (batch.length === 1) log.error({ err: cause, booking: row?.booking }, 'a row can not be written to the ledger')
      else for (const one of batch) await this.#book([one])
    }
  }

  #onWritten(batch: readonly Row[]): void {
    for (const { onBooked } of batch) {
      if (onBooked === undefined) this.#unheld -= 1
      else onBooked()
    }
    if (this.#pauseMs === 0) return
    this.#pauseMs = 0
    const { log } = this.#options
    log.info({ dropped: this.#dropped }, 'the ledger can be written again')
    this.#dropped = 0
  }

  #onFault(cause: unknown): void {
    this.#fault = cause instanceof Error ? cause.message : 'The ledger can not be written now.'
    if (this.#pauseMs === 0)
      this.#options.log.warn({ err: cause }, 'the ledger can not be written: its rows wait, and are tried again')
    this.#pauseMs = Math.min(Math.max(this.#pauseMs * 2, this.#periodMs), PAUSE_MS_MAX)
  }
}
