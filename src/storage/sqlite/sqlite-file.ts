import { constants, Database } from 'bun:sqlite'
import { closeSync, openSync, renameSync, statSync } from 'node:fs'
import type { Log } from '../../telemetry/log.ts'
import { SETTLING_MS } from '../remembered-claims.ts'
import { salvageClaims } from './salvage-claims.ts'
import { codeOf, isDamage, isPassing } from './sqlite-errors.ts'
import { makeTables, refuseForeign } from './sqlite-schema.ts'

/** An open database file. */
export interface SqliteFile {
  readonly database: Database
  /** The file's identity: another file may replace it at its path. */
  readonly inode: bigint | undefined
}

/** How long a start waits for another process. */
export const OPENING_MS = 5_000
/** How long a call holds this process up while another one writes. */
export const BUSY_MS = 5
const WAL_BYTES_MAX = 4 * 1024 * 1024

/**
 * Opens a database file, and makes it where there is none. A damaged file is moved aside, and a new one is made. `waitMs`: the longest
 * time that it blocks this process for another one that locks or opens the file. `settledAt`: when a new file takes its first claim.
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
 * Moves a damaged file aside, unless another process has already done so, and opens the file that is there then. `inode`: of the file
 * in which a read found the damage.
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
    // The log first: SQLite would take it for a new file's log.
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

/** Tries again while other processes open, make or close the same file: SQLite sometimes gives up then, rather than wait. */
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
    // Without this, closing removes the log by its name, which may belong to another file by then.
    database.fileControl(constants.SQLITE_FCNTL_PERSIST_WAL, 1)
    database.run(`PRAGMA busy_timeout = ${waitMs}`)
    refuseForeign(database)
    database.run('PRAGMA journal_mode = WAL')
    database.run('PRAGMA synchronous = NORMAL')
    database.run(`PRAGMA journal_size_limit = ${WAL_BYTES_MAX}`)
    makeTables(database, settledAt)
    database.run(`PRAGMA busy_timeout = ${BUSY_MS}`)
    return { database, inode: inodeOf(path) }
  } catch (cause) {
    database.close()
    throw cause
  }
}

/** Makes a new file readable by its owner alone: it keeps what people asked and were told. */
function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (cause) {
    if (codeOf(cause) !== 'EEXIST') throw cause
  }
}
