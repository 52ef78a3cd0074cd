import type { Database } from 'bun:sqlite'
import { USAGE_FIELDS } from '../../openai/usage/usage.ts'
import { bookingOfRow, bookingRowsQuery } from '../booking-rows.ts'
import type { BookingPlace, LedgerExtent, UsagePage, UsageQuery } from '../ledger.ts'
import { marks, type SqlQuery } from '../record-queries.ts'
import type { Booking } from '../records.ts'
import {
  bookingJson,
  GROUP_COLUMNS,
  groupValues,
  minuteOf,
  type NumberedBooking,
  rollUp,
  SUM_COLUMNS,
  SUM_TABLES,
  type SumTable,
} from '../roll-up.ts'
import { BOOKED_DAYS, spentQueries } from '../spent-queries.ts'
import { usagePage } from '../usage-page.ts'
import type { ObjectStatements } from './object-statements.ts'
import { SparseStatements } from './sparse-statements.ts'

/** How many numbers of groups and keys are remembered. */
const NUMBERS_MAX = 50_000
const MINUTE = 60
const TABLES = Object.keys(SUM_TABLES) as readonly SumTable[]
/** What a booking counts: the sums, but for the number of requests. */
const COUNTS = SUM_COLUMNS.slice(1)
const RAW_COLUMNS = ['minute', 'project_no', 'key_no', 'at', 'id', 'group_no', 'json']

/** Bookings and their sums, in tables of SQLite. Each function throws SQLite's error. */
export class BookingStatements {
  readonly #database: Database
  readonly #objects: ObjectStatements
  readonly #insert: SparseStatements
  readonly #addTo: Readonly<Record<SumTable, SparseStatements>>
  readonly #groups = new Map<string, number>()
  readonly #projects = new Map<string, number>()
  readonly #keys = new Map<string, number>()
  /** Columns of sums that are known to be more than 0 somewhere, by their places. */
  readonly #counted = new Set<number>()

  constructor(database: Database, objects: ObjectStatements) {
    this.#database = database
    this.#objects = objects
    this.#insert = new SparseStatements(database, {
      table: 'bookings',
      place: RAW_COLUMNS,
      counts: COUNTS,
      isAdded: false,
    })
    const adding = (table: SumTable): SparseStatements =>
      new SparseStatements(database, { table, place: SUM_TABLES[table], counts: SUM_COLUMNS, isAdded: true })
    this.#addTo = {
      totals: adding('totals'),
      project_quarters: adding('project_quarters'),
      project_days: adding('project_days'),
      key_quarters: adding('key_quarters'),
      key_days: adding('key_days'),
    }
  }

  /** Writes bookings and adds them to the sums; one that is there already is left as it is, and not added again. */
  book(bookings: readonly Booking[]): void {
    try {
      this.#database.transaction(() => this.#book(bookings)).immediate()
    } catch (cause) {
      // Numbers that were given in a transaction that failed are nobody's.
      this.#groups.clear()
      this.#projects.clear()
      this.#keys.clear()
      this.#counted.clear()
      throw cause
    }
  }

  #book(bookings: readonly Booking[]): void {
    const written: NumberedBooking[] = []
    for (const booking of this.#objects.unbooked(bookings)) {
      const { id, at, keyId, projectId, cost, saved, usage } = booking
      const project = this.#projectOf(projectId)
      const key = this.#keyOf(keyId, project)
      const group = this.#groupOf(groupValues(booking))
      const numbered = { booking, project, key, group }
      const place = [minuteOf(booking), project, key, at, Uint8Array.fromHex(id), group, bookingJson(booking)]
      const counts = [cost, saved, ...USAGE_FIELDS.map((field) => usage[field])]
      if (this.#insert.run(place, counts)) written.push(numbered)
    }
    const { rows, used } = rollUp(written)
    for (const table of TABLES) for (const { place, sums } of rows[table]) this.#addTo[table].run(place, sums)
    for (const { sums } of rows.totals) for (const [index, sum] of sums.entries()) if (sum !== 0) this.#note(index)
    const use = this.#database.query('UPDATE keys SET used_at = max(used_at, ?2) WHERE no = ?1')
    for (const [key, at] of used) use.run(key, at)
  }

  /** Rows behind a place, the oldest first. */
  rows(after: BookingPlace | undefined, limit: number): readonly Booking[] {
    const { sql, values } = bookingRowsQuery(after, limit, 'lower(hex(bookings.id))')
    return this.#database
      .query(sql)
      .values(...values)
      .map(bookingOfRow)
  }

  /** A page of bookings, added up by bucket and group. */
  usage(query: UsageQuery): UsagePage {
    // All questions see one moment: a row that is written between them would have requests, and no counts.
    return this.#database
      .transaction(() => {
        const names = this.#database.query('SELECT name FROM counted').values().flat()
        const counted = USAGE_FIELDS.filter((name) => names.includes(name))
        const asking = usagePage(query, counted)
        for (let step = asking.next([]); ; step = asking.next(this.#ask(step.value)))
          if (step.done === true) return step.value
      })
      .deferred()
  }

  /** What was spent from `from` up to `to`: whole days, and quarters of an hour at both ends. */
  spent(scope: { projectId?: string; keyId?: string }, from: number, to: number): bigint {
    const [days] = this.#database.query(BOOKED_DAYS).values()
    return spentQueries(scope, from, to, days).reduce(
      (sum, query) => sum + BigInt(String(this.#ask(query)[0]?.[0])),
      0n,
    )
  }

  /** Asks once: such statements differ in how many values they have, and would fill the memory of those that are kept. */
  #ask({ sql, values }: SqlQuery): unknown[][] {
    using statement = this.#database.prepare(sql)
    return statement.values(...values)
  }

  /** When keys were last used. */
  lastUsed(keyIds: readonly string[]): ReadonlyMap<string, number> {
    const sql = `SELECT id, max(used_at) FROM keys WHERE id IN (${marks(keyIds.length)}) GROUP BY id`
    using statement = this.#database.prepare(sql)
    return new Map(statement.values(...keyIds).map(([key, at]) => [String(key), Number(at)]))
  }

  /** Removes bookings, and sums by minute, from before a time. */
  forget(before: number): void {
    const minute = minuteOf({ at: before * 1000 })
    this.#database.query('DELETE FROM bookings WHERE minute < ?').run(minute)
    this.#database.query('DELETE FROM bookings WHERE minute = ? AND at < ?').run(minute, before * 1000)
    this.#database.query(`DELETE FROM totals WHERE width = ${MINUTE} AND bucket < ?`).run(before)
  }

  /** How far bookings go back, and the bytes of the pages that are in use. */
  extent(): LedgerExtent {
    const [row] = this.#database
      .query('SELECT min(at) FROM bookings WHERE minute = (SELECT min(minute) FROM bookings)')
      .values()
    const sql = `SELECT (pages.page_count - free.freelist_count) * size.page_size
      FROM pragma_page_count AS pages, pragma_freelist_count AS free, pragma_page_size AS size`
    const [used] = this.#database.query(sql).values()
    const oldest = typeof row?.[0] === 'number' ? Math.floor(row[0] / 1000) : undefined
    return { oldest, bytes: Number(used?.[0]) }
  }

  /** Notes that a column counts something. Questions read no others: most programs have only a few kinds of usage. */
  #note(column: number): void {
    if (this.#counted.has(column)) return
    this.#counted.add(column)
    this.#database.query('INSERT OR IGNORE INTO counted VALUES (?)').run(SUM_COLUMNS[column] ?? '')
  }

  #groupOf(values: readonly string[]): number {
    return this.#numberOf(this.#groups, values.join('\n'), () => {
      const where = GROUP_COLUMNS.map((name) => `${name} = ?`).join(' AND ')
      const insert = `INSERT OR IGNORE INTO groups (${GROUP_COLUMNS.join(', ')}) VALUES (${marks(values.length)})`
      this.#database.query(insert).run(...values)
      return this.#database.query(`SELECT no FROM groups WHERE ${where}`).values(...values)[0]?.[0]
    })
  }

  #projectOf(id: string): number {
    return this.#numberOf(this.#projects, id, () => {
      this.#database.query('INSERT OR IGNORE INTO projects (id) VALUES (?)').run(id)
      return this.#database.query('SELECT no FROM projects WHERE id = ?').values(id)[0]?.[0]
    })
  }

  #keyOf(id: string, project: number): number {
    return this.#numberOf(this.#keys, `${project} ${id}`, () => {
      this.#database.query('INSERT OR IGNORE INTO keys (id, project_no, used_at) VALUES (?, ?, 0)').run(id, project)
      return this.#database.query('SELECT no FROM keys WHERE id = ? AND project_no = ?').values(id, project)[0]?.[0]
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
