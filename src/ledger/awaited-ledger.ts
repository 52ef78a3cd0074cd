import { describeCause } from '../telemetry/describe-error.ts'
import type { Log } from '../telemetry/log.ts'
import { type Ledger, LedgerError, OpenLedgerError, type RecordKind, type RecordQuery } from './ledger.ts'

/** The first and the longest pause between two tries, in milliseconds. */
const PAUSE_MS = 250
const PAUSE_MS_MAX = 10_000

/** The dependencies of `awaitLedger`. */
export interface AwaitLedgerDeps {
  readonly open: () => Promise<Ledger>
  readonly log: Pick<Log, 'warn' | 'error' | 'info'>
}

/**
 * Opens a ledger, or waits behind the caller's back for one whose server is away: until it is there each function rejects with a `LedgerError`, as
 * those of one that has gone away do. The log says both. Rejects with an `OpenLedgerError` where waiting is of no use.
 *
 * @example
 * const ledger = await awaitLedger({ open: () => openLedger('postgres://nexcode@db/nexcode'), log })
 */
export async function awaitLedger({ open, log }: AwaitLedgerDeps): Promise<Ledger> {
  try {
    return await open()
  } catch (cause) {
    if (!isAway(cause)) throw cause
    log.error({ cause: cause.wrong }, AWAY)
    return new AwaitedLedger(open, log)
  }
}

const AWAY = 'the ledger can not be reached: keys are answered 503 until it can, which is tried again and again'

function isAway(cause: unknown): cause is OpenLedgerError {
  return cause instanceof OpenLedgerError && cause.isAway
}

class AwaitedLedger implements Ledger {
  readonly #open: () => Promise<Ledger>
  readonly #log: AwaitLedgerDeps['log']
  readonly #end = new AbortController()
  #ledger: Ledger | undefined
  #fault = 'It could not be reached at the start.'
  #timer: ReturnType<typeof setTimeout> | undefined
  #opening: Promise<void> | undefined

  constructor(open: () => Promise<Ledger>, log: AwaitLedgerDeps['log']) {
    this.#open = open
    this.#log = log
    this.#wait(PAUSE_MS)
  }

  #wait(pauseMs: number): void {
    this.#timer = setTimeout(() => {
      this.#opening = this.#try(pauseMs)
    }, pauseMs)
    this.#timer.unref()
  }

  async #try(pauseMs: number): Promise<void> {
    try {
      const ledger = await this.#open()
      this.#ledger = ledger
      if (this.#end.signal.aborted) await ledger.close()
      else this.#log.info({}, 'the ledger is there')
    } catch (cause) {
      const fault = describeCause(cause)
      // Of another kind than before: somebody has to do something.
      if (!isAway(cause) && fault !== this.#fault) this.#log.error({ cause: fault }, 'the ledger can not be opened')
      this.#fault = fault
      if (!this.#end.signal.aborted) this.#wait(Math.min(pauseMs * 2, PAUSE_MS_MAX))
    }
  }

  /** The ledger that is there by now. Rejects with a `LedgerError`. */
  async #now(): Promise<Ledger> {
    if (this.#ledger === undefined)
      throw new LedgerError('The ledger is not there yet.', { cause: new Error(this.#fault) })
    return this.#ledger
  }

  directory = async () => (await this.#now()).directory()
  changesSince: Ledger['changesSince'] = async (version) => (await this.#now()).changesSince(version)
  find: Ledger['find'] = async (kind, id) => (await this.#now()).find(kind, id)
  list = async <K extends RecordKind>(query: RecordQuery<K>) => (await this.#now()).list(query)
  edit: Ledger['edit'] = async (edit) => (await this.#now()).edit(edit)
  book: Ledger['book'] = async (bookings) => (await this.#now()).book(bookings)
  bookings: Ledger['bookings'] = async (after, limit) => (await this.#now()).bookings(after, limit)
  usage: Ledger['usage'] = async (query) => (await this.#now()).usage(query)
  spent: Ledger['spent'] = async (scope, from, to) => (await this.#now()).spent(scope, from, to)
  lastUsed: Ledger['lastUsed'] = async (keyIds) => (await this.#now()).lastUsed(keyIds)
  audit: Ledger['audit'] = async (query) => (await this.#now()).audit(query)
  remember: Ledger['remember'] = async (objects) => (await this.#now()).remember(objects)
  object: Ledger['object'] = async (id) => (await this.#now()).object(id)
  objects: Ledger['objects'] = async (after, limit) => (await this.#now()).objects(after, limit)
  forget: Ledger['forget'] = async (before) => (await this.#now()).forget(before)
  extent = async () => (await this.#now()).extent()

  async close(): Promise<void> {
    this.#end.abort()
    clearTimeout(this.#timer)
    await this.#opening
    await this.#ledger?.close()
  }
}
