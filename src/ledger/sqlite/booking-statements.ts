import type { Database, Statement } from 'bun:sqlite'
import { NO_USAGE, USAGE_FIELDS } from '../../usage/usage.ts'
import type { UsageDimension, UsageQuery, UsageSum } from '../ledger.ts'
import type { Booking } from '../records.ts'
import { GROUP_COLUMNS, SUM_COLUMNS, SUM_WIDTHS } from './ledger-schema.ts'

const DAY = 86_400
const QUARTER = 900
/** How many numbers of groups and keys are remembered. */
const NUMBERS_MAX = 50_000

/** Sums under the numbers that they are found by. */
type Sums = Map<string, { readonly at: readonly number[]; readonly sums: number[] }>

const ADDED = SUM_COLUMNS.map((name) => `"${name}" = "${name}" + excluded."${name}"`).join(', ')
const VALUES = (count: number): string => Array.from({ length: count }, () => '?').join(', ')
const ADD_TO = (table: string): string =>
  `INSERT INTO ${table} VALUES (${VALUES(3 + SUM_COLUMNS.length)}) ON CONFLICT DO UPDATE SET ${ADDED}`

/** Bookings and their sums, in tables of SQLite. Each function throws SQLite's error. */
export class BookingStatements {
  readonly #database: Database
  readonly #insert: Statement
  readonly #addTo: Readonly<Record<'sums' | 'key_quarters' | 'key_days', Statement>>
  readonly #groups = new Map<string, number>()
  readonly #keys = new Map<string, number>()

  constructor(database: Database) {
    this.#database = database
    this.#insert = database.prepare('INSERT OR IGNORE INTO bookings VALUES (?, ?, ?, ?, ?, ?, ?)')
    this.#addTo = {
      sums: database.prepare(ADD_TO('sums')),
      key_quarters: database.prepare(ADD_TO('key_quarters')),
      key_days: database.prepare(ADD_TO('key_days')),
    }
  }

  /** Writes bookings and adds them to the sums; one that is there already is left as it is, and not added again. */
  book(bookings: readonly Booking[]): void {
    try {
      this.#database.transaction(() => this.#book(bookings)).immediate()
    } catch (cause) {
      // Numbers that were given in a transaction that failed are nobody's.
      this.#groups.clear()
      this.#keys.clear()
      throw cause
    }
  }

  #book(bookings: readonly Booking[]): void {
    const sums: Sums = new Map()
    const quarters: Sums = new Map()
    const days: Sums = new Map()
    const used = new Map<number, number>()
    for (const booking of bookings) {
      const { id, at, keyId, cost, saved } = booking
      const group = this.#groupOf(booking)
      const key = this.#keyOf(keyId)
      const { changes } = this.#insert.run(Uint8Array.fromHex(id), at, key, group, cost, saved, storedJson(booking))
      if (changes === 0) continue
      const second = Math.floor(at / 1000)
      used.set(key, Math.max(used.get(key) ?? 0, second))
      for (const width of SUM_WIDTHS) add(sums, [width, second - (second % width), group], booking)
      add(quarters, [key, second - (second % QUARTER), group], booking)
      add(days, [second - (second % DAY), key, group], booking)
    }
    for (const [table, rows] of [
      ['sums', sums],
      ['key_quarters', quarters],
      ['key_days', days],
    ] as const)
      for (const { at, sums: values } of rows.values()) this.#addTo[table].run(...at, ...values)
    const use = this.#database.query('UPDATE keys SET used_at = max(used_at, ?2) WHERE no = ?1')
    for (const [key, at] of used) use.run(key, at)
  }

  /** Adds up bookings by bucket and group. */
  usage({ from, to, bucketSeconds, where, groupBy }: UsageQuery): readonly UsageSum[] {
    const isByKey = where.key !== undefined || groupBy.includes('key')
    const columnOf = (name: UsageDimension): string => (name === 'key' ? 'keys.id' : `groups.${name}`)
    const [table, width] = isByKey
      ? [bucketSeconds === DAY ? 'key_days' : 'key_quarters', undefined]
      : ['sums', bucketSeconds === 3600 ? QUARTER : bucketSeconds]
    const conditions = ['bucket >= ?', 'bucket < ?', ...(width === undefined ? [] : [`width = ${width}`])]
    for (const [name, values] of Object.entries(where))
      conditions.push(`${columnOf(name as UsageDimension)} IN (${VALUES(values.length)})`)
    const groups = groupBy.map(columnOf)
    using statement = this.#database.prepare(
      `SELECT ${[`bucket - bucket % ${bucketSeconds} AS start`, ...groups, ...SUM_COLUMNS.map((name) => `sum("${name}")`)].join(', ')}
       FROM ${table} JOIN groups ON groups.no = group_no ${isByKey ? 'JOIN keys ON keys.no = key_no' : ''}
       WHERE ${conditions.join(' AND ')} GROUP BY ${['start', ...groups].join(', ')} ORDER BY start`,
    )
    return statement.values(from, to, ...Object.values(where).flat()).map((row) => sumOf(row, groupBy))
  }

  /** What was spent from `from` up to `to`: whole days, and quarters of an hour at both ends. */
  spent({ projectId, keyId }: { projectId?: string; keyId?: string }, from: number, to: number): bigint {
    const [firstDay, lastDay] = [Math.ceil(from / DAY) * DAY, Math.floor(to / DAY) * DAY]
    if (firstDay >= lastDay) return this.#spentIn(QUARTER, from, to, projectId, keyId)
    return (
      this.#spentIn(QUARTER, from, firstDay, projectId, keyId) +
      this.#spentIn(DAY, firstDay, lastDay, projectId, keyId) +
      this.#spentIn(QUARTER, lastDay, to, projectId, keyId)
    )
  }

  #spentIn(width: number, from: number, to: number, projectId: string | undefined, keyId: string | undefined): bigint {
    const key = 'key_no = (SELECT no FROM keys WHERE id = ?3)'
    const project = 'group_no IN (SELECT no FROM groups WHERE project = ?3)'
    const [table, scope] =
      keyId !== undefined
        ? [width === DAY ? 'key_days' : 'key_quarters', key]
        : ['sums', `width = ${width}${projectId === undefined ? '' : ` AND ${project}`}`]
    const sql = `SELECT CAST(coalesce(sum(cost), 0) AS TEXT) FROM ${table} WHERE bucket >= ?1 AND bucket < ?2 AND ${scope}`
    const scoped = keyId ?? projectId
    const [row] = this.#database.query(sql).values(from, to, ...(scoped === undefined ? [] : [scoped]))
    return BigInt(String(row?.[0]))
  }

  /** When keys were last used. */
  lastUsed(keyIds: readonly string[]): ReadonlyMap<string, number> {
    using statement = this.#database.prepare(`SELECT id, used_at FROM keys WHERE id IN (${VALUES(keyIds.length)})`)
    return new Map(statement.values(...keyIds).map(([key, at]) => [String(key), Number(at)]))
  }

  /** Removes bookings, and sums by minute, from before a time. */
  forget(before: number): void {
    this.#database.query('DELETE FROM bookings WHERE at < ?').run(before * 1000)
    this.#database.query('DELETE FROM sums WHERE width = 60 AND bucket < ?').run(before)
  }

  #groupOf({ projectId, model, endpoint, upstream, tier, isBatch }: Booking): number {
    const values = [projectId, model, endpoint, upstream, tier, String(isBatch)]
    return this.#numberOf(this.#groups, values.join('\n'), () => {
      const where = GROUP_COLUMNS.map((name) => `${name} = ?`).join(' AND ')
      const insert = `INSERT OR IGNORE INTO groups (${GROUP_COLUMNS.join(', ')}) VALUES (${VALUES(values.length)})`
      this.#database.query(insert).run(...values)
      return this.#database.query(`SELECT no FROM groups WHERE ${where}`).values(...values)[0]?.[0]
    })
  }

  #keyOf(id: string): number {
    return this.#numberOf(this.#keys, id, () => {
      this.#database.query('INSERT OR IGNORE INTO keys (id, used_at) VALUES (?, 0)').run(id)
      return this.#database.query('SELECT no FROM keys WHERE id = ?').values(id)[0]?.[0]
    })
  }

  #numberOf(known: Map<string, number>, name: string, make: () => unknown): number {
    const before = known.get(name)
    if (before !== undefined) return before
    const number = Number(make())
    if (known.size >= NUMBERS_MAX) known.clear()
    known.set(name, number)
    return number
  }
}

/** The rest of a booking: what no column has. */
function storedJson(booking: Booking): string {
  const { id, at, keyId, projectId, model, endpoint, upstream, tier, isBatch, cost, saved, usage, ...rest } = booking
  const used = Object.entries(usage).filter(([name, value]) => value !== NO_USAGE[name as keyof typeof NO_USAGE])
  return JSON.stringify({ ...rest, usage: Object.fromEntries(used) })
}

function add(rows: Sums, at: readonly number[], { cost, saved, usage }: Booking): void {
  const name = at.join()
  const values = [1, cost, saved, ...USAGE_FIELDS.map((field) => usage[field])]
  const row = rows.get(name)
  if (row === undefined) rows.set(name, { at, sums: values })
  else for (const [index, value] of values.entries()) row.sums[index] = (row.sums[index] ?? 0) + value
}

function sumOf(row: readonly unknown[], groupBy: readonly UsageDimension[]): UsageSum {
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
