import type { Database } from 'bun:sqlite'
import { CLAIM_TABLES } from './sqlite-claim-statements.ts'
import { SqliteDamageError } from './sqlite-errors.ts'

/** Is thrown for a file that is the database of another program. */
export class ForeignDatabaseError extends Error {}

/** Is thrown for a file with tables of a newer version of this program: that version may be using it, and its claims count. */
export class NewerDatabaseError extends Error {}

/** "NXCD", in the header of our files. */
const APPLICATION_ID = 0x4e584344
/** Goes up with each change of the tables: entries of an older version are dropped. */
const VERSION = 1

const TABLES = `
  CREATE TABLE entries (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    scope TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    expires_at REAL NOT NULL,
    used_at REAL NOT NULL,
    checksum INTEGER NOT NULL,
    value BLOB NOT NULL
  ) STRICT;
  CREATE INDEX entries_by_use ON entries (used_at, id);
  CREATE INDEX entries_by_end ON entries (expires_at);
  CREATE INDEX entries_by_scope ON entries (scope);
  CREATE TABLE total (entries INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
  INSERT INTO total VALUES (0, 0);
  CREATE TRIGGER entry_added AFTER INSERT ON entries BEGIN
    UPDATE total SET entries = entries + 1, bytes = bytes + new.bytes;
  END;
  CREATE TRIGGER entry_changed AFTER UPDATE OF bytes ON entries BEGIN
    UPDATE total SET bytes = bytes - old.bytes + new.bytes;
  END;
  CREATE TRIGGER entry_removed AFTER DELETE ON entries BEGIN
    UPDATE total SET entries = entries - 1, bytes = bytes - old.bytes;
  END;
`

/** Throws `ForeignDatabaseError` for the database of another program; a file without tables belongs to no program yet. */
export function refuseForeign(database: Database): void {
  // In this order: another process may be making both, at once.
  if (tablesOf(database).length === 0 || numberOf(database, 'application_id') === APPLICATION_ID) return
  throw new ForeignDatabaseError('This is the database of another program.')
}

/**
 * Makes missing tables, and drops those of an older version. Claims stay: forgetting one would make its request a second time.
 * `settledAt`: when a new register takes its first claim, in milliseconds since 1970.
 *
 * Throws `NewerDatabaseError`, and `SqliteDamageError` where the table of claims is damaged: a claim that can't be found would be a
 * second payment, while a cache entry that can't be found is only a miss.
 */
export function makeTables(database: Database, settledAt: number): void {
  database
    .transaction(() => {
      makeEntryTables(database)
      database.run(CLAIM_TABLES)
      database.run('INSERT INTO register SELECT ?, ?, 0 WHERE NOT EXISTS (SELECT 1 FROM register)', [
        crypto.randomUUID(),
        settledAt,
      ])
    })
    .immediate()
  const [found] = valuesOf(database, "PRAGMA integrity_check('once')")
  if (found !== 'ok') throw new SqliteDamageError(String(found))
}

function makeEntryTables(database: Database): void {
  const isOurs = numberOf(database, 'application_id') === APPLICATION_ID
  const version = numberOf(database, 'user_version')
  if (isOurs && version === VERSION) return
  if (isOurs && version > VERSION) throw new NewerDatabaseError('This database is one of a newer version.')
  const dropped = tablesOf(database).filter((name) => !/^(?:once|register)/.test(name))
  for (const name of dropped) database.run(`DROP TABLE "${name}"`)
  database.run(TABLES)
  database.run(`PRAGMA application_id = ${APPLICATION_ID}`)
  database.run(`PRAGMA user_version = ${VERSION}`)
}

function numberOf(database: Database, pragma: 'application_id' | 'user_version'): number {
  return Number(valuesOf(database, `PRAGMA ${pragma}`)[0])
}

function tablesOf(database: Database): string[] {
  return valuesOf(database, "SELECT name FROM sqlite_schema WHERE type = 'table'").map(String)
}

/** The values of a query's first column. */
function valuesOf(database: Database, sql: string): unknown[] {
  using statement = database.prepare(sql)
  return statement.values().map(([value]) => value)
}
