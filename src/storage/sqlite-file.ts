import { constants, Database } from 'bun:sqlite'
import { closeSync, openSync, renameSync, statSync } from 'node:fs'
import type { Log } from '../telemetry/log.ts'
import { SETTLING_MS } from './remembered-claims.ts'
import { salvageClaims } from './salvage-claims.ts'
import { CLAIM_TABLES } from './sqlite-claim-statements.ts'
import { codeOf, isDamage, isPassing, SqliteDamageError } from './sqlite-errors.ts'

/** An open database file. */
export interface SqliteFile {
  readonly database: Database
  /** Which file it is: another one may come to stand at its path. */
  readonly inode: bigint | undefined
}

/** Is thrown for a file that is the database of another program. */
export class ForeignDatabaseError extends Error {}

/** Is thrown for a file whose tables a newer version of this program has made: that may be using it, and its claims count. */
export class NewerDatabaseError extends Error {}

/** "NXCD", in the header of our files. */
const APPLICATION_ID = 0x4e584344
/** Counts up with each change of the tables: what an older version kept is dropped. */
const VERSION = 1

/** How long another process is waited for at a start. */
export const OPENING_MS = 5_000
/** How long a call holds this process up while another one writes. */
export const BUSY_MS = 5
const WAL_BYTES_MAX = 4 * 1024 * 1024

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

/**
 * Opens a database file, and makes it where there is none. One that is damaged is moved aside, and begun anew. `waitMs`: how long it
 * holds this process up at most for another one that has it locked, or opens it too. `settledAt`: from then on a new one takes claims.
 *
 * Throws SQLite's error for a path that can't be opened, `ForeignDatabaseError` for a file of another program, and `NewerDatabaseError`.
 */
export function openSqliteFile(path: string, log: Pick<Log, 'warn'>, waitMs: number, settledAt = 0): SqliteFile {
  try {
    return open(path, waitMs, settledAt)
  } catch (cause) {
    if (!isDamage(cause)) throw cause
    return renewSqliteFile(path, undefined, log, waitMs)
  }
}

/**
 * Moves a damaged file aside, unless another process has already done so, and opens what is there then. `inode` is that
 * of the file in which damage was found by reading it.
 */
export function renewSqliteFile(
  path: string,
  inode: bigint | undefined,
  log: Pick<Log, 'warn'>,
  waitMs: number,
): SqliteFile {
  // Two processes that find the damage at once would move each other's new file aside. SQLite's own lock ends with its process.
  const turn = new Database(`${path}-recovery`)
  try {
    turn.run(`PRAGMA busy_timeout = ${waitMs}`)
    turn.run('BEGIN EXCLUSIVE')
    if (inode === undefined || inodeOf(path) !== inode) {
      const renewed = openUndamaged(path, waitMs, Date.now() + SETTLING_MS)
      if (renewed !== undefined) return renewed
    }
    const writtenAt = Math.max(writtenAtOf(path), writtenAtOf(`${path}-wal`))
    // The log first: beside a new file it would be taken for that one's.
    for (const suffix of ['-wal', '-shm', '']) moveAside(path, suffix)
    const file = open(path, waitMs, Date.now() + SETTLING_MS)
    const { whole, lost, isAll } = salvageClaims(`${path}.damaged`, file.database, Date.now())
    if (!isAll) file.database.run('UPDATE register SET unknown_since = ?', [writtenAt])
    log.warn(
      { path, movedTo: `${path}.damaged`, claims: whole, lostClaims: lost, allClaims: isAll },
      'the store was damaged: it is moved aside and begun anew',
    )
    return file
  } finally {
    turn.close()
  }
}

/** The number of the file at a path; undefined: there is none. */
export function inodeOf(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino
}

/** When a file was last written to, in milliseconds since 1970; 0: there is none. */
function writtenAtOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

function openUndamaged(path: string, waitMs: number, settledAt: number): SqliteFile | undefined {
  try {
    return open(path, waitMs, settledAt)
  } catch (cause) {
    if (!isDamage(cause)) throw cause
    return undefined
  }
}

function moveAside(path: string, suffix: string): void {
  try {
    renameSync(path + suffix, `${path}.damaged${suffix}`)
  } catch (cause) {
    if (codeOf(cause) !== 'ENOENT') throw cause
  }
}

/** Others may open, make or close the same file just now; there are moments in which SQLite gives up rather than wait. */
function open(path: string, waitMs: number, settledAt: number): SqliteFile {
  for (const giveUpAt = performance.now() + waitMs; ; Bun.sleepSync(1 + Math.random() * 10)) {
    try {
      return openOnce(path, waitMs, settledAt)
    } catch (cause) {
      if (!isPassing(cause) || performance.now() > giveUpAt) throw cause
    }
  }
}

function openOnce(path: string, waitMs: number, settledAt: number): SqliteFile {
  makePrivate(path)
  const database = new Database(path)
  try {
    // Closing takes the log's file away by its name, which may be that of another file's by then.
    database.fileControl(constants.SQLITE_FCNTL_PERSIST_WAL, 1)
    database.run(`PRAGMA busy_timeout = ${waitMs}`)
    refuseForeign(database)
    database.run('PRAGMA journal_mode = WAL')
    database.run('PRAGMA synchronous = NORMAL')
    database.run(`PRAGMA journal_size_limit = ${WAL_BYTES_MAX}`)
    database
      .transaction(() => {
        makeTables(database)
        database.run(CLAIM_TABLES)
        database.run('INSERT INTO register SELECT ?, ?, 0 WHERE NOT EXISTS (SELECT 1 FROM register)', [
          crypto.randomUUID(),
          settledAt,
        ])
      })
      .immediate()
    refuseDamagedClaims(database)
    database.run(`PRAGMA busy_timeout = ${BUSY_MS}`)
    return { database, inode: inodeOf(path) }
  } catch (cause) {
    database.close()
    throw cause
  }
}

/** A claim that can't be found is a second payment; an entry of the cache that can't be found is a second look. */
function refuseDamagedClaims(database: Database): void {
  const [found] = valuesOf(database, "PRAGMA integrity_check('once')")
  if (found !== 'ok') throw new SqliteDamageError(String(found))
}

/** What is kept is what people asked and were told: a new file is its owner's alone. */
function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (cause) {
    if (codeOf(cause) !== 'EEXIST') throw cause
  }
}

function refuseForeign(database: Database): void {
  // In this order: another process may make both just now, at once.
  if (tablesOf(database).length === 0 || numberOf(database, 'application_id') === APPLICATION_ID) return
  throw new ForeignDatabaseError('This is the database of another program.')
}

function makeTables(database: Database): void {
  const isOurs = numberOf(database, 'application_id') === APPLICATION_ID
  const version = numberOf(database, 'user_version')
  if (isOurs && version === VERSION) return
  if (isOurs && version > VERSION) throw new NewerDatabaseError('This database is one of a newer version.')
  // What was claimed stays so: forgetting it would make it anew.
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

/** The first column. */
function valuesOf(database: Database, sql: string): unknown[] {
  using statement = database.prepare(sql)
  return statement.values().map(([value]) => value)
}
