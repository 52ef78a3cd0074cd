import { USAGE_FIELDS, type Usage } from '../openai/usage/usage.ts'
import type { UsagePage, UsagePlace, UsageQuery, UsageSum } from './ledger.ts'
import type { SqlQuery } from './record-queries.ts'
import { both, fromPlace, sourceOf, type UsageSource } from './usage-source.ts'

/** How many rows of sums a page adds up at most: where each project or key may be a result, where each model may, and where few are. */
const OWNERS_ROWS_MAX = 2_000
const MODELS_ROWS_MAX = 6_000
const ROWS_MAX = 60_000
/** How often a project or a key is looked up in a bucket, at most. */
const LOOKUPS_MAX = 20_000
/** How many rows of projects or keys are looked through for those that a filter of groups lets past. */
const SIFTED_ROWS_MAX = 40_000

/** Rows of a store as lists of columns. */
type Rows = readonly (readonly unknown[])[]
/** Names of counts. */
type CountNames = readonly (keyof Usage)[]

/**
 * Answers a question about usage: yields what to ask a store, takes its rows, and returns a page. What it reads is bounded however many keys and
 * rows there are: a page that would be too large ends before, and says where the next one begins.
 *
 * `counted`: the counts that are not 0 in all rows.
 *
 * @example
 * const asking = usagePage(query)
 * for (let step = asking.next([]); ; step = asking.next(ask(step.value))) if (step.done === true) return step.value
 */
export function* usagePage(
  query: UsageQuery,
  counted: CountNames = USAGE_FIELDS,
): Generator<SqlQuery, UsagePage, Rows> {
  const to = endOfLookups(query)
  const bounded = { ...query, to }
  const source = sourceOf(bounded)
  const next = yield* endOf(bounded, source)
  const rows = yield sumsQuery(bounded, source, next, counted)
  const rest = to < query.to ? { bucket: to, project: 0, key: 0 } : undefined
  return { sums: rows.map((row) => sumOf(row, bounded, counted)), next: next ?? rest }
}

/** A question about many projects or keys has fewer buckets. */
function endOfLookups({ from, to, begin, bucketSeconds, where: { project, key } }: UsageQuery): number {
  const owners = key?.length ?? project?.length ?? 0
  if (owners === 0) return to
  const buckets = Math.max(1, Math.floor(LOOKUPS_MAX / owners))
  return Math.min(to, (begin?.bucket ?? from) + buckets * bucketSeconds)
}

/** Finds where a page has to end before all of it is told; undefined: nowhere. */
function* endOf(query: UsageQuery, source: UsageSource): Generator<SqlQuery, UsagePlace | undefined, Rows> {
  const { bucketSeconds } = query
  const plain = { ...source, rows: withoutSifting(query) }
  const isOfOwners = source.place.length > 1
  const looked = isOfOwners ? SIFTED_ROWS_MAX : ROWS_MAX
  const seen = source.isSifted ? placeOf((yield placeQuery(query, plain, looked))[0]) : undefined
  const areFew = query.groupBy.every((name) => name === 'endpoint' || name === 'batch')
  const most = isOfOwners ? OWNERS_ROWS_MAX : areFew ? ROWS_MAX : MODELS_ROWS_MAX
  const full = placeOf((yield placeQuery(query, source, most, seen))[0]) ?? seen
  if (full === undefined) return undefined
  const first = placeOf((yield placeQuery(query, full === seen ? plain : source, 0))[0])
  // One place alone is more than a page should have: it can't be cut.
  return first !== undefined && isSamePlace(first, full) ? behind(full, source, bucketSeconds) : full
}

function withoutSifting({ where: { project, key }, ...query }: UsageQuery): SqlQuery {
  return sourceOf({
    ...query,
    // The table stays the same: it goes by project and key alone.
    where: { ...(project !== undefined && { project }), ...(key !== undefined && { key }) },
  }).rows
}

/** Asks for the place of the row that stands so far behind the first one of a page. */
function placeQuery(query: UsageQuery, source: UsageSource, offset: number, end?: UsagePlace): SqlQuery {
  const { sql, values } = rangeOf(query, source, end)
  const places = source.place.join(', ')
  return {
    sql: `SELECT ${places} FROM ${source.table} WHERE ${sql} ORDER BY ${places} LIMIT 1 OFFSET ${offset}`,
    values,
  }
}

/** A row's place; what its table is not cut by is 0. */
function placeOf(row: readonly unknown[] | undefined): UsagePlace | undefined {
  if (row === undefined) return undefined
  const [bucket, project = 0, key = 0] = row.map(Number)
  return { bucket: bucket ?? 0, project, key }
}

function isSamePlace(one: UsagePlace, other: UsagePlace): boolean {
  return one.bucket === other.bucket && one.project === other.project && one.key === other.key
}

function behind(place: UsagePlace, { place: columns }: UsageSource, bucketSeconds: number): UsagePlace {
  if (columns.length === 1) return { ...place, bucket: place.bucket + bucketSeconds }
  return columns.length === 2 ? { ...place, project: place.project + 1 } : { ...place, key: place.key + 1 }
}

/** The rows of a question from its beginning up to an end, which may be within a bucket. */
function rangeOf({ from, to, begin }: UsageQuery, source: UsageSource, end: UsagePlace | undefined): SqlQuery {
  const lead = source.place[0] ?? ''
  return both([
    source.rows,
    begin === undefined ? { sql: `${lead} >= ?`, values: [from] } : fromPlace(source, '>=', begin),
    end === undefined ? { sql: `${lead} < ?`, values: [to] } : fromPlace(source, '<', end),
  ])
}

/** Asks for sums by bucket and group. They are added up by numbers first: names are looked up for the few rows that are left. */
function sumsQuery(query: UsageQuery, source: UsageSource, end: UsagePlace | undefined, counted: CountNames): SqlQuery {
  const { groupBy } = query
  const range = rangeOf(query, source, end)
  const numbers = numbersOf(query)
  const counts = countsOf(query, counted)
  const inner = ['cost', 'saved', ...counts].map((name) => `sum("${name}") AS "${name}"`)
  const outer = ['requests', 'cost', 'saved', ...counts].map((name) =>
    name === 'cost' || name === 'saved' ? `CAST(sum("${name}") AS TEXT)` : `sum("${name}")`,
  )
  const names = groupBy.map((name) => OWNERS[name as 'key'] ?? `groups.${name}`)
  const joins = numbers.map((number) => `JOIN ${TABLES[number]} ON ${TABLES[number]}.no = added.${number}`)
  return {
    sql: `SELECT start, ${[...names, ...outer].join(', ')} FROM (
        SELECT ${[`${source.place[0]} AS start`, ...numbers, `${source.requests} AS requests`, ...inner].join(', ')} FROM ${source.table}
        WHERE ${range.sql} GROUP BY ${['start', ...numbers].join(', ')}
      ) AS added ${joins.join(' ')} GROUP BY ${['start', ...names].join(', ')} ORDER BY start`,
    values: range.values,
  }
}

const OWNERS = { project: 'projects.id', key: 'keys.id' } as const
const TABLES = { project_no: 'projects', key_no: 'keys', group_no: 'groups' } as const

/** The numbers that a question's groups have. */
function numbersOf({ groupBy }: UsageQuery): readonly (keyof typeof TABLES)[] {
  const isOfGroups = groupBy.some((name) => name !== 'project' && name !== 'key')
  return [
    ...(groupBy.includes('project') ? (['project_no'] as const) : []),
    ...(groupBy.includes('key') ? (['key_no'] as const) : []),
    ...(isOfGroups ? (['group_no'] as const) : []),
  ]
}

function countsOf({ counts = USAGE_FIELDS }: UsageQuery, counted: CountNames): CountNames {
  return counts.filter((name) => counted.includes(name))
}

/** Reads a row of `sumsQuery`, which was asked with the same arguments. */
function sumOf(row: readonly unknown[], query: UsageQuery, counted: CountNames): UsageSum {
  const { groupBy, counts = USAGE_FIELDS } = query
  const [requests, cost, saved, ...usage] = row.slice(1 + groupBy.length)
  const all = Object.fromEntries(counts.map((name) => [name, 0]))
  for (const [index, name] of countsOf(query, counted).entries()) all[name] = Number(usage[index])
  return {
    bucket: Number(row[0]),
    group: Object.fromEntries(groupBy.map((name, index) => [name, String(row[1 + index])])),
    requests: Number(requests),
    cost: BigInt(String(cost)),
    saved: BigInt(String(saved)),
    usage: all,
  }
}
