import type { Secret } from '../config/secret.ts'
import type { Settings } from '../config/settings.ts'
import { awaitLedger } from '../ledger/awaited-ledger.ts'
import { createBookingQueue } from '../ledger/booking-queue.ts'
import type { Books } from '../ledger/books.ts'
import { declaredRecords } from '../ledger/declared-records.ts'
import { KeyDirectory } from '../ledger/directory/key-directory.ts'
import { makeFirstRecords } from '../ledger/first-records.ts'
import { LedgerError } from '../ledger/ledger.ts'
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

/** The longest pause between two tries to begin, in milliseconds. */
const PAUSE_MS_MAX = 5_000

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
  const directory = new KeyDirectory({ ledger, sha256, now: () => performance.now() })
  let inForce = settings
  const beginning = new BooksBeginning({ directory, log }, async () => {
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
  const books: Books = {
    ledger,
    directory,
    limiter,
    bookings,
    async spread() {
      await directory.follow()
      if (deps.isWorker || place.startsWith('postgres')) await new Promise((resolve) => setTimeout(resolve, SPREAD_MS))
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

interface BeginningParts {
  readonly directory: KeyDirectory
  readonly log: Log
}

/** Waits for books that can't be used at the start, and has the keys follow them once they can. */
class BooksBeginning {
  readonly #parts: BeginningParts
  readonly #begin: () => Promise<void>
  #pauseMs = LOOK_MS
  #timer: ReturnType<typeof setTimeout> | undefined
  #stop = (): void => clearTimeout(this.#timer)
  isOver = false

  constructor(parts: BeginningParts, begin: () => Promise<void>) {
    this.#parts = parts
    this.#begin = begin
  }

  /** Rejects with an `OpenLedgerError` where waiting is of no use. */
  async try(): Promise<void> {
    const { directory, log } = this.#parts
    try {
      await this.#begin()
      this.isOver = true
      if (this.#timer !== undefined) log.info({ keys: directory.size }, 'the ledger can be read: its keys are known')
      this.#stop = followLedger(directory, log)
    } catch (cause) {
      if (!(cause instanceof LedgerError)) throw cause
      if (this.#timer === undefined) log.error({ cause: describeCause(cause) }, LEDGER_AWAY)
      this.#timer = setTimeout(() => void this.#again(), this.#pauseMs)
      this.#timer.unref()
      this.#pauseMs = Math.min(this.#pauseMs * 2, PAUSE_MS_MAX)
    }
  }

  async #again(): Promise<void> {
    try {
      await this.try()
    } catch (cause) {
      this.#parts.log.error({ cause: describeCause(cause) }, 'what the file declares can not be put into the ledger')
    }
  }

  stop(): void {
    this.#stop()
  }
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

const MIGRATING = 'the ledger’s tables are brought to this version: with millions of rows that takes minutes'
const LEDGER_AWAY = 'the ledger can not be used: keys are answered 503 until it can, which is tried again and again'
const LEDGER_DOWN =
  'the ledger can not be read: keys that are known go on, others are answered 503 until it can be read again'
