import { USAGE_FIELDS } from '../openai/usage/usage.ts'
import type { Booking } from './records.ts'

const DAY = 86_400
const HOUR = 3_600
const QUARTER = 900
const MINUTE = 60

/** The widths of the buckets of sums, in seconds. A quarter of an hour: days of all time zones begin with one. */
export const SUM_WIDTHS = [MINUTE, QUARTER, HOUR, DAY] as const
/** What bookings are grouped by; a group has a number, and so has a key. */
export const GROUP_COLUMNS = ['project', 'model', 'endpoint', 'upstream', 'tier', 'batch'] as const
/** The columns that are added up. */
export const SUM_COLUMNS = ['requests', 'cost', 'saved', ...USAGE_FIELDS] as const
/**
 * The tables of sums, with the columns that a row is found by. `totals` are those of all projects together: most questions need no more, and
 * they have a hundredth of the rows.
 */
export const SUM_TABLES = {
  totals: ['width', 'bucket', 'group_no'],
  sums: ['width', 'bucket', 'group_no'],
  key_quarters: ['bucket', 'key_no', 'group_no'],
  key_days: ['bucket', 'key_no', 'group_no'],
} as const
/** One of them. */
export type SumTable = keyof typeof SUM_TABLES

/** A booking, with the numbers of its group, of that without its project, and of its key. */
export interface NumberedBooking {
  readonly booking: Booking
  readonly group: number
  readonly total: number
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

/** The sums of a key's calls of one group in one minute. */
interface Minute {
  readonly at: number
  readonly key: number
  readonly group: number
  readonly total: number
  readonly sums: number[]
}

/** The group of all projects together that a group is part of. */
export function totalValues([_project, ...rest]: readonly string[]): readonly string[] {
  return ['', ...rest]
}

/** The values of a group's columns. */
export function groupValues({ projectId, model, endpoint, upstream, tier, isBatch }: Booking): readonly string[] {
  return [projectId, model, endpoint, upstream, tier, String(isBatch)]
}

/** The rest of a booking as JSON: what no column has. */
export function bookingJson(booking: Booking): string {
  const { requestId, servedModel, pricedBy, isEstimated, outcome, cache, status } = booking
  return JSON.stringify({ requestId, servedModel, pricedBy, isEstimated, outcome, cache, status })
}

/** Adds bookings up by bucket, group and key, so that a batch of them changes each row of sums once. Rows come in the order of their places. */
export function rollUp(bookings: readonly NumberedBooking[]): RollUp {
  const used = new Map<number, number>()
  const totals = new Map<string, SumRow>()
  const sums = new Map<string, SumRow>()
  const quarters = new Map<string, SumRow>()
  const days = new Map<string, SumRow>()
  for (const { at, key, group, total, sums: added } of minutesOf(bookings, used)) {
    for (const width of SUM_WIDTHS) {
      add(totals, [width, at - (at % width), total], added)
      add(sums, [width, at - (at % width), group], added)
    }
    add(quarters, [at - (at % QUARTER), key, group], added)
    add(days, [at - (at % DAY), key, group], added)
  }
  const rows = {
    totals: inOrder(totals),
    sums: inOrder(sums),
    key_quarters: inOrder(quarters),
    key_days: inOrder(days),
  }
  return { rows, used }
}

/** Most of a batch are calls of few keys: they are added up by minute first. */
function minutesOf(bookings: readonly NumberedBooking[], used: Map<number, number>): Iterable<Minute> {
  const minutes = new Map<string, Minute>()
  for (const { booking, group, total, key } of bookings) {
    const second = Math.floor(booking.at / 1000)
    if (second > (used.get(key) ?? 0)) used.set(key, second)
    const at = second - (second % MINUTE)
    const name = `${key} ${group} ${at}`
    let minute = minutes.get(name)
    if (minute === undefined) {
      minute = { at, key, group, total, sums: SUM_COLUMNS.map(() => 0) }
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
  return [...rows.values()].toSorted(
    ({ place: [a = 0, b = 0, c = 0] }, { place: [d = 0, e = 0, f = 0] }) => a - d || b - e || c - f,
  )
}
