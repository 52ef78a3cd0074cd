import { type DirectoryRow, type Ledger, LedgerError, RecordsChangedError } from '../ledger.ts'
import { BookingStatements } from './booking-statements.ts'
import { openDatabase, sqliteCodeOf } from './open-database.ts'
import { RecordStatements } from './record-statements.ts'

/** SQLite's errors about what is written, rather than about the file. */
const NEVER = /^SQLITE_(?:CONSTRAINT|MISMATCH|RANGE|TOOBIG)/

/**
 * Opens the books in a file of SQLite, which is made where it is missing, for its owner alone; `IN_MEMORY` keeps them for as long as the
 * process lives. Throws an `OpenLedgerError`.
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

async function* rowsOf(records: RecordStatements): AsyncGenerator<readonly DirectoryRow[]> {
  for (let after = ''; ; ) {
    const part = records.directory(after)
    if (part.length > 0) yield part
    const last = part.at(-1)
    if (last === undefined) return
    after = last.id
  }
}

/** Errors of the store become `LedgerError`s; others say that what was asked for is wrong. */
async function attempt<T>(work: () => T): Promise<T> {
  try {
    return work()
  } catch (cause) {
    if (cause instanceof RecordsChangedError || isOfValue(cause)) throw cause
    throw new LedgerError('The ledger can not be used now.', { cause })
  }
}

function isOfValue(cause: unknown): boolean {
  return cause instanceof TypeError || cause instanceof SyntaxError || NEVER.test(sqliteCodeOf(cause))
}
