import type { SqlQuery } from './record-queries.ts'
import { both, inBuckets, rowsOfKeys, rowsOfProjects } from './usage-source.ts'

const DAY = 86_400
const HOUR = 3_600
const QUARTER = 900

/** Whose money: a project's, a key's, or that of all together. */
interface SpentScope {
  readonly projectId?: string
  readonly keyId?: string
}

/** Asks for the first and the last day of the books, in seconds since 1970; null: there is none. */
export const BOOKED_DAYS = 'SELECT (SELECT min(day) FROM project_days), (SELECT max(day) FROM project_days)'

/**
 * Asks what was spent from `from` up to `to`, in nano-dollars as texts, one row for each part: whole days, and quarters of an hour at both
 * ends. Days are looked up one by one; `bookedDays`: the row of `BOOKED_DAYS`.
 */
export function spentQueries(
  scope: SpentScope,
  from: number,
  to: number,
  bookedDays: readonly unknown[] | undefined,
): readonly SqlQuery[] {
  const [firstDay, lastDay] = bookedDays ?? []
  if (typeof firstDay !== 'number' && typeof firstDay !== 'string') return []
  const begin = Math.max(from, Number(firstDay))
  const end = Math.min(to, Number(lastDay) + DAY)
  const [firstWhole, lastWhole] = [Math.ceil(begin / DAY) * DAY, Math.floor(end / DAY) * DAY]
  if (firstWhole >= lastWhole) return inQuarters(scope, begin, end)
  return [
    ...inQuarters(scope, begin, firstWhole),
    inDays(scope, firstWhole, lastWhole),
    ...inQuarters(scope, lastWhole, end),
  ]
}

function inDays(scope: SpentScope, from: number, to: number): SqlQuery {
  const owner = ownerOf(scope)
  if (owner === undefined) return sumOf('totals', [total(DAY), between('bucket', from, to)])
  return sumOf(`${owner.name}_days`, [inBuckets('day', DAY, from, to), owner.rows])
}

function inQuarters(scope: SpentScope, from: number, to: number): readonly SqlQuery[] {
  if (from >= to) return []
  const owner = ownerOf(scope)
  if (owner === undefined) return [sumOf('totals', [total(QUARTER), between('bucket', from, to)])]
  const hours = inBuckets('hour', HOUR, from - (from % HOUR), to)
  return [sumOf(`${owner.name}_quarters`, [hours, owner.rows, between('quarter', from, to)])]
}

function ownerOf({ projectId, keyId }: SpentScope): { readonly name: string; readonly rows: SqlQuery } | undefined {
  if (keyId !== undefined) return { name: 'key', rows: rowsOfKeys([keyId]) }
  return projectId === undefined ? undefined : { name: 'project', rows: rowsOfProjects([projectId]) }
}

function total(width: number): SqlQuery {
  return { sql: `width = ${width}`, values: [] }
}

function between(column: string, from: number, to: number): SqlQuery {
  return { sql: `${column} >= ? AND ${column} < ?`, values: [from, to] }
}

function sumOf(table: string, conditions: readonly SqlQuery[]): SqlQuery {
  const { sql, values } = both(conditions)
  return { sql: `SELECT CAST(coalesce(sum(cost), 0) AS TEXT) FROM ${table} WHERE ${sql}`, values }
}
