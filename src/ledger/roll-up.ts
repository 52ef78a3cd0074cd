import { NO_USAGE, USAGE_FIELDS } from '../usage/usage.ts'
import type { UsageDimension, UsageQuery, UsageSum } from './ledger.ts'
import { marks, type SqlQuery } from './record-queries.ts'
import type { Booking } from './records.ts'

const DAY = 86_400
const QUARTER = 900

/** The widths of the buckets of sums, in seconds. A quarter of an hour: days of all time zones begin with one. */
export const SUM_WIDTHS = [60, QUARTER, DAY] as const
/** What bookings are grouped by; a group has a number, and so has a key. */
export const GROUP_COLUMNS = ['project', 'model', 'endpoint', 'upstream', 'tier', 'batch'] as const
/** The columns that are added up. */
export const SUM_COLUMNS = ['requests', 'cost', 'saved', ...USAGE_FIELDS] as const
/** The tables of sums, with the columns that a row is found by. */
export const SUM_TABLES = {
  sums: ['width', 'bucket', 'group_no'],
  key_quarters: ['key_no', 'bucket', 'group_no'],
  key_days: ['bucket', 'key_no', 'group_no'],
} as const
/** One of them. */
export type SumTable = keyof typeof SUM_TABLES

/** A booking, with the numbers of its group and its key. */
export interface NumberedBooking {
  readonly booking: Booking
  readonly group: number
  readonly key: number
}

/** A row of sums: the values of its place, and of `SUM_COLUMNS`. */
export interface SumRow {
  readonly place: readonly number[]
  readonly sums: number[]
}

/** What bookings add to the tables of sums, and when keys were last used, in seconds since 1970 by their numbers. */
export interface RollUp {
  readonly rows: Readonly<Record<SumTable, readonly SumRow[]>>
  readonly used: ReadonlyMap<number, number>
}

/** The values of a group's columns. */
export function groupValues({ projectId, model, endpoint, upstream, tier, isBatch }: Booking): readonly string[] {
  return [projectId, model, endpoint, upstream, tier, String(isBatch)]
}

/** The rest of a booking as JSON: what no column has. */
export function bookingJson(booking: Booking): string {
  const { id, at, keyId, projectId, model, endpoint, upstream, tier, isBatch, cost, saved, usage, ...rest } = booking
  const used = Object.entries(usage).filter(([name, value]) => value !== NO_USAGE[name as keyof typeof NO_USAGE])
  return JSON.stringify({ ...rest, usage: Object.fromEntries(used) })
}

/** Adds bookings up by bucket, group and key, so that a batch of them changes each row of sums once. Rows come in the order of their places. */
export function rollUp(bookings: readonly NumberedBooking[]): RollUp {
  const tables = {
    sums: new Map<string, SumRow>(),
    key_quarters: new Map<string, SumRow>(),
    key_days: new Map<string, SumRow>(),
  }
  const used = new Map<number, number>()
  for (const { booking, group, key } of bookings) {
    const second = Math.floor(booking.at / 1000)
    used.set(key, Math.max(used.get(key) ?? 0, second))
    for (const width of SUM_WIDTHS) add(tables.sums, [width, second - (second % width), group], booking)
    add(tables.key_quarters, [key, second - (second % QUARTER), group], booking)
    add(tables.key_days, [second - (second % DAY), key, group], booking)
  }
  const rows = {
    sums: inOrder(tables.sums),
    key_quarters: inOrder(tables.key_quarters),
    key_days: inOrder(tables.key_days),
  }
  return { rows, used }
}

function add(rows: Map<string, SumRow>, place: readonly number[], { cost, saved, usage }: Booking): void {
  const name = place.join()
  const values = [1, cost, saved, ...USAGE_FIELDS.map((field) => usage[field])]
  const row = rows.get(name)
  if (row === undefined) rows.set(name, { place, sums: values })
  else for (const [index, value] of values.entries()) row.sums[index] = (row.sums[index] ?? 0) + value
}

function inOrder(rows: ReadonlyMap<string, SumRow>): readonly SumRow[] {
  return [...rows.values()].toSorted(({ place: one }, { place: other }) => {
    const index = one.findIndex((value, at) => value !== other[at])
    return index === -1 ? 0 : (one[index] ?? 0) - (other[index] ?? 0)
  })
}

/** Asks for sums by bucket and group; `usageSumOf` reads its rows. */
export function usageSumsQuery({ from, to, bucketSeconds, where, groupBy }: UsageQuery): SqlQuery {
  const isByKey = where.key !== undefined || groupBy.includes('key')
  const columnOf = (name: UsageDimension): string => (name === 'key' ? 'keys.id' : `groups.${name}`)
  const [table, width] = isByKey
    ? [bucketSeconds === DAY ? 'key_days' : 'key_quarters', undefined]
    : ['sums', bucketSeconds === 3600 ? QUARTER : bucketSeconds]
  const conditions = ['bucket >= ?', 'bucket < ?', ...(width === undefined ? [] : [`width = ${width}`])]
  for (const [name, values] of Object.entries(where))
    conditions.push(`${columnOf(name as UsageDimension)} IN (${marks(values.length)})`)
  const groups = groupBy.map(columnOf)
  const columns = [
    `bucket - bucket % ${bucketSeconds} AS start`,
    ...groups,
    ...SUM_COLUMNS.map((name) => `sum("${name}")`),
  ]
  const keys = isByKey ? 'JOIN keys ON keys.no = key_no' : ''
  return {
    sql: `SELECT ${columns.join(', ')} FROM ${table} JOIN groups ON groups.no = group_no ${keys}
      WHERE ${conditions.join(' AND ')} GROUP BY ${['start', ...groups].join(', ')} ORDER BY start`,
    values: [from, to, ...Object.values(where).flat()],
  }
}

/** Reads a row of `usageSumsQuery`. */
export function usageSumOf(row: readonly unknown[], groupBy: readonly UsageDimension[]): UsageSum {
  const [requests, cost, saved, ...usage] = row.slice(1 + groupBy.length).map(Number)
  return {
    bucket: Number(row[0]),
    group: Object.fromEntries(groupBy.map((name, index) => [name, String(row[1 + index])])),
    requests: requests ?? 0,
    cost: BigInt(cost ?? 0),
    saved: BigInt(saved ?? 0),
    usage: Object.fromEntries(USAGE_FIELDS.map((field, index) => [field, usage[index] ?? 0])),
  }
}

/**
 * Asks what was spent from `from` up to `to`, in nano-dollars as texts, one row for each part: whole days, and quarters of an hour at both
 * ends.
 */
export function spentQueries(
  scope: { projectId?: string; keyId?: string },
  from: number,
  to: number,
): readonly SqlQuery[] {
  const end = Math.min(to, Number.MAX_SAFE_INTEGER)
  const [firstDay, lastDay] = [Math.ceil(from / DAY) * DAY, Math.floor(end / DAY) * DAY]
  if (firstDay >= lastDay) return [spentQuery(scope, QUARTER, from, end)]
  return [
    spentQuery(scope, QUARTER, from, firstDay),
    spentQuery(scope, DAY, firstDay, lastDay),
    spentQuery(scope, QUARTER, lastDay, end),
  ]
}

function spentQuery(
  { projectId, keyId }: { projectId?: string; keyId?: string },
  width: number,
  from: number,
  to: number,
): SqlQuery {
  const [table, scope] =
    keyId !== undefined
      ? [width === DAY ? 'key_days' : 'key_quarters', 'key_no = (SELECT no FROM keys WHERE id = ?)']
      : projectId !== undefined
        ? ['sums', `width = ${width} AND group_no IN (SELECT no FROM groups WHERE project = ?)`]
        : ['sums', `width = ${width}`]
  const scoped = keyId ?? projectId
  return {
    sql: `SELECT CAST(coalesce(sum(cost), 0) AS TEXT) FROM ${table} WHERE bucket >= ? AND bucket < ? AND ${scope}`,
    values: [from, to, ...(scoped === undefined ? [] : [scoped])],
  }
}
