import { USAGE_FIELDS } from '../openai/usage/usage.ts'
import type { BookingPlace } from './ledger.ts'
import type { SqlQuery } from './record-queries.ts'
import type { Booking } from './records.ts'
import { minuteOf } from './roll-up.ts'

/** Asks for rows of calls behind a place, the oldest first; `bookingOfRow` reads them. `id`: how a store writes an id in hex. */
export function bookingRowsQuery(after: BookingPlace | undefined, limit: number, id: string): SqlQuery {
  const counts = USAGE_FIELDS.map((name) => `bookings."${name}"`)
  const { at, id: last } = after ?? { at: 0, id: '' }
  return {
    sql: `SELECT ${id}, at, keys.id, projects.id, model, endpoint, upstream, tier, batch, cost, saved, json, ${counts.join(', ')}
      FROM bookings JOIN keys ON keys.no = key_no JOIN projects ON projects.no = bookings.project_no
      JOIN groups ON groups.no = group_no
      WHERE minute >= ? AND at >= ? AND (at > ? OR ${id} > ?) ORDER BY minute, at, bookings.id LIMIT ?`,
    values: [minuteOf({ at }), at, at, last, limit],
  }
}

/** Reads a row of `bookingRowsQuery`. */
export function bookingOfRow(row: readonly unknown[]): Booking {
  const [id, at, keyId, projectId, model, endpoint, upstream, tier, batch, cost, saved, json, ...counts] = row
  const usage = Object.fromEntries(USAGE_FIELDS.map((name, index) => [name, Number(counts[index])]))
  return {
    ...(JSON.parse(String(json)) as Booking),
    id: String(id),
    at: Number(at),
    keyId: String(keyId),
    projectId: String(projectId),
    model: String(model),
    endpoint: String(endpoint),
    upstream: String(upstream),
    tier: String(tier),
    isBatch: batch === 'true',
    cost: Number(cost),
    saved: Number(saved),
    usage: usage as unknown as Booking['usage'],
  }
}
