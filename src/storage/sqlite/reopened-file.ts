import type { Log } from '../../telemetry/log.ts'
import { SETTLING_MS } from '../remembered-claims.ts'
import { type ClaimStatements, prepareClaimStatements } from './sqlite-claim-statements.ts'
import { isDamage, isFull, isLacking } from './sqlite-errors.ts'
import { BUSY_MS, inodeOf, OPENING_MS, openSqliteFile, renewSqliteFile, type SqliteFile } from './sqlite-file.ts'
import { prepareStatements, type Statements } from './sqlite-statements.ts'

/** A file that is open now, and what is asked of it. */
export interface Opened extends SqliteFile {
  readonly sql: Statements
  readonly claimSql: ClaimStatements
}

/**
 * The file of a store, which is opened again where it is damaged, another one has come to stand at its path, or it could not be opened
 * before. A passing lack, such as room on the disk, keeps no server from starting: each call tries again, and fails until then.
 *
 * Throws as `openSqliteFile` does for all else.
 */
export class ReopenedFile {
  readonly #path: string
  readonly #log: Pick<Log, 'warn'>
  /** undefined: there is none, and each call tries to open it. */
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

  /** Runs what reads; where that finds the file damaged, once more on a new one. */
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

  /** Runs what writes, in the same way. */
  write<T>(run: (opened: Opened) => T): T {
    try {
      return this.run(run)
    } catch (cause) {
      if (isFull(cause)) this.#emptyLog()
      throw cause
    }
  }

  /** The file that stands at the path now, which may be another one than that which is open. */
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
   * While it serves, it waits for nobody: what can't be opened now is opened by a later call. Others may hold claims, which they write
   * down in a new one again.
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
    // As long as one statement is there, a closed file stays open.
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
