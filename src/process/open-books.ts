import type { Secret } from '../config/secret.ts'
import type { Settings } from '../config/settings.ts'
import { awaitLedger } from '../ledger/awaited-ledger.ts'
import { createBookingQueue } from '../ledger/booking-queue.ts'
import type { Books } from '../ledger/books.ts'
import { declaredRecords } from '../ledger/declared-records.ts'
import { KeyDirectory } from '../ledger/directory/key-directory.ts'
import { makeFirstRecords } from '../ledger/first-records.ts'
import { openLedger } from '../ledger/open-ledger.ts'
import { takeDeclared } from '../ledger/take-declared.ts'
import type { Log } from '../telemetry/log.ts'
import { BooksBeginning, LOOK_MS } from './books-beginning.ts'
import { EditedBudgets } from './edited-budgets.ts'
import { keepRetention } from './keep-retention.ts'
import { openLimits } from './open-limits.ts'

/** The dependencies of the books. */
export interface OpenBooksDeps {
  readonly log: Log
  readonly sha256: (text: string) => Uint8Array
  /** Whether workers share the ledger. */
  readonly isWorker: boolean
}

/** After so long the others have looked, unless they are very busy. */
const SPREAD_MS = LOOK_MS + 50

/** The books of a process, and how it takes over what another file says of them. */
export interface OpenedBooks {
  readonly books: Books
  /** Rejects with an `OpenLedgerError` or a `LedgerError`, and changes nothing then. */
  readonly take: (settings: Settings) => Promise<void>
}

/**
 * Opens the books of a process: the ledger, its keys in memory, and what limits are decided by. From then on the keys follow the ledger's
 * changes, and go on while it can't be read; the log says so once. A ledger that is away is waited for: no key is known until then.
 *
 * Rejects with an `OpenLedgerError` where the ledger can't be opened.
 *
 * @example
 * const { books } = await openBooks(store, config.settings, { log, sha256, isWorker: false })
 */
export async function openBooks(store: Secret, settings: Settings, deps: OpenBooksDeps): Promise<OpenedBooks> {
  const { log, sha256 } = deps
  const place = store.reveal()
  const ledger = await awaitLedger({
    open: () => openLedger(place, (from) => log.warn({ from }, MIGRATING)),
    log,
  })
  let edited: EditedBudgets | undefined
  const directory = new KeyDirectory({
    ledger,
    sha256,
    now: () => performance.now(),
    onEdit: (record) => edited?.note(record),
  })
  let inForce = settings
  const onLook = async (): Promise<void> => edited?.settle()
  const beginning = new BooksBeginning({ directory, log, onLook }, async () => {
    await makeFirstRecords(ledger, Math.floor(Date.now() / 1000))
    await takeFile({ ledger, directory }, inForce, deps)
  })
  try {
    await beginning.try()
  } catch (cause) {
    await ledger.close()
    throw cause
  }
  if (place === 'memory')
    log.warn({}, 'the ledger is in memory: keys, usage and what was spent are forgotten when this process ends')
  const stopRetention = keepRetention(() => inForce.ledger, { ledger, log, now: Date.now })
  const bookings = createBookingQueue({ ledger, log })
  const onDown = () => inForce.ledger.onDown
  const limiter = await openLimits(settings.ledger, { store: place, ledger, bookings, log, onDown })
  edited = new EditedBudgets({ directory, bookings, limiter })
  const books: Books = {
    ledger,
    directory,
    limiter,
    bookings,
    async spread() {
      await directory.follow()
      if (deps.isWorker || place.startsWith('postgres')) await new Promise((resolve) => setTimeout(resolve, SPREAD_MS))
      await onLook()
    },
    async close() {
      beginning.stop()
      stopRetention()
      await bookings.flush()
      await limiter.close()
      await bookings.close()
      await ledger.close()
    },
  }
  const take = async (changed: Settings): Promise<void> => {
    if (beginning.isOver) await takeFile(books, changed, deps)
    else declaredRecords(changed.records, sha256, 0)
    inForce = changed
  }
  return { books, take }
}

/**
 * Puts the projects and keys that the file declares into the ledger, and in force in this process. Rejects with a `LedgerError`, or an
 * `OpenLedgerError` where a key is declared twice.
 */
async function takeFile(
  { ledger, directory }: Pick<Books, 'ledger' | 'directory'>,
  settings: Settings,
  { log, sha256 }: Pick<OpenBooksDeps, 'log' | 'sha256'>,
): Promise<void> {
  const now = Math.floor(Date.now() / 1000)
  const { put, removed } = await takeDeclared(ledger, declaredRecords(settings.records, sha256, now), now)
  if (put.length > 0 || removed.length > 0)
    log.info({ put, removed }, 'projects and keys of the file are in the ledger')
  await directory.follow()
}

const MIGRATING = 'the ledger’s tables are brought to this version: with millions of rows that takes minutes'
