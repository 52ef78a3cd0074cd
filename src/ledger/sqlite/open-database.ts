import { Database } from 'bun:sqlite'
import { chmodSync, closeSync, openSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { NewerLedgerError, OpenLedgerError } from '../ledger.ts'
import { ForeignLedgerError, migrateLedger } from './ledger-schema.ts'

/** How long a call waits for another process that writes. */
const BUSY_MS = 2_000
const WAL_BYTES_MAX = 16 * 1024 * 1024

/** The path that keeps the books in memory. */
export const IN_MEMORY = ':memory:'

/**
 * Opens a file of SQLite, which is made where it is missing, for its owner alone, and brings its tables to this version. Throws an
 * `OpenLedgerError`. `onMigrate`: is told the version that they had before.
 */
export function openDatabase(given: string, onMigrate: (from: number) => void): Database {
  if (given === IN_MEMORY) return prepare(new Database(IN_MEMORY), onMigrate)
  if (given === '')
    throw new OpenLedgerError('names no file', 'Use sqlite:PATH, such as sqlite:/var/lib/nexcode/ledger.db.')
  const path = resolve(given)
  if (statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new OpenLedgerError(
      `can not be opened: there is no folder ${dirname(path)}`,
      'Make it, or name another path.',
    )
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
    throw new OpenLedgerError(`can not be opened: ${path} is a folder`, 'Name a file in it.')
  try {
    // Made by SQLite, it could be read by others until its mode is changed.
    closeSync(openSync(path, 'a', 0o600))
    return prepare(new Database(path), onMigrate, path)
  } catch (cause) {
    throw openError(path, cause)
  }
}

/** The code of an error, such as `SQLITE_BUSY` or `ENOENT`; else an empty text. */
export function sqliteCodeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : ''
}

function prepare(database: Database, onMigrate: (from: number) => void, path?: string): Database {
  try {
    database.run(`PRAGMA busy_timeout = ${BUSY_MS}`)
    // Nothing is changed before it is known to be ours.
    migrateLedger(database, onMigrate)
    // Its other files take their mode from it.
    if (path !== undefined) chmodSync(path, 0o600)
    database.run('PRAGMA journal_mode = WAL')
    database.run('PRAGMA synchronous = NORMAL')
    database.run(`PRAGMA journal_size_limit = ${WAL_BYTES_MAX}`)
    return database
  } catch (cause) {
    database.close()
    throw cause
  }
}

function openError(path: string, cause: unknown): OpenLedgerError {
  if (cause instanceof ForeignLedgerError)
    return new OpenLedgerError(`can not be opened: ${path} is a file of another program`, 'Name another path.', cause)
  if (cause instanceof NewerLedgerError)
    return new OpenLedgerError(
      `can not be opened: ${path} was made by a newer version of NexCode`,
      'Use that version, or name another path.',
      cause,
    )
  const code = sqliteCodeOf(cause)
  if (code.startsWith('SQLITE_BUSY'))
    return new OpenLedgerError(
      `can not be opened: another process writes to ${path} for long`,
      'It may be bringing the tables to a newer version; else look which one holds the file.',
      cause,
      true,
    )
  return new OpenLedgerError(
    `can not be opened: ${path} (${code || 'unknown reason'})`,
    'It has to be a file that NexCode may read and write, in a folder that it may write to, on a local disk.',
    cause,
  )
}
