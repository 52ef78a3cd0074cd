import type { Secret } from '../config/secret.ts'
import type { Settings } from '../config/settings.ts'
import { createBookingQueue } from '../ledger/booking-queue.ts'
import type { Books } from '../ledger/books.ts'
import { declaredRecords, declaredTwice } from '../ledger/declared-records.ts'
import { KeyDirectory } from '../ledger/directory/key-directory.ts'
import { makeFirstRecords } from '../ledger/first-records.ts'
import { OpenLedgerError } from '../ledger/ledger.ts'
import { openLedger } from '../ledger/open-ledger.ts'
import { takeDeclared } from '../ledger/take-declared.ts'
import { describeCause } from '../telemetry/describe-error.ts'
import type { Log } from '../telemetry/log.ts'
import { keepRetention } from './keep-retention.ts'
import { openLimits } from './open-limits.ts'

/** The dependencies of the books. */
export interface OpenBooksDeps {
  readonly log: Log
  readonly sha256: (text: string) => Uint8Array
  /** Whether workers share the ledger. */
  readonly isWorker: boolean
}

/** How often changes of the ledger are looked for: a key that was revoked elsewhere has to be refused within a second. */
const LOOK_MS = 250
/** After so long the others have looked, unless they are very busy. */
const SPREAD_MS = LOOK_MS + 50

/**
 * Opens the books of a process: the ledger, its keys in memory, and what limits are decided by. From then on the keys follow the ledger's
 * changes, and go on while it can't be read; the log says so once.
 *
 * Rejects with an `OpenLedgerError` where the ledger can't be opened.
 *
 * @example
 * const books = await openBooks(store, config.settings, { log, sha256, isWorker: false })
 */
export async function openBooks(store: Secret, settings: Settings, deps: OpenBooksDeps): Promise<Books> {
  const { log, sha256 } = deps
  const place = store.reveal()
  const ledger = await openLedger(place)
  const directory = new KeyDirectory({ ledger, sha256, now: () => performance.now() })
  try {
    await makeFirstRecords(ledger, Math.floor(Date.now() / 1000))
    await takeFile({ ledger, directory }, settings, deps)
  } catch (cause) {
    await ledger.close()
    if (cause instanceof OpenLedgerError) throw cause
    throw new OpenLedgerError(`can not be read: ${describeCause(cause)}`, 'Look at the store itself.', cause)
  }
  if (place === 'memory')
    log.warn({}, 'the ledger is in memory: keys, usage and what was spent are forgotten when this process ends')
  const stop = followLedger(directory, log)
  const stopRetention = keepRetention(settings.ledger, { ledger, log, now: Date.now })
  const bookings = createBookingQueue({ ledger, log })
  const limiter = await openLimits(settings.ledger, { store: place, ledger, bookings, log })
  return {
    ledger,
    directory,
    limiter,
    bookings,
    async spread() {
      await directory.follow()
      if (deps.isWorker || place.startsWith('postgres')) await new Promise((resolve) => setTimeout(resolve, SPREAD_MS))
    },
    async close() {
      stop()
      stopRetention()
      await bookings.flush()
      await limiter.close()
      await bookings.close()
      await ledger.close()
    },
  }
}

/**
 * Puts the projects and keys that the file declares into the ledger, and in force in this process. Rejects with a `LedgerError`.
 *
 * @example
 * await takeFile(books, settings, { log, sha256 })
 */
export async function takeFile(
  { ledger, directory }: Pick<Books, 'ledger' | 'directory'>,
  { records }: Settings,
  { log, sha256 }: Pick<OpenBooksDeps, 'log' | 'sha256'>,
): Promise<void> {
  const now = Math.floor(Date.now() / 1000)
  const declared = declaredRecords(records, sha256, now)
  const twice = declaredTwice(declared)
  if (twice !== undefined)
    throw new OpenLedgerError(
      `gets one key twice from the file: ${twice.join(' and ')} have the same digest`,
      'Give each a key of its own: a key says who is calling.',
    )
  const { put, removed } = await takeDeclared(ledger, declared, now)
  if (put.length > 0 || removed.length > 0)
    log.info({ put, removed }, 'projects and keys of the file are in the ledger')
  await directory.follow()
}

/** Looks for changes again and again, each look behind the last one. Gives the function that ends it. */
function followLedger(directory: KeyDirectory, log: Log): () => void {
  let isDown = false
  let isLooking = false
  const look = async (): Promise<void> => {
    if (isLooking) return
    isLooking = true
    try {
      await directory.follow()
      if (isDown) log.info({ keys: directory.size }, 'the ledger can be read again')
      isDown = false
    } catch (cause) {
      if (!isDown) log.error({ cause: describeCause(cause) }, LEDGER_DOWN)
      isDown = true
    } finally {
      isLooking = false
    }
  }
  const timer = setInterval(() => void look(), LOOK_MS)
  timer.unref()
  return () => clearInterval(timer)
}

const LEDGER_DOWN =
  'the ledger can not be read: keys that are known go on, others are answered 503 until it can be read again'
