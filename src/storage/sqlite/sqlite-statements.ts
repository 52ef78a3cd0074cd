import type { Database, Statement } from 'bun:sqlite'
import type { StoreStats } from '../store.ts'

interface Row {
  readonly value: Uint8Array<ArrayBuffer>
  readonly checksum: number
  readonly expires_at: number
  readonly used_at: number
}

interface Ending {
  readonly expires_at: number
}

/** The store's prepared statements. */
export interface Statements {
  readonly get: Statement<Row, [key: string]>
  readonly set: Statement<
    unknown,
    [key: string, scope: string, bytes: number, expiresAt: number, usedAt: number, checksum: number, value: Uint8Array]
  >
  readonly has: Statement<{ readonly id: number }, [key: string]>
  readonly delete: Statement<Ending, [key: string]>
  readonly use: Statement<unknown, [usedAt: number, key: string]>
  readonly total: Statement<StoreStats, []>
  /** Removes the least recently used rows, except `key`, until so many bytes and entries are freed, or `rowsMax` rows are gone. */
  readonly evict: Statement<unknown, [key: string, rowsMax: number, bytes: number, entries: number]>
  readonly expire: Statement<{ readonly id: number }, [at: number, rowsMax: number]>
  readonly lastId: Statement<{ readonly id: number | null }, []>
  /** Removes rows up to an id, only of a scope where one is given. */
  readonly purge: Statement<Ending, [lastId: number, scope: string | null, rowsMax: number]>
}

/** Prepares the statements of a store's database. */
export function prepareStatements(database: Database): Statements {
  return {
    get: database.prepare('SELECT value, checksum, expires_at, used_at FROM entries WHERE key = ?'),
    set: database.prepare(`
      INSERT INTO entries (key, scope, bytes, expires_at, used_at, checksum, value) VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (key) DO UPDATE SET scope = excluded.scope, bytes = excluded.bytes, expires_at = excluded.expires_at,
        used_at = excluded.used_at, checksum = excluded.checksum, value = excluded.value`),
    has: database.prepare('SELECT id FROM entries WHERE key = ?'),
    delete: database.prepare('DELETE FROM entries WHERE key = ? RETURNING expires_at'),
    use: database.prepare('UPDATE entries SET used_at = ? WHERE key = ?'),
    total: database.prepare('SELECT entries, bytes FROM total'),
    evict: database.prepare(`
      DELETE FROM entries WHERE id IN (
        SELECT id FROM (
          SELECT id, bytes, sum(bytes) OVER earlier AS freed, row_number() OVER earlier AS number
          FROM (SELECT id, bytes, used_at FROM entries WHERE key <> ?1 ORDER BY used_at, id LIMIT ?2)
          WINDOW earlier AS (ORDER BY used_at, id ROWS UNBOUNDED PRECEDING)
        ) WHERE freed - bytes < ?3 OR number <= ?4)`),
    expire: database.prepare(
      'DELETE FROM entries WHERE id IN (SELECT id FROM entries WHERE expires_at <= ? LIMIT ?) RETURNING id',
    ),
    lastId: database.prepare('SELECT max(id) AS id FROM entries'),
    purge: database.prepare(`
      DELETE FROM entries WHERE id IN (
        SELECT id FROM entries WHERE id <= ?1 AND (?2 IS NULL OR scope = ?2) LIMIT ?3) RETURNING expires_at`),
  }
}
