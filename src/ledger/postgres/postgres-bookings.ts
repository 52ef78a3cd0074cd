import { bookingOfRow, bookingRowsQuery } from '../booking-rows.ts'
import type { BookingPlace, LedgerExtent, UsagePage, UsageQuery } from '../ledger.ts'
import { marks } from '../record-queries.ts'
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
  type SumRow,
  type SumTable,
} from '../roll-up.ts'
import { BOOKED_DAYS, spentQueries } from '../spent-queries.ts'
import { usagePage } from '../usage-page.ts'
import { numbered, type PostgresConnections, type Rows } from './postgres-connections.ts'
import { bookedObjects } from './postgres-objects.ts'

/** How many numbers of groups and keys are remembered. */
const NUMBERS_MAX = 50_000
const TABLES = Object.keys(SUM_TABLES) as readonly SumTable[]
const typesOf = (names: readonly string[]): string =>
  names.map((name) => `"${name}" ${name === 'seconds' ? 'DOUBLE PRECISION' : 'BIGINT'}`).join(', ')
const SUM_TYPES = typesOf(SUM_COLUMNS)
const COUNTS = SUM_COLUMNS.filter((name) => name !== 'requests')
const COUNT_NAMES = COUNTS.map((name) => `"${name}"`).join(', ')
const SUM_NAMES = SUM_COLUMNS.map((name) => `"${name}"`).join(', ')
const ADD_TO = Object.fromEntries(TABLES.map((table) => [table, addTo(table)])) as Readonly<Record<SumTable, string>>
const PLACE = 'minute, project_no, key_no, at'
const PLACE_TYPES = 'minute BIGINT, project_no INTEGER, key_no INTEGER, at BIGINT'
const BOOK = `INSERT INTO bookings (${PLACE}, id, group_no, ${COUNT_NAMES}, json)
  SELECT ${PLACE}, decode(id, 'hex'), group_no, ${COUNT_NAMES}, json
  FROM jsonb_to_recordset($1::text::jsonb) AS row (${PLACE_TYPES}, id TEXT, group_no INTEGER, ${typesOf(COUNTS)}, json TEXT)
  ORDER BY ${PLACE}, id ON CONFLICT DO NOTHING RETURNING encode(id, 'hex')`
const USE = `UPDATE keys SET used_at = greatest(keys.used_at, row.at)
  FROM jsonb_to_recordset($1::text::jsonb) AS row (no INTEGER, at BIGINT) WHERE keys.no = row.no`

/** Adds rows, which come as JSON, to a table of sums. Rows are locked in the order of their places, so that two nodes never wait for each other. */
function addTo(table: SumTable): string {
  const places = SUM_TABLES[table].join(', ')
  const added = SUM_COLUMNS.map((name) => `"${name}" = ${table}."${name}" + excluded."${name}"`).join(', ')
  return `INSERT INTO ${table} (${places}, ${SUM_NAMES}) SELECT ${places}, ${SUM_NAMES}
    FROM jsonb_to_recordset($1::text::jsonb) AS row (${SUM_TABLES[table].map((name) => `${name} BIGINT`).join(', ')}, ${SUM_TYPES})
    ORDER BY ${places} ON CONFLICT (${places}) DO UPDATE SET ${added}`
}

/** Bookings and their sums, in tables of Postgres. Each function rejects with Postgres's error. */
export class PostgresBookings {
  readonly #database: PostgresConnections
  readonly #groups = new Map<string, number>()
  readonly #projects = new Map<string, number>()
  readonly #keys = new Map<string, number>()

  constructor(database: PostgresConnections) {
    this.#database = database
  }

  /** Writes bookings and adds them to the sums; one that is there already is left as it is, and not added again. */
  async book(bookings: readonly Booking[]): Promise<void> {
    const unique = new Map(bookings.map((booking) => [booking.id, booking]))
    // Numbers are given outside of the transaction: one that is given for nothing does no harm, and no other node waits for it.
    const all: NumberedBooking[] = []
    for (const booking of unique.values()) {
      const group = await this.#groupOf(groupValues(booking))
      const project = await this.#projectOf(booking.projectId)
      all.push({ booking, group, project, key: await this.#keyOf(booking.keyId, project) })
    }
    const stored = all.map(({ booking, group, project, key }) => {
      const { id, at, cost, saved, usage } = booking
      const place = { minute: minuteOf(booking), project_no: project, key_no: key, at, id, group_no: group }
      return { ...place, cost, saved, ...usage, json: bookingJson(booking) }
    })
    await this.#database.begin(async (run) => {
      const booked = await bookedObjects(bookings, run)
      const left = stored.filter(({ id }) => !booked.has(id))
      const written = await run(BOOK, [JSON.stringify(left)])
      const ids = new Set(written.map(([id]) => id))
      const { rows, used } = rollUp(all.filter(({ booking }) => ids.has(booking.id)))
      for (const table of TABLES) await run(ADD_TO[table], [rowsJson(table, rows[table])])
      const uses = [...used].toSorted(([one], [other]) => one - other).map(([no, at]) => ({ no, at }))
      await run(USE, [JSON.stringify(uses)])
    })
  }

  /** Rows behind a place, the oldest first. */
  async rows(after: BookingPlace | undefined, limit: number): Promise<readonly Booking[]> {
    const rows = await this.#database.ask(bookingRowsQuery(after, limit, "encode(bookings.id, 'hex')"))
    return rows.map(bookingOfRow)
  }

  /** A page of bookings, added up by bucket and group. */
  async usage(query: UsageQuery): Promise<UsagePage> {
    const asking = usagePage(query)
    for (let step = asking.next([]); ; step = asking.next(await this.#database.ask(step.value)))
      if (step.done === true) return step.value
  }

  /** What was spent from `from` up to `to`: whole days, and quarters of an hour at both ends. */
  async spent(scope: { projectId?: string; keyId?: string }, from: number, to: number): Promise<bigint> {
    const [days] = await this.#database.run(BOOKED_DAYS, [])
    let spent = 0n
    for (const question of spentQueries(scope, from, to, days)) {
      const [row] = await this.#database.ask(question)
      spent += BigInt(String(row?.[0]))
    }
    return spent
  }

  /** When keys were last used. */
  async lastUsed(keyIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#database.run(
      numbered(`SELECT id, max(used_at) FROM keys WHERE id IN (${marks(keyIds.length)}) GROUP BY id`),
      keyIds,
    )
    return new Map(rows.map(([key, at]) => [String(key), Number(at)]))
  }

  /** Removes bookings, and sums by minute, from before a time. */
  async forget(before: number): Promise<void> {
    const minute = minuteOf({ at: before * 1000 })
    await this.#database.run('DELETE FROM bookings WHERE minute < $1', [minute])
    await this.#database.run('DELETE FROM bookings WHERE minute = $1 AND at < $2', [minute, before * 1000])
    await this.#database.run('DELETE FROM totals WHERE width = 60 AND bucket < $1', [before])
  }

  /** How far bookings go back. The room of rows that are gone is used again, and so tables tell nothing of what is in them. */
  async extent(): Promise<LedgerExtent> {
    const [row] = await this.#database.run(
      'SELECT min(at) FROM bookings WHERE minute = (SELECT min(minute) FROM bookings)',
      [],
    )
    const at = row?.[0] ?? undefined
    return { oldest: at === undefined ? undefined : Math.floor(Number(at) / 1000), bytes: undefined }
  }

  #groupOf(values: readonly string[]): Promise<number> | number {
    const columns = GROUP_COLUMNS.join(', ')
    return this.#numberOf(this.#groups, values.join('\n'), async () => {
      await this.#database.run(
        numbered(`INSERT INTO groups (${columns}) VALUES (${marks(values.length)}) ON CONFLICT DO NOTHING`),
        values,
      )
      const where = GROUP_COLUMNS.map((name) => `${name} = ?`).join(' AND ')
      return this.#database.run(numbered(`SELECT no FROM groups WHERE ${where}`), values)
    })
  }

  #projectOf(id: string): Promise<number> | number {
    return this.#numberOf(this.#projects, id, async () => {
      await this.#database.run('INSERT INTO projects (id) VALUES ($1) ON CONFLICT DO NOTHING', [id])
      return this.#database.run('SELECT no FROM projects WHERE id = $1', [id])
    })
  }

  #keyOf(id: string, project: number): Promise<number> | number {
    return this.#numberOf(this.#keys, `${project} ${id}`, async () => {
      const insert = 'INSERT INTO keys (id, project_no, used_at) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING'
      await this.#database.run(insert, [id, project])
      return this.#database.run('SELECT no FROM keys WHERE id = $1 AND project_no = $2', [id, project])
    })
  }

  #numberOf(known: Map<string, number>, name: string, make: () => Promise<Rows>): Promise<number> | number {
    return (
      known.get(name) ??
      make().then(([row]) => {
        const number = Number(row?.[0])
        if (known.size >= NUMBERS_MAX) known.clear()
        known.set(name, number)
        return number
      })
    )
  }
}

function rowsJson(table: SumTable, rows: readonly SumRow[]): string {
  const names = [...SUM_TABLES[table], ...SUM_COLUMNS]
  return JSON.stringify(
    rows.map(({ place, sums }) => Object.fromEntries([...place, ...sums].map((value, index) => [names[index], value]))),
  )
}
