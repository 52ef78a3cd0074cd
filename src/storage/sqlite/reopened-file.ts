import type { Log } from '../../telemetry/log.ts'
import { SETTLING_MS } from '../remembered-claims.ts'
import { type ClaimStatements, prepareClaimStatements } from './sqlite-claim-statements.ts'
import { isDamage, isFull, isLacking } from './sqlite-errors.ts'
import { BUSY_MS, inodeOf, OPENING_MS, openSqliteFile, renewSqliteFile, type SqliteFile } from './sqlite-file.ts'
import { prepareStatements, type Statements } from './sqlite-statements.ts'

/** An open file, and its prepared statements. */
export interface Opened extends SqliteFile {
  readonly sql: Statements
  readonly claimSql: ClaimStatements
}

/**
 * The file of a store, which is opened again where it is damaged, another file has replaced it at its path, or it could not be opened
 * before. A passing lack, such as room on the disk, keeps no server from starting: each call tries again, and fails until then.
 *
 * Throws for all other errors, as `openSqliteFile` does.
 */
export class ReopenedFile {
  readonly #path: string
  readonly #log: Pick<Log, 'warn'>
  /** undefined: no file is open, and each call tries to open it. */
  #opened: Opened | undefined
  #isClosed = false

  constructor(path: string, log: Pick<Log, 'warn'>) {
    this.#path = path
    this.#log = log
    try {
      this.#opened = withStatements(openSqliteFile(path, log, OPENING_MS))
    } catch (cause) {
      if (!isLacking(cause)) throw cause
    }
  }

  /** Runs a read; where it finds the file damaged, it runs once more on a new file. */
  run<T>(run: (opened: Opened) => T): T {
    if (this.#isClosed) throw new Error('The store is closed.')
    let inode: bigint | undefined
    try {
      const opened = this.#opened ?? this.#reopen(() => this.#openNow())
      inode = opened.inode
      return run(opened)
    } catch (cause) {
      if (!isDamage(cause)) throw cause
      return run(this.#reopen(() => renewSqliteFile(this.#path, inode, this.#log, BUSY_MS)))
    }
  }

  /** Runs a write, in the same way. */
  write<T>(run: (opened: Opened) => T): T {
    try {
      return this.run(run)
    } catch (cause) {
      if (isFull(cause)) this.#emptyLog()
      throw cause
    }
  }

  /** The file at the path now, which may be another than the open one. */
  current(opened: Opened): Opened {
    return inodeOf(this.#path) === opened.inode ? opened : this.#reopen(() => this.#openNow())
  }

  close(): void {
    this.#end()
    this.#isClosed = true
  }

  /** Moves the contents of SQLite's log into the database, so that the log begins anew: there may be room for the next write. */
  #emptyLog(): void {
    try {
      this.#opened?.database.run('PRAGMA wal_checkpoint(TRUNCATE)')
    } catch {
      // There is no room for that either.
    }
  }

  /**
   * Opens the file without waiting, since requests are being served: where that fails, a later call opens it. Other processes may hold
   * claims, which they write into a new file again.
   */
  #openNow(): SqliteFile {
    return openSqliteFile(this.#path, this.#log, BUSY_MS, Date.now() + SETTLING_MS)
  }

  #reopen(open: () => SqliteFile): Opened {
    this.#end()
    this.#opened = withStatements(open())
    return this.#opened
  }

  #end(): void {
    const opened = this.#opened
    this.#opened = undefined
    if (opened === undefined) return
    // A closed database keeps its file open until its last statement is finalized.
    for (const statement of [...Object.values(opened.sql), ...Object.values(opened.claimSql)]) statement.finalize()
    opened.database.close()
  }
}

function withStatements(file: SqliteFile): Opened {
  try {
    return { ...file, sql: prepareStatements(file.database), claimSql: prepareClaimStatements(file.database) }
  } catch (cause) {
    file.database.close()
    throw cause
  }
}
