import type { AuditQuery, RecordQuery } from './ledger.ts'
import { timeOfId } from './record-id.ts'
import { stringifyLimits, stringifyRecord } from './record-json.ts'
import type { AuditEvent, LedgerRecord } from './records.ts'

/** A question in SQL that all stores understand; its values stand where its `?` are, in their order. */
export interface SqlQuery {
  readonly sql: string
  readonly values: readonly (string | number)[]
}

/** A value of a column. */
export type ColumnValue = string | number | Uint8Array<ArrayBuffer> | null

type Condition = readonly [sql: string, ...values: (string | number)[]]

/**
 * Asks for a page of records by their creation, and one row more. A cursor whose record is gone, and whose id tells no time, begins at nothing. `isReversed`: the rows
 * come in the other direction than they were asked for, for a page before a record is the one behind it, turned round.
 *
 * @example
 * const { sql, values, isReversed } = recordsQuery({ kind: 'key', limit: 20, order: 'asc' })
 */
export function recordsQuery(query: RecordQuery): SqlQuery & { readonly isReversed: boolean } {
  const { kind, projectId, ownerId, after, before, limit, order, archived, managedBy } = query
  const isReversed = before !== undefined
  const isDown = (order === 'desc') !== isReversed
  const cursor = before ?? after
  const conditions: Condition[] = [['kind = ?', kind]]
  if (projectId !== undefined) conditions.push(['project = ?', projectId])
  if (ownerId !== undefined) conditions.push(['owner = ?', ownerId])
  if (managedBy !== undefined) conditions.push(['is_of_file = 1'])
  if (archived !== true) conditions.push(['is_archived = 0'])
  if (cursor !== undefined) {
    // One whose record is gone still says when it was made: who deletes what is listed, page by page, comes to the end.
    const gone = timeOfId(cursor)
    const time = `coalesce((SELECT created_at FROM records WHERE id = ?), ${gone ?? 'NULL'})`
    conditions.push([`(created_at, id) ${isDown ? '<' : '>'} (${time}, ?)`, cursor, cursor])
  }
  const page = pageQuery('SELECT json FROM records', conditions, 'created_at', isDown, limit)
  return { ...page, isReversed }
}

/** Asks for a page of the audit log, newest first, and one row more; `isReversed` as in `recordsQuery`. */
export function auditEventsQuery(query: AuditQuery): SqlQuery & { readonly isReversed: boolean } {
  const { after, before, limit, from, to, types, actorIds, projectIds, resourceIds } = query
  const isReversed = before !== undefined
  const place = '(SELECT at, id FROM audit WHERE id = ?)'
  const conditions: Condition[] = [['1 = 1']]
  if (after !== undefined) conditions.push([`(at, id) < ${place}`, after])
  if (before !== undefined) conditions.push([`(at, id) > ${place}`, before])
  if (from !== undefined) conditions.push(['at >= ?', from])
  if (to !== undefined) conditions.push(['at < ?', to])
  const lists = { type: types, actor: actorIds, project: projectIds, resource: resourceIds }
  for (const [column, values] of Object.entries(lists))
    if (values !== undefined) conditions.push([`${column} IN (${marks(values.length)})`, ...values])
  const columns = 'SELECT id, type, at, actor, project, resource, json FROM audit'
  return { ...pageQuery(columns, conditions, 'at', !isReversed, limit), isReversed }
}

function pageQuery(
  select: string,
  conditions: readonly Condition[],
  time: string,
  isDown: boolean,
  limit: number,
): SqlQuery {
  const where = conditions.map(([sql]) => sql).join(' AND ')
  const direction = isDown ? 'DESC' : 'ASC'
  return {
    sql: `${select} WHERE ${where} ORDER BY ${time} ${direction}, id ${direction} LIMIT ?`,
    values: [...conditions.flatMap(([, ...values]) => values), limit + 1],
  }
}

/** So many `?`, for a list of values. An empty list has one that is nothing: `IN ()` is no SQL of all stores. */
export function marks(count: number): string {
  return count === 0 ? 'NULL' : Array.from({ length: count }, () => '?').join(', ')
}

/** The values of a record's columns: id, kind, project, owner, created_at, version, digest, expires_at, is_archived, is_of_file, limits, former, json. */
export function recordColumns(record: LedgerRecord, version: number): readonly ColumnValue[] {
  return [
    record.id,
    record.kind,
    'projectId' in record ? (record.projectId ?? '') : '',
    'ownerId' in record ? record.ownerId : '',
    record.createdAt,
    version,
    'digest' in record ? Uint8Array.fromHex(record.digest) : null,
    'expiresAt' in record ? (record.expiresAt ?? 0) : 0,
    'archivedAt' in record && record.archivedAt !== undefined ? 1 : 0,
    'managedBy' in record && record.managedBy === 'file' ? 1 : 0,
    record.kind === 'key' ? (stringifyLimits(record.limits) ?? null) : null,
    record.kind === 'key' && record.former !== undefined ? JSON.stringify(record.former) : null,
    stringifyRecord(record),
  ]
}

/** The values of an audit event's columns: id, at, type, actor, project, resource, json. */
export function auditColumns({
  id,
  at,
  type,
  actorKeyId,
  projectId,
  resourceId,
  ...rest
}: AuditEvent): readonly ColumnValue[] {
  return [id, at, type, actorKeyId, projectId ?? '', resourceId, JSON.stringify(rest)]
}

/** Reads an audit event from a row of `auditEventsQuery`. */
export function auditEventOf([id, type, at, actor, project, resource, json]: readonly unknown[]): AuditEvent {
  const rest = JSON.parse(String(json)) as Pick<AuditEvent, 'details'>
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
