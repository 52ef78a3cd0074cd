import { USAGE_FIELDS, type Usage } from '../openai/usage/usage.ts'
import type { UsageDimension, UsageQuery, UsageSum } from './ledger.ts'
import { marks, type SqlQuery } from './record-queries.ts'

const DAY = 86_400
const QUARTER = 900
/** Up to so many keys and quarters of an hour, a week of them, are looked up one by one. */
const FEW_KEYS = 20
const FEW_QUARTERS = 672

/** Where a question's rows come from, and how its columns are called there. */
interface UsageSource {
  readonly table: string
  readonly condition: string | undefined
  /** The beginning of a row's bucket, in seconds. */
  readonly bucket: string
  readonly range: string
  /** How many units of the range's column a second has. */
  readonly unit: number
  readonly requests: string
}

/**
 * Asks for sums by bucket and group; `usageSumOf` reads its rows. They are added up by numbers first: names are looked up for the few rows
 * that are left. `counted`: the counts that are not 0 in all rows.
 */
export function usageSumsQuery(query: UsageQuery, counted: CountNames = USAGE_FIELDS): SqlQuery {
  const { where, groupBy } = query
  const { table, condition, bucket, requests, ...place } = sourceOf(query)
  const inRange = rangeOf(query, table, place)
  const isKeyed = groupBy.includes('key')
  const groups = groupBy.filter((name) => name !== 'key')
  const numbers = [...(isKeyed ? ['key_no'] : []), ...(groups.length > 0 ? ['group_no'] : [])]
  const counts = countsOf(query, counted)
  const filters = [
    ...(condition === undefined ? [] : [condition]),
    ...Object.entries(where).flatMap(([name, values]) => filterOf(name as UsageDimension, values)),
  ]
  const inner = ['cost', 'saved', ...counts].map((name) => `sum("${name}") AS "${name}"`)
  const outer = ['requests', 'cost', 'saved', ...counts].map((name) =>
    name === 'cost' || name === 'saved' ? `CAST(sum("${name}") AS TEXT)` : `sum("${name}")`,
  )
  const names = groupBy.map((name) => (name === 'key' ? 'keys.id' : `groups.${name}`))
  const joins = [
    ...(isKeyed ? ['JOIN keys ON keys.no = key_no'] : []),
    ...(groups.length > 0 ? ['JOIN groups ON groups.no = group_no'] : []),
  ]
  return {
    sql: `SELECT start, ${[...names, ...outer].join(', ')} FROM (
        SELECT ${bucket} AS start, ${[...numbers, `${requests} AS requests`, ...inner].join(', ')} FROM ${table}
        WHERE ${[...inRange.sql, ...filters].join(' AND ')} GROUP BY ${['start', ...numbers].join(', ')}
      ) AS added ${joins.join(' ')} GROUP BY ${['start', ...names].join(', ')} ORDER BY start`,
    values: [...inRange.values, ...Object.values(where).flat()],
  }
}

/** The table with the widest buckets that fit. By minute and key there are no sums: the rows themselves are added up. */
function sourceOf({ bucketSeconds, where, groupBy }: UsageQuery): UsageSource {
  const isByKey = where.key !== undefined || groupBy.includes('key')
  const second = 'at / 1000'
  const isOfProjects = where.project !== undefined || groupBy.includes('project')
  if (isByKey && bucketSeconds < QUARTER)
    return {
      table: 'bookings',
      condition: undefined,
      bucket: `${second} - ${second} % ${bucketSeconds}`,
      range: 'at',
      unit: 1000,
      requests: 'count(*)',
    }
  const width = isByKey ? (bucketSeconds === DAY ? DAY : QUARTER) : bucketSeconds
  const keyed = width === DAY ? 'key_days' : 'key_quarters'
  return {
    table: isByKey ? keyed : isOfProjects ? 'sums' : 'totals',
    condition: isByKey ? undefined : `width = ${bucketSeconds}`,
    // Rows that come in the order of their buckets need not be sorted.
    bucket: width === bucketSeconds ? 'bucket' : `bucket - bucket % ${bucketSeconds}`,
    range: 'bucket',
    unit: 1,
    requests: 'sum(requests)',
  }
}

/** Among all keys' quarters of an hour a few keys' are looked up one by one: there are few. */
function rangeOf(
  { from, to, where }: UsageQuery,
  table: string,
  { range, unit }: Pick<UsageSource, 'range' | 'unit'>,
): { readonly sql: readonly string[]; readonly values: readonly number[] } {
  const isOfFewKeys = table === 'key_quarters' && (where.key?.length ?? Number.POSITIVE_INFINITY) <= FEW_KEYS
  if (!isOfFewKeys || to - from > FEW_QUARTERS * QUARTER)
    return { sql: [`${range} >= ?`, `${range} < ?`], values: [from * unit, to * unit] }
  const quarters = quartersOf(from, to)
  return { sql: [quarters.length === 0 ? 'false' : `bucket IN (${marks(quarters.length)})`], values: quarters }
}

/** The beginnings of the quarters of an hour in a span. */
function quartersOf(from: number, to: number): readonly number[] {
  const first = Math.ceil(from / QUARTER)
  return Array.from({ length: Math.max(0, Math.ceil(to / QUARTER) - first) }, (_, index) => (first + index) * QUARTER)
}

function filterOf(name: UsageDimension, values: readonly string[]): string {
  return name === 'key'
    ? `key_no IN (SELECT no FROM keys WHERE id IN (${marks(values.length)}))`
    : `group_no IN (SELECT no FROM groups WHERE ${name} IN (${marks(values.length)}))`
}

/** Names of counts. */
type CountNames = readonly (keyof Usage)[]

function countsOf({ counts = USAGE_FIELDS }: UsageQuery, counted: CountNames): CountNames {
  return counts.filter((name) => counted.includes(name))
}

/** Reads a row of `usageSumsQuery`, which was asked with the same arguments. */
export function usageSumOf(row: readonly unknown[], query: UsageQuery, counted: CountNames = USAGE_FIELDS): UsageSum {
  const { groupBy, counts = USAGE_FIELDS } = query
  const [requests, cost, saved, ...usage] = row.slice(1 + groupBy.length)
  const none = counts.map((name) => [name, 0] as const)
  const some = countsOf(query, counted).map((name, index) => [name, Number(usage[index])] as const)
  return {
    bucket: Number(row[0]),
    group: Object.fromEntries(groupBy.map((name, index) => [name, String(row[1 + index])])),
    requests: Number(requests),
    cost: BigInt(String(cost)),
    saved: BigInt(String(saved)),
    usage: Object.fromEntries([...none, ...some]),
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
  if (keyId !== undefined && width === QUARTER) return spentInQuarters(keyId, from, to)
  const [table, scope] =
    keyId !== undefined
      ? ['key_days', 'key_no = (SELECT no FROM keys WHERE id = ?)']
      : projectId !== undefined
        ? ['sums', `width = ${width} AND group_no IN (SELECT no FROM groups WHERE project = ?)`]
        : ['totals', `width = ${width}`]
  const scoped = keyId ?? projectId
  return {
    sql: `SELECT CAST(coalesce(sum(cost), 0) AS TEXT) FROM ${table} WHERE bucket >= ? AND bucket < ? AND ${scope}`,
    values: [from, to, ...(scoped === undefined ? [] : [scoped])],
  }
}

/** Less than two days: each quarter is looked up, for among all keys' rows of them a key's are few. */
function spentInQuarters(keyId: string, from: number, to: number): SqlQuery {
  const quarters = quartersOf(from, to)
  const isIn = quarters.length === 0 ? 'false' : `bucket IN (${marks(quarters.length)})`
  return {
    sql: `SELECT CAST(coalesce(sum(cost), 0) AS TEXT) FROM key_quarters
      WHERE key_no = (SELECT no FROM keys WHERE id = ?) AND ${isIn}`,
    values: [keyId, ...quarters],
  }
}
