import { parseBookings } from '../counters/booking-record.ts'
import { BookingStatements } from './booking-statements.ts'
import { ObjectStatements } from './object-statements.ts'
import { openDatabase } from './open-database.ts'
import { RecordStatements } from './record-statements.ts'

/** The books in one connection to a file, each call of them at once. */
export type SqliteBooks = ReturnType<typeof openSqliteBooks>

/**
 * Opens the books in a file of SQLite. Throws an `OpenLedgerError`; each function throws SQLite's error.
 *
 * @example
 * const books = openSqliteBooks('/var/lib/nexcode/ledger.db')
 */
export function openSqliteBooks(path: string, onMigrate: (from: number) => void = () => undefined) {
  const database = openDatabase(path, onMigrate)
  const records = new RecordStatements(database)
  const objects = new ObjectStatements(database)
  const bookings = new BookingStatements(database, objects)
  return {
    version: () => records.version(),
    directory: (after: string) => records.directory(after),
    changesSince: (version: number) => records.changesSince(version),
    find: records.find.bind(records),
    list: records.list.bind(records),
    edit: records.edit.bind(records),
    /** `rows`: bookings as `stringifyBookings` writes them: a message of text costs half of one of objects. */
    book: (rows: string) => bookings.book(parseBookings(rows)),
    bookings: bookings.rows.bind(bookings),
    usage: bookings.usage.bind(bookings),
    spent: bookings.spent.bind(bookings),
    lastUsed: bookings.lastUsed.bind(bookings),
    audit: records.audit.bind(records),
    remember: objects.remember.bind(objects),
    object: objects.find.bind(objects),
    objects: objects.list.bind(objects),
    forget(before: number) {
      bookings.forget(before)
      objects.forget(before)
    },
    extent: bookings.extent.bind(bookings),
    close: () => database.close(),
  }
}
