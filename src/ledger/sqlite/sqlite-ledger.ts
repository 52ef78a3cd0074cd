import { Database } from 'bun:sqlite'
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { type DirectoryRow, type Ledger, LedgerError, RecordsChangedError } from '../ledger.ts'
import { BookingStatements } from './booking-statements.ts'
import { migrateLedger } from './ledger-schema.ts'
import { RecordStatements } from './record-statements.ts'

/** How long a call waits for another process that writes. */
const BUSY_MS = 2_000
const WAL_BYTES_MAX = 16 * 1024 * 1024

/**
 * Opens the books in a file of SQLite, which is made where it is missing, for its owner alone; `:memory:` keeps them for as long as the
 * process lives.
 *
 * Throws SQLite's error where the file can't be opened, `ForeignLedgerError` for one of another program, and `NewerLedgerError`.
 *
 * @example
 * const ledger = openSqliteLedger('/var/lib/nexcode/ledger.sqlite')
 * await ledger.book([booking])
 */
export function openSqliteLedger(path: string): Ledger {
  const database = openDatabase(path)
  const records = new RecordStatements(database)
  const bookings = new BookingStatements(database)
  return {
    directory: () =>
      attempt(() => {
        const version = records.version()
        return { version, rows: rowsOf(records) }
      }),
    changesSince: (version) => attempt(() => records.changesSince(version)),
    find: (kind, id) => attempt(() => records.find(kind, id)),
    list: (query) => attempt(() => records.list(query)),
    edit: (edit) => attempt(() => records.edit(edit)),
    book: (rows) => attempt(() => bookings.book(rows)),
    usage: (query) => attempt(() => bookings.usage(query)),
    spent: (scope, from, to) => attempt(() => bookings.spent(scope, from, to)),
    lastUsed: (keyIds) => attempt(() => bookings.lastUsed(keyIds)),
    audit: (query) => attempt(() => records.audit(query)),
    forget: (before) => attempt(() => bookings.forget(before)),
    close: () => attempt(() => database.close()),
  }
}

function openDatabase(path: string): Database {
  if (path !== ':memory:') {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    closeSync(openSync(path, 'a', 0o600))
    chmodSync(path, 0o600)
  }
  const database = new Database(path)
  try {
    database.run(`PRAGMA busy_timeout = ${BUSY_MS}`)
    database.run('PRAGMA journal_mode = WAL')
    database.run('PRAGMA synchronous = NORMAL')
    database.run(`PRAGMA journal_size_limit = ${WAL_BYTES_MAX}`)
    migrateLedger(database)
    return database
  } catch (cause) {
    database.close()
    throw cause
  }
}

async function* rowsOf(records: RecordStatements): AsyncGenerator<readonly DirectoryRow[]> {
  for (let after = ''; ; ) {
    const part = records.directory(after)
    if (part.length > 0) yield part
    const last = part.at(-1)
    if (last === undefined) return
    after = last.id
  }
}

async function attempt<T>(work: () => T): Promise<T> {
  try {
    return work()
  } catch (cause) {
    if (cause instanceof RecordsChangedError) throw cause
    throw new LedgerError('The ledger can not be used now.', { cause })
  }
}
