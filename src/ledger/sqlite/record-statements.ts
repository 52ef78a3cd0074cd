import type { Database } from 'bun:sqlite'
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
import { parseRecord, stringifyLimits, stringifyRecord } from '../record-json.ts'
import type { AuditEvent, LedgerRecord } from '../records.ts'

const ROWS_PER_PART = 10_000

/** A condition of a question, with its values. */
type Condition = readonly [sql: string, ...values: (string | number)[]]

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

  /** All keys, in the order of their ids: so many from behind `after`. */
  directory(after: string): readonly DirectoryRow[] {
    const rows = this.#database
      .query<[string, string, string, number, string | null, Uint8Array], [string, number]>(
        `SELECT id, kind, project, expires_at, limits, digest FROM records WHERE digest IS NOT NULL AND id > ?1 ORDER BY id LIMIT ?2`,
      )
      .values(after, ROWS_PER_PART) as [string, DirectoryRow['kind'], string, number, string | null, Uint8Array][]
    return rows.map(([id, kind, projectId, expiresAt, limits, digest]) => {
      return { id, kind, projectId, expiresAt, limits: limits ?? undefined, digest }
    })
  }

  /** What has changed since a version; undefined: nothing. */
  changesSince(version: number): RecordChanges | undefined {
    const now = this.version()
    if (now === version) return undefined
    const changed = this.#database.query('SELECT json FROM records WHERE version > ?').values(version)
    const removed = this.#database.query('SELECT id, digest FROM removed WHERE version > ?').values(version)
    return {
      version: now,
      changed: changed.map(([json]) => parseRecord(String(json))),
      removed: removed.map(([id, digest]) => ({
        id: String(id),
        digest: digest instanceof Uint8Array ? digest : undefined,
      })),
    }
  }

  /** The record of that kind and id; undefined: there is none. */
  find<K extends RecordKind>(kind: K, id: string): RecordOf<K> | undefined {
    const [row] = this.#database.query('SELECT json FROM records WHERE id = ? AND kind = ?').values(id, kind)
    return row === undefined ? undefined : (parseRecord(String(row[0])) as RecordOf<K>)
  }

  /** A page of records by their creation. A cursor whose record is gone begins at nothing. */
  list<K extends RecordKind>(query: RecordQuery<K>): Page<RecordOf<K>> {
    const { kind, projectId, ownerId, after, before, limit, order, archived } = query
    const conditions: Condition[] = [['kind = ?', kind]]
    if (projectId !== undefined) conditions.push(['project = ?', projectId])
    if (ownerId !== undefined) conditions.push(['owner = ?', ownerId])
    if (archived !== true) conditions.push(['is_archived = 0'])
    // The page before a record is the one behind it in the other direction, turned round.
    const isBack = before !== undefined
    const isDown = (order === 'desc') !== isBack
    const cursor = before ?? after
    const place = '(SELECT created_at, id FROM records WHERE id = ?)'
    if (cursor !== undefined) conditions.push([`(created_at, id) ${isDown ? '<' : '>'} ${place}`, cursor])
    const where = conditions.map(([sql]) => sql).join(' AND ')
    const direction = isDown ? 'DESC' : 'ASC'
    const rows = this.#database
      .query(`SELECT json FROM records WHERE ${where} ORDER BY created_at ${direction}, id ${direction} LIMIT ?`)
      .values(...conditions.flatMap(([, ...values]) => values), limit + 1)
    const data = rows.slice(0, limit).map(([json]) => parseRecord(String(json)) as RecordOf<K>)
    return { data: isBack ? data.toReversed() : data, hasMore: rows.length > limit }
  }

  /** Makes a change of records and its entries of the audit log, or neither. Gives the version that it has made. */
  edit({ was = [], put, remove, audit }: RecordEdit): number {
    return this.#database
      .transaction(() => {
        for (const record of was) this.#assertUnchanged(record)
        const version = this.version() + 1
        this.#database.query('UPDATE edition SET version = ?').run(version)
        for (const record of put) this.#put(record, version)
        for (const id of remove) {
          this.#database
            .query('INSERT OR REPLACE INTO removed SELECT id, digest, ?2 FROM records WHERE id = ?1')
            .run(id, version)
          this.#database.query('DELETE FROM records WHERE id = ?').run(id)
        }
        for (const { id, type, at, actorKeyId, projectId = '', resourceId, ...rest } of audit)
          this.#database
            .query('INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)')
            .run(id, at, type, actorKeyId, projectId, resourceId, JSON.stringify(rest))
        return version
      })
      .immediate()
  }

  /** A page of the audit log, newest first. */
  audit({ after, before, limit, from, to, types, actorIds, projectIds, resourceIds }: AuditQuery): Page<AuditEvent> {
    const isOneOf = (column: string, values: readonly string[] | undefined): Condition[] =>
      values === undefined ? [] : [[`${column} IN (${values.map(() => '?').join(', ')})`, ...values]]
    const place = '(SELECT at, id FROM audit WHERE id = ?)'
    const conditions: Condition[] = [
      ['1 = 1'],
      ...(after === undefined ? [] : [[`(at, id) < ${place}`, after] as const]),
      ...(before === undefined ? [] : [[`(at, id) > ${place}`, before] as const]),
      ...(from === undefined ? [] : [['at >= ?', from] as const]),
      ...(to === undefined ? [] : [['at < ?', to] as const]),
      ...isOneOf('type', types),
      ...isOneOf('actor', actorIds),
      ...isOneOf('project', projectIds),
      ...isOneOf('resource', resourceIds),
    ]
    const direction = before === undefined ? 'DESC' : 'ASC'
    const rows = this.#database
      .query(
        `SELECT id, type, at, actor, project, resource, json FROM audit WHERE ${conditions.map(([sql]) => sql).join(' AND ')}
         ORDER BY at ${direction}, id ${direction} LIMIT ?`,
      )
      .values(...conditions.flatMap(([, ...values]) => values), limit + 1)
    const data = rows.slice(0, limit).map(auditEvent)
    return { data: before === undefined ? data : data.toReversed(), hasMore: rows.length > limit }
  }

  /** Throws a `RecordsChangedError` where a record is another one by now, or is gone. */
  #assertUnchanged(record: LedgerRecord): void {
    const now = this.find(record.kind, record.id)
    if (now === undefined || stringifyRecord(now) !== stringifyRecord(record)) throw new RecordsChangedError()
  }

  #put(record: LedgerRecord, version: number): void {
    const digest = 'digest' in record ? Uint8Array.fromHex(record.digest) : null
    this.#database
      .query('INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
      .run(
        record.id,
        record.kind,
        'projectId' in record ? (record.projectId ?? '') : '',
        'ownerId' in record ? record.ownerId : '',
        record.createdAt,
        version,
        digest,
        'expiresAt' in record ? (record.expiresAt ?? 0) : 0,
        'archivedAt' in record && record.archivedAt !== undefined ? 1 : 0,
        record.kind === 'key' ? (stringifyLimits(record.limits) ?? null) : null,
        stringifyRecord(record),
      )
  }
}

function auditEvent([id, type, at, actor, project, resource, json]: readonly unknown[]): AuditEvent {
  const rest = JSON.parse(String(json)) as Pick<AuditEvent, 'details' | 'actorAddress'>
  return {
    ...rest,
    id: String(id),
    type: String(type),
    at: Number(at),
    actorKeyId: String(actor),
    ...(project !== '' && { projectId: String(project) }),
    resourceId: String(resource),
  }
}
