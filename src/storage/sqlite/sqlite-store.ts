import type { Log } from '../../telemetry/log.ts'
import { RememberedClaims } from '../remembered-claims.ts'
import type { Store, StoreBounds, StoreStats } from '../store.ts'
import { type Opened, ReopenedFile } from './reopened-file.ts'
import { SqliteClaims } from './sqlite-claims.ts'
import { isBusy, SqliteDamageError } from './sqlite-errors.ts'
import type { Statements } from './sqlite-statements.ts'
import { WriteQueue } from './write-queue.ts'

/** The options of the store in a file. */
export interface SqliteStoreOptions extends StoreBounds {
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly log: Pick<Log, 'warn'>
}

/** The cost of an entry besides its key, scope and value: a row's share of its page and of the indexes. */
const ENTRY_BYTES = 352
/** How often the time of an entry's use is written: an entry that is read often costs few writes. */
const USE_NOTED_MS = 60_000
/** How often a writer looks for expired entries, and whether its file is still the one at its path. */
const SWEEP_MS = 10_000
/** Rows removed in one transaction. */
const BATCH_ROWS = 256
/** Rows evicted at once: a write mostly needs the room of one or two. */
const EVICTED_ROWS = 16
/** How often, and for how long, a write is tried while another process writes. Requests go on meanwhile. */
const PAUSE_MS = 10
const GIVE_UP_MS = 2_000

/**
 * Opens a store in a SQLite file, which several processes may share. Throws as `openSqliteFile` does, except for a passing lack, such
 * as room on the disk: then each call tries to open the file, and fails until that succeeds.
 *
 * Its calls hold the process up for as long as they take, which is well below a millisecond for a value of some kilobytes.
 *
 * @example
 * const store = openSqliteStore('/var/lib/nexcode/cache.db', { bytesMax, entriesMax, now: Date.now, log })
 */
export function openSqliteStore(path: string, options: SqliteStoreOptions): Store {
  return new SqliteStore(path, options)
}

class SqliteStore implements Store {
  readonly name = 'sqlite'
  readonly claims: RememberedClaims
  readonly #options: SqliteStoreOptions
  readonly #writes = new WriteQueue({ isBusy, giveUpMs: GIVE_UP_MS, pauseMs: PAUSE_MS })
  readonly #file: ReopenedFile
  #sweptAt: number

  constructor(path: string, options: SqliteStoreOptions) {
    this.#options = options
    this.#sweptAt = options.now()
    this.#file = new ReopenedFile(path, options.log)
    const register = new SqliteClaims(
      {
        follow: () => void this.#file.run((opened) => this.#file.current(opened)),
        read: (run) => this.#file.run(({ claimSql }) => run(claimSql)),
        write: (run) => this.#write(({ database, claimSql }) => database.transaction(() => run(claimSql)).immediate()),
      },
      options,
    )
    const { now, log } = options
    this.claims = new RememberedClaims(register, { name: this.name, now, log })
  }

  get(key: string): Uint8Array<ArrayBuffer> | undefined {
    return this.#file.run(({ sql }) => {
      const row = sql.get.get(key)
      const at = this.#options.now()
      if (row === null || row.expires_at <= at || Bun.hash.crc32(row.value) !== row.checksum) return undefined
      if (at - row.used_at >= USE_NOTED_MS) noteUse(sql, key, at)
      return row.value
    })
  }

  set(
    key: string,
    value: Uint8Array,
    options: { readonly ttlMs: number; readonly scope: string },
  ): void | Promise<void> {
    const { ttlMs, scope } = options
    const bytes = ENTRY_BYTES + 2 * Buffer.byteLength(key) + 2 * Buffer.byteLength(scope) + value.byteLength
    const isKept = ttlMs > 0 && bytes <= this.#options.bytesMax && this.#options.entriesMax >= 1
    let kept = value
    const setting = this.#write((opened) => {
      const at = this.#options.now()
      const { database, sql } = Math.abs(at - this.#sweptAt) >= SWEEP_MS ? this.#sweep(opened, at) : opened
      if (!isKept) {
        sql.delete.get(key)
        return
      }
      const put = (): void => {
        sql.set.run(key, scope, bytes, at + ttlMs, at, Bun.hash.crc32(kept), kept)
        this.#makeRoom(sql, key)
        // A damaged tree may put it where no look-up finds it.
        if (sql.has.get(key) === null) throw new SqliteDamageError('What was put in can not be found.')
      }
      database.transaction(put).immediate()
    })
    // The caller may change its bytes before the write has its turn.
    if (setting instanceof Promise) kept = new Uint8Array(value)
    return setting
  }

  delete(key: string): boolean | Promise<boolean> {
    return this.#write(({ sql }) => {
      const row = sql.delete.get(key)
      return row !== null && row.expires_at > this.#options.now()
    })
  }

  async purge(scope?: string): Promise<number> {
    const last = this.#file.run(({ sql }) => sql.lastId.get()?.id ?? 0)
    const at = this.#options.now()
    let purged = 0
    for (let rows = BATCH_ROWS; rows === BATCH_ROWS; ) {
      const batch = await this.#write(({ sql }) => sql.purge.all(last, scope ?? null, BATCH_ROWS))
      rows = batch.length
      purged += batch.filter(({ expires_at: expiresAt }) => expiresAt > at).length
      // Requests and other processes have their turn between two batches.
      await new Promise((resolve) => setImmediate(resolve))
    }
    for (let rows = BATCH_ROWS; rows === BATCH_ROWS; purged += rows) {
      rows = (await this.#write(({ claimSql }) => claimSql.purge.all(scope ?? null, BATCH_ROWS))).length
    }
    return purged
  }

  stats(): StoreStats {
    return this.#file.run(({ sql, claimSql }) => {
      const { entries, bytes } = totalOf(sql)
      const claims = claimSql.count.get()
      return { entries: entries + (claims?.entries ?? 0), bytes: bytes + (claimSql.held.get('')?.bytes ?? 0) }
    })
  }

  async close(): Promise<void> {
    this.claims.close()
    await this.#writes.idle()
    this.#file.close()
  }

  /** Runs a write; where another process writes at that moment it runs later, and later writes after it. */
  #write<T>(run: (opened: Opened) => T): T | Promise<T> {
    return this.#writes.run(() => this.#file.write(run))
  }

  /** Evicts the least recently used entries, except the one that the room is for. */
  #makeRoom(sql: Statements, key: string): void {
    const { bytesMax, entriesMax } = this.#options
    for (;;) {
      const { entries, bytes } = totalOf(sql)
      if (entries <= entriesMax && bytes <= bytesMax) return
      sql.evict.run(key, EVICTED_ROWS, bytes - bytesMax, entries - entriesMax)
    }
  }

  /** Removes expired entries from the file that is at the path now, and gives that file. */
  #sweep(opened: Opened, at: number): Opened {
    const current = this.#file.current(opened)
    // After a full batch there may be more: the next writer looks again.
    if (current.sql.expire.all(at, BATCH_ROWS).length < BATCH_ROWS) this.#sweptAt = at
    return current
  }
}

function totalOf(sql: Statements): StoreStats {
  return sql.total.get() ?? { entries: 0, bytes: 0 }
}

function noteUse(sql: Statements, key: string, at: number): void {
  try {
    sql.use.run(at, key)
  } catch {
    // Another process is writing: a later reader notes the use.
  }
}
