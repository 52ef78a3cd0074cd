import { USAGE_FIELDS } from '../openai/usage/usage.ts'
import type { Booking } from './records.ts'

const DAY = 86_400
const HOUR = 3_600
const QUARTER = 900
const MINUTE = 60

/** The widths of the buckets of `totals`, in seconds. A quarter of an hour: days of all time zones begin with one. */
const TOTAL_WIDTHS = [MINUTE, QUARTER, HOUR, DAY] as const
/** What bookings are grouped by, beside their project and key; a group has a number, and so have projects and keys. */
export const GROUP_COLUMNS = ['model', 'endpoint', 'upstream', 'tier', 'batch'] as const
/** The columns that are added up. */
export const SUM_COLUMNS = ['requests', 'cost', 'saved', ...USAGE_FIELDS] as const
/**
 * The tables of sums, with the columns that a row is found by. `totals` are those of all projects together. All others begin with the bucket
 * that is asked for, and go on with the project and the key: what a page shows of them lies in one piece. Quarters of an hour come last, so
 * that those of an hour lie together.
 */
export const SUM_TABLES = {
  totals: ['width', 'bucket', 'group_no'],
  project_quarters: ['hour', 'project_no', 'group_no', 'quarter'],
  project_days: ['day', 'project_no', 'group_no'],
  key_quarters: ['hour', 'project_no', 'key_no', 'group_no', 'quarter'],
  key_days: ['day', 'project_no', 'key_no', 'group_no'],
} as const
/** One of them. */
export type SumTable = keyof typeof SUM_TABLES

/** A booking, with the numbers of its project, key and group. */
export interface NumberedBooking {
  readonly booking: Booking
  readonly project: number
  readonly key: number
  readonly group: number
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

/** The sums of a key's calls of one group in one minute. */
interface Minute {
  readonly at: number
  readonly project: number
  readonly key: number
  readonly group: number
  readonly sums: number[]
}

/** The values of a group's columns. */
export function groupValues({ model, endpoint, upstream, tier, isBatch }: Booking): readonly string[] {
  return [model, endpoint, upstream, tier, String(isBatch)]
}

/** The beginning of the minute that a booking came in, in seconds since 1970. */
export function minuteOf({ at }: Pick<Booking, 'at'>): number {
  const second = Math.floor(at / 1000)
  return second - (second % MINUTE)
}

/** The rest of a booking as JSON: what no column has. */
export function bookingJson(booking: Booking): string {
  const { requestId, servedModel, pricedBy, isEstimated, outcome, cache, status } = booking
  return JSON.stringify({ requestId, servedModel, pricedBy, isEstimated, outcome, cache, status })
}

/** Adds bookings up by bucket, project, key and group, so that a batch of them changes each row of sums once. Rows come in the order of their places. */
export function rollUp(bookings: readonly NumberedBooking[]): RollUp {
  const used = new Map<number, number>()
  const totals = new Map<string, SumRow>()
  const projectQuarters = new Map<string, SumRow>()
  const projectDays = new Map<string, SumRow>()
  const keyQuarters = new Map<string, SumRow>()
  const keyDays = new Map<string, SumRow>()
  for (const { at, project, key, group, sums: added } of minutesOf(bookings, used)) {
    for (const width of TOTAL_WIDTHS) add(totals, [width, at - (at % width), group], added)
    const [quarter, hour, day] = [at - (at % QUARTER), at - (at % HOUR), at - (at % DAY)]
    add(projectQuarters, [hour, project, group, quarter], added)
    add(projectDays, [day, project, group], added)
    add(keyQuarters, [hour, project, key, group, quarter], added)
    add(keyDays, [day, project, key, group], added)
  }
  const rows = {
    totals: inOrder(totals),
    project_quarters: inOrder(projectQuarters),
    project_days: inOrder(projectDays),
    key_quarters: inOrder(keyQuarters),
    key_days: inOrder(keyDays),
  }
  return { rows, used }
}

/** Most of a batch are calls of few keys: they are added up by minute first. */
function minutesOf(bookings: readonly NumberedBooking[], used: Map<number, number>): Iterable<Minute> {
  const minutes = new Map<string, Minute>()
  for (const { booking, project, key, group } of bookings) {
    const second = Math.floor(booking.at / 1000)
    if (second > (used.get(key) ?? 0)) used.set(key, second)
    const at = minuteOf(booking)
    const name = `${key} ${group} ${at}`
    let minute = minutes.get(name)
    if (minute === undefined) {
      minute = { at, project, key, group, sums: SUM_COLUMNS.map(() => 0) }
      minutes.set(name, minute)
    }
    addBooking(minute.sums, booking)
  }
  return minutes.values()
}

/** In the order of `SUM_COLUMNS`. */
function addBooking(sums: number[], { cost, saved, usage }: Booking): void {
  sums[0] = (sums[0] ?? 0) + 1
  sums[1] = (sums[1] ?? 0) + cost
  sums[2] = (sums[2] ?? 0) + saved
  for (let index = 0; index < USAGE_FIELDS.length; index += 1) {
    const value = usage[USAGE_FIELDS[index] ?? 'inputText']
    if (value !== 0) sums[index + 3] = (sums[index + 3] ?? 0) + value
  }
}

function add(rows: Map<string, SumRow>, place: readonly number[], added: readonly number[]): void {
  const name = place.join()
  const row = rows.get(name)
  if (row === undefined) rows.set(name, { place, sums: [...added] })
  else
    for (let index = 0; index < added.length; index += 1) row.sums[index] = (row.sums[index] ?? 0) + (added[index] ?? 0)
}

function inOrder(rows: ReadonlyMap<string, SumRow>): readonly SumRow[] {
  return [...rows.values()].toSorted((one, other) => {
    for (let index = 0; index < one.place.length; index += 1) {
      const difference = (one.place[index] ?? 0) - (other.place[index] ?? 0)
      if (difference !== 0) return difference
    }
    return 0
  })
}
