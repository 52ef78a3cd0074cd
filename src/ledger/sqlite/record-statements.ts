import type { Database } from 'bun:sqlite'
import { digestsOf, removalOf } from '../key-digests.ts'
import {
  type AuditQuery,
  type Page,
  type RecordChanges,
  type RecordEdit,
  type RecordKind,
  type RecordOf,
  type RecordQuery,
  RecordsChangedError,
} from '../ledger.ts'
import { areSameRecords, parseRecord } from '../record-json.ts'
import { auditColumns, auditEventOf, auditEventsQuery, recordColumns, recordsQuery } from '../record-queries.ts'
import type { AuditEvent, LedgerRecord } from '../records.ts'
import { DIRECTORY_PART } from './directory-part.ts'

/** Projects, keys and all else that is managed, in tables of SQLite. Each function throws SQLite's error. */
export class RecordStatements {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** The version of the records. */
  version(): number {
    return Number(this.#database.query('SELECT version FROM edition').values()[0]?.[0] ?? 0)
  }

  /** Keys in the order of their ids, so many from behind `after`, for `unpackDirectory`. */
  directory(after: string): string {
    return String(this.#database.query(DIRECTORY_PART).values(after)[0]?.[0])
  }

  /** What has changed since a version; undefined: nothing. */
  changesSince(version: number): RecordChanges | undefined {
    const now = this.version()
    if (now === version) return undefined
    const changed = this.#database.query('SELECT json FROM records WHERE version > ?').values(version)
    const removed = this.#database.query('SELECT id, digests FROM removed WHERE version > ?').values(version)
    return {
      version: now,
      changed: changed.map(([json]) => parseRecord(String(json))),
      removed: removed.map(removalOf),
    }
  }

  /** The record of that kind and id; undefined: there is none. */
  find<K extends RecordKind>(kind: K, id: string): RecordOf<K> | undefined {
    const [row] = this.#database.query('SELECT json FROM records WHERE id = ? AND kind = ?').values(id, kind)
    return row === undefined ? undefined : (parseRecord(String(row[0])) as RecordOf<K>)
  }

  /** A page of records by their creation. A cursor whose record is gone begins at nothing. */
  list<K extends RecordKind>(query: RecordQuery<K>): Page<RecordOf<K>> {
    const { sql, values, isReversed } = recordsQuery(query)
    const rows = this.#database.query(sql).values(...values)
    const data = rows.slice(0, query.limit).map(([json]) => parseRecord(String(json)) as RecordOf<K>)
    return { data: isReversed ? data.toReversed() : data, hasMore: rows.length > query.limit }
  }

  /** Makes a change of records and its entries of the audit log, or neither. Gives the version that it has made. */
  edit({ was = [], absent = [], put, remove, audit }: RecordEdit): number {
    return this.#database
      .transaction(() => {
        for (const record of was) this.#assertUnchanged(record)
        const isThere = this.#database.query('SELECT 1 FROM records WHERE id = ?')
        if (absent.some((id) => isThere.values(id).length > 0)) throw new RecordsChangedError()
        const version = this.version() + 1
        this.#database.query('UPDATE edition SET version = ?').run(version)
        for (const record of put) this.#put(record, version)
        for (const id of remove) this.#remove(id, version)
        for (const event of audit)
          this.#database.query('INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)').run(...auditColumns(event))
        return version
      })
      .immediate()
  }

  /** A page of the audit log, newest first. */
  audit(query: AuditQuery): Page<AuditEvent> {
    const { sql, values, isReversed } = auditEventsQuery(query)
    const rows = this.#database.query(sql).values(...values)
    const data = rows.slice(0, query.limit).map(auditEventOf)
    return { data: isReversed ? data.toReversed() : data, hasMore: rows.length > query.limit }
  }

  /** Throws a `RecordsChangedError` where a record is another one by now, or is gone. */
  #assertUnchanged(record: LedgerRecord): void {
    const now = this.find(record.kind, record.id)
    if (now === undefined || !areSameRecords(now, record)) throw new RecordsChangedError()
  }

  #remove(id: string, version: number): void {
    const [row] = this.#database.query('SELECT json FROM records WHERE id = ?').values(id)
    if (row === undefined) return
    const digests = digestsOf(parseRecord(String(row[0])))
    this.#database.query('INSERT OR REPLACE INTO removed VALUES (?, ?, ?)').run(id, JSON.stringify(digests), version)
    this.#database.query('DELETE FROM records WHERE id = ?').run(id)
  }

  #put(record: LedgerRecord, version: number): void {
    this.#database.query('DELETE FROM removed WHERE id = ?').run(record.id)
    this.#database
      .query('INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
      .run(...recordColumns(record, version))
  }
}
