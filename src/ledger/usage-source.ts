import type { UsageDimension, UsagePlace, UsageQuery } from './ledger.ts'
import { marks, type SqlQuery } from './record-queries.ts'

const MINUTE = 60
const HOUR = 3_600

/** Where a question's rows come from. Each table lies in the order of its places. */
export interface UsageSource {
  readonly table: string
  /** The columns by which a page may be cut: the bucket, and what its groups are of. */
  readonly place: readonly string[]
  /** The rows that count, but for those of a place. */
  readonly rows: SqlQuery
  /** Whether groups are filtered, which no order helps to find. */
  readonly isSifted: boolean
  readonly requests: string
}

/** The table with the widest buckets that fit: by minute only sums of all projects together are kept, and the rows themselves are added up. */
export function sourceOf(query: UsageQuery): UsageSource {
  const { bucketSeconds, where, groupBy } = query
  const has = (name: UsageDimension): boolean => where[name] !== undefined || groupBy.includes(name)
  const { project, key, ...others } = where
  const sifted = Object.entries(others).map(([name, values]) => ({
    sql: `+group_no IN (SELECT no FROM groups WHERE ${name} IN (${marks(values.length)}))`,
    values,
  }))
  const isSifted = sifted.length > 0
  if (!has('project') && !has('key')) {
    const rows = both([{ sql: `width = ${bucketSeconds}`, values: [] }, ...sifted])
    return { table: 'totals', place: ['bucket'], rows, isSifted, requests: 'sum(requests)' }
  }
  const owner = has('key') ? 'key' : 'project'
  const lead = bucketSeconds === MINUTE ? 'minute' : bucketSeconds === HOUR ? 'hour' : 'day'
  const cut = groupBy.includes('key') ? ['project_no', 'key_no'] : groupBy.includes('project') ? ['project_no'] : []
  const owners = [
    ...(project === undefined ? [] : [rowsOfProjects(project)]),
    ...(key === undefined ? [] : [rowsOfKeys(key)]),
  ]
  return {
    table: lead === 'minute' ? 'bookings' : `${owner}_${lead === 'hour' ? 'quarters' : 'days'}`,
    // Only what lies in order may be cut: the keys' table, grouped by project, is not.
    place: [lead, ...(cut.length === 1 && owner === 'key' ? [] : cut)],
    rows: both([...(owners.length > 0 ? [bucketsOf(lead, query)] : []), ...owners, ...sifted]),
    isSifted,
    requests: lead === 'minute' ? 'count(*)' : 'sum(requests)',
  }
}

/** The rows of some projects and keys are looked up bucket by bucket: among all others they are few. */
function bucketsOf(lead: string, { from, to, bucketSeconds, begin }: UsageQuery): SqlQuery {
  const first = begin?.bucket ?? from
  return inBuckets(lead, bucketSeconds, first, to)
}

/** The buckets that begin from `from` up to `to`, one by one. */
export function inBuckets(column: string, width: number, from: number, to: number): SqlQuery {
  const first = Math.ceil(from / width)
  const values = Array.from({ length: Math.max(0, Math.ceil(to / width) - first) }, (_, at) => (first + at) * width)
  return { sql: values.length === 0 ? 'false' : `${column} IN (${marks(values.length)})`, values }
}

/** The rows of projects, by their ids. */
export function rowsOfProjects(ids: readonly string[]): SqlQuery {
  return { sql: `project_no IN (SELECT no FROM projects WHERE id IN (${marks(ids.length)}))`, values: ids }
}

/** The rows of keys, by their ids: a key has a number for each project that it was booked in. */
export function rowsOfKeys(ids: readonly string[]): SqlQuery {
  const sql = `(project_no, key_no) IN (SELECT project_no, no FROM keys WHERE id IN (${marks(ids.length)}))`
  return { sql, values: ids }
}

/** Conditions that all have to hold. */
export function both(conditions: readonly SqlQuery[]): SqlQuery {
  const some = conditions.filter(({ sql }) => sql !== '')
  return { sql: some.map(({ sql }) => sql).join(' AND '), values: some.flatMap(({ values }) => values) }
}

/** From a place on, or before it. A place of a table that is not cut so finely is its bucket's. */
export function fromPlace({ place }: UsageSource, sign: '>=' | '<', at: UsagePlace): SqlQuery {
  const values = [at.bucket, at.project, at.key].slice(0, place.length)
  return { sql: `(${place.join(', ')}) ${sign} (${marks(place.length)})`, values }
}
