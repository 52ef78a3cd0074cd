import type { Database, Statement } from 'bun:sqlite'
import { USAGE_FIELDS } from '../../usage/usage.ts'
import type { UsageDimension, UsageQuery, UsageSum } from '../ledger.ts'
import type { Booking } from '../records.ts'
import { GROUP_COLUMNS, SUM_COLUMNS, SUM_WIDTHS } from './ledger-schema.ts'

/** A group of bookings that are added up before they are written. */
interface Group {
  readonly keys: readonly (string | number)[]
  readonly sums: number[]
}

type Column = number | bigint | string

const ADDED = SUM_COLUMNS.map((name) => `"${name}" = "${name}" + excluded."${name}"`).join(', ')
const VALUES = (count: number): string => Array.from({ length: count }, () => '?').join(', ')

/** Bookings and their sums, in tables of SQLite. Each function throws SQLite's error. */
export class BookingStatements {
  readonly #database: Database
  readonly #insert: Statement
  readonly #addToSums: Statement
  readonly #addToKeySums: Statement
  readonly #use: Statement

  constructor(database: Database) {
    this.#database = database
    this.#insert = database.prepare('INSERT OR IGNORE INTO bookings VALUES (?, ?, ?, ?, ?)')
    const columns = GROUP_COLUMNS.length + SUM_COLUMNS.length
    this.#addToSums = database.prepare(
      `INSERT INTO sums VALUES (${VALUES(2 + columns)}) ON CONFLICT DO UPDATE SET ${ADDED}`,
    )
    this.#addToKeySums = database.prepare(
      `INSERT INTO key_sums VALUES (${VALUES(3 + columns)}) ON CONFLICT DO UPDATE SET ${ADDED}`,
    )
    this.#use = database.prepare(
      'INSERT INTO key_use VALUES (?1, ?2) ON CONFLICT DO UPDATE SET used_at = max(used_at, excluded.used_at)',
    )
  }

  /** Writes bookings and adds them to the sums; one that is there already is left as it is, and not added again. */
  book(bookings: readonly Booking[]): void {
    this.#database
      .transaction(() => {
        const sums = new Map<string, Group>()
        const keySums = new Map<string, Group>()
        const used = new Map<string, number>()
        for (const booking of bookings) {
          const { id, at, projectId, keyId } = booking
          const { changes } = this.#insert.run(id, at, projectId, keyId, JSON.stringify(booking))
          if (changes === 0) continue
          const second = Math.floor(at / 1000)
          used.set(keyId, Math.max(used.get(keyId) ?? 0, second))
          for (const width of SUM_WIDTHS) {
            const bucket = second - (second % width)
            const group = [
              projectId,
              booking.model,
              booking.endpoint,
              booking.upstream,
              booking.tier,
              String(booking.isBatch),
            ]
            add(sums, [width, bucket, ...group], booking)
            add(keySums, [width, bucket, keyId, ...group], booking)
          }
        }
        for (const { keys, sums: values } of sums.values()) this.#addToSums.run(...keys, ...values)
        for (const { keys, sums: values } of keySums.values()) this.#addToKeySums.run(...keys, ...values)
        for (const [key, at] of used) this.#use.run(key, at)
      })
      .immediate()
  }

  /** Adds up bookings by bucket and group. */
  usage({ from, to, bucketSeconds, where, groupBy }: UsageQuery): readonly UsageSum[] {
    const isByKey = where.key !== undefined || groupBy.includes('key')
    const width = bucketSeconds === 3600 ? 900 : bucketSeconds
    const groups = groupBy.map((name): string => name)
    const conditions = Object.entries(where).map(([name, values]) => `${name} IN (${VALUES(values.length)})`)
    const bucket = `bucket - bucket % ${bucketSeconds}`
    const sql = `SELECT ${[`${bucket} AS start`, ...groups, ...SUM_COLUMNS.map((name) => `sum("${name}")`)].join(', ')}
      FROM ${isByKey ? 'key_sums' : 'sums'}
      WHERE ${['width = ?', 'bucket >= ?', 'bucket < ?', ...conditions].join(' AND ')}
      GROUP BY ${['start', ...groups].join(', ')} ORDER BY start`
    using statement = this.#database.prepare(sql)
    const rows = statement.values(width, from, to, ...Object.values(where).flat()) as Column[][]
    return rows.map((row) => sumOf(row, groupBy))
  }

  /** What was spent from `from` up to `to`: days where they are whole, quarters of an hour at both ends. */
  spent({ projectId, keyId }: { projectId?: string; keyId?: string }, from: number, to: number): bigint {
    const firstDay = Math.ceil(from / 86_400) * 86_400
    const lastDay = Math.floor(to / 86_400) * 86_400
    const parts: readonly (readonly [width: number, from: number, to: number])[] =
      firstDay < lastDay
        ? [
            [900, from, firstDay],
            [86_400, firstDay, lastDay],
            [900, lastDay, to],
          ]
        : [[900, from, to]]
    const [table, column, value] =
      keyId !== undefined
        ? ['key_sums', 'key', keyId]
        : projectId !== undefined
          ? ['sums', 'project', projectId]
          : ['sums', "''", '']
    using statement = this.#database.prepare(
      `SELECT CAST(coalesce(sum(cost), 0) AS TEXT) FROM ${table} WHERE ${column} = ? AND width = ? AND bucket >= ? AND bucket < ?`,
    )
    return parts.reduce((total, part) => total + BigInt(String(statement.values(value, ...part)[0]?.[0])), 0n)
  }

  /** When keys were last used. */
  lastUsed(keyIds: readonly string[]): ReadonlyMap<string, number> {
    const rows = this.#database.query(`SELECT key, used_at FROM key_use WHERE key IN (${VALUES(keyIds.length)})`)
    return new Map(rows.values(...keyIds).map(([key, at]) => [String(key), Number(at)]))
  }

  /** Removes bookings, and sums by minute, from before a time. */
  forget(before: number): void {
    this.#database.query('DELETE FROM bookings WHERE at < ?').run(before * 1000)
    for (const table of ['sums', 'key_sums'])
      this.#database.query(`DELETE FROM ${table} WHERE width = 60 AND bucket < ?`).run(before)
  }
}

function add(groups: Map<string, Group>, keys: readonly (string | number)[], booking: Booking): void {
  const name = keys.join('\n')
  const { cost, saved, usage } = booking
  const values = [1, cost, saved, ...USAGE_FIELDS.map((field) => usage[field])]
  const group = groups.get(name)
  if (group === undefined) groups.set(name, { keys, sums: values })
  else for (const [index, value] of values.entries()) group.sums[index] = (group.sums[index] ?? 0) + value
}

function sumOf(row: readonly Column[], groupBy: readonly UsageDimension[]): UsageSum {
  const first = 1 + groupBy.length
  const [requests = 0, cost = 0, saved = 0, ...usage] = row.slice(first)
  return {
    bucket: Number(row[0]),
    group: Object.fromEntries(groupBy.map((name, index) => [name, String(row[1 + index])])),
    requests: Number(requests),
    cost: BigInt(cost),
    saved: BigInt(saved),
    usage: Object.fromEntries(USAGE_FIELDS.map((field, index) => [field, Number(usage[index])])),
  }
}
