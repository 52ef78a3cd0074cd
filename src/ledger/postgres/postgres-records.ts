import { DIRECTORY_COLUMNS, digestsOf, directoryRowsOf, removalOf } from '../key-digests.ts'
import {
  type AuditQuery,
  type DirectoryRow,
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
import type { PostgresConnections } from './postgres-connections.ts'

const ROWS_PER_PART = 10_000
const CHANGED = [
  'kind',
  'project',
  'owner',
  'created_at',
  'version',
  'digest',
  'expires_at',
  'is_archived',
  'is_of_file',
  'limits',
  'former',
  'json',
]
const PUT = `INSERT INTO records VALUES (${['id', ...CHANGED].map((_, index) => `$${index + 1}`).join(', ')})
  ON CONFLICT (id) DO UPDATE SET ${CHANGED.map((name) => `${name} = excluded.${name}`).join(', ')}`
const REMOVE = `INSERT INTO removed VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET digests = excluded.digests, version = excluded.version`

/** Projects, keys and all else that is managed, in tables of Postgres. Each function rejects with Postgres's error. */
export class PostgresRecords {
  readonly #database: PostgresConnections

  constructor(database: PostgresConnections) {
    this.#database = database
  }

  /** The version of the records. */
  async version(): Promise<number> {
    const [row] = await this.#database.run('SELECT version FROM edition')
    return Number(row?.[0] ?? 0)
  }

  /** All keys, in the order of their ids: so many from behind `after`. */
  async directory(after: string): Promise<readonly DirectoryRow[]> {
    const rows = await this.#database.run(
      `SELECT ${DIRECTORY_COLUMNS} FROM records WHERE digest IS NOT NULL AND id > $1 ORDER BY id LIMIT $2`,
      [after, ROWS_PER_PART],
    )
    return rows.flatMap(directoryRowsOf)
  }

  /** What has changed since a version; undefined: nothing. */
  async changesSince(version: number): Promise<RecordChanges | undefined> {
    const now = await this.version()
    if (now === version) return undefined
    // What is newer than that belongs to the next look: the two questions see different moments.
    const changed = await this.#database.run('SELECT json FROM records WHERE version > $1 AND version <= $2', [
      version,
      now,
    ])
    const removed = await this.#database.run('SELECT id, digests FROM removed WHERE version > $1 AND version <= $2', [
      version,
      now,
    ])
    return {
      version: now,
      changed: changed.map(([json]) => parseRecord(String(json))),
      removed: removed.map(removalOf),
    }
  }

  /** The record of that kind and id; undefined: there is none. */
  async find<K extends RecordKind>(kind: K, id: string): Promise<RecordOf<K> | undefined> {
    const [row] = await this.#database.run('SELECT json FROM records WHERE id = $1 AND kind = $2', [id, kind])
    return row === undefined ? undefined : (parseRecord(String(row[0])) as RecordOf<K>)
  }

  /** A page of records by their creation. */
  async list<K extends RecordKind>(query: RecordQuery<K>): Promise<Page<RecordOf<K>>> {
    const question = recordsQuery(query)
    const rows = await this.#database.ask(question)
    const data = rows.slice(0, query.limit).map(([json]) => parseRecord(String(json)) as RecordOf<K>)
    return { data: question.isReversed ? data.toReversed() : data, hasMore: rows.length > query.limit }
  }

  /** Makes a change of records and its entries of the audit log, or neither. Gives the version that it has made. */
  async edit({ was = [], absent = [], put, remove, audit }: RecordEdit): Promise<number> {
    return this.#database.begin(async (run) => {
      // The row stays locked up to the end: edits come one after the other, and a version is never seen before a lower one.
      const [row] = await run('UPDATE edition SET version = version + 1 RETURNING version')
      const version = Number(row?.[0])
      const stored = async (id: string): Promise<LedgerRecord | undefined> => {
        const [found] = await run('SELECT json FROM records WHERE id = $1', [id])
        return found === undefined ? undefined : parseRecord(String(found[0]))
      }
      for (const record of was) {
        const now = await stored(record.id)
        if (now === undefined || !areSameRecords(now, record)) throw new RecordsChangedError()
      }
      for (const id of absent) if ((await stored(id)) !== undefined) throw new RecordsChangedError()
      for (const record of put) {
        await run('DELETE FROM removed WHERE id = $1', [record.id])
        await run(PUT, recordColumns(record, version))
      }
      for (const id of remove) {
        const record = await stored(id)
        if (record === undefined) continue
        await run(REMOVE, [id, JSON.stringify(digestsOf(record)), version])
        await run('DELETE FROM records WHERE id = $1', [id])
      }
      for (const event of audit) await run('INSERT INTO audit VALUES ($1, $2, $3, $4, $5, $6, $7)', auditColumns(event))
      return version
    })
  }

  /** A page of the audit log, newest first. */
  async audit(query: AuditQuery): Promise<Page<AuditEvent>> {
    const question = auditEventsQuery(query)
    const rows = await this.#database.ask(question)
    const data = rows.slice(0, query.limit).map(auditEventOf)
    return { data: question.isReversed ? data.toReversed() : data, hasMore: rows.length > query.limit }
  }
}
