import type { Database } from 'bun:sqlite'
import { NewerLedgerError } from '../ledger.ts'
import { SCHEMA_STEPS } from './schema-steps.ts'

/** "NXLG", in the header of our files. */
const APPLICATION_ID = 0x4e584c47
/** SQLite's own cache, as it is by itself, and while tables are brought to a new version. */
const CACHE_KIB = 2_000
const MIGRATION_CACHE_KIB = 128 * 1024

/** Is thrown for a file that is another program's. */
export class ForeignLedgerError extends Error {}

/**
 * Makes missing tables, and takes those of an older version to this one. Throws `ForeignLedgerError` or `NewerLedgerError`, and changes
 * nothing then. `onMigrate`: is told the older version before that, which takes minutes where there are many rows.
 */
export function migrateLedger(database: Database, onMigrate: (from: number) => void): void {
  // What is of this version needs no look behind a lock, which another process may hold.
  const isDone = numberOf(database, 'user_version') === SCHEMA_STEPS.length
  if (isDone && numberOf(database, 'application_id') === APPLICATION_ID) return
  database
    .transaction(() => {
      const version = numberOf(database, 'user_version')
      const isNew = version === 0 && countTables(database) === 0
      if (!isNew && numberOf(database, 'application_id') !== APPLICATION_ID)
        throw new ForeignLedgerError('This is the database of another program.')
      if (version > SCHEMA_STEPS.length) throw new NewerLedgerError('This ledger is one of a newer version.')
      if (!isNew && version < SCHEMA_STEPS.length) {
        onMigrate(version)
        // All rows are written anew, in another order: the pages that they go to should stay at hand.
        database.run(`PRAGMA cache_size = -${MIGRATION_CACHE_KIB}`)
      }
      for (const step of SCHEMA_STEPS.slice(version)) database.run(step)
      database.run(`PRAGMA application_id = ${APPLICATION_ID}`)
      database.run(`PRAGMA user_version = ${SCHEMA_STEPS.length}`)
    })
    .immediate()
  database.run(`PRAGMA cache_size = -${CACHE_KIB}`)
}

function countTables(database: Database): number {
  return Number(first(database, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'"))
}

function numberOf(database: Database, pragma: 'application_id' | 'user_version'): number {
  return Number(first(database, `PRAGMA ${pragma}`))
}

function first(database: Database, sql: string): unknown {
  using statement = database.prepare(sql)
  return statement.values()[0]?.[0]
}
