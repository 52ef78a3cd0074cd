import type { Booking } from './records.ts'

/** An object whose cost is told later, when it is fetched, and who has made it: a batch, a response in the background, a batch's file. */
export interface MadeObject {
  /** What it is known by, in hex: its upstream and its id there (`BookedObjects`). */
  readonly id: string
  readonly keyId: string
  readonly projectId: string
  /** The model that was asked for, as its maker names it; empty: none was named. */
  readonly model: string
  /** In seconds since 1970. */
  readonly at: number
  /** The object that its cost is booked as: its own id, or of a batch's file that of the batch. */
  readonly bookedAs: string
  readonly isBooked: boolean
}

/** A question in the SQL of all stores: a `SqlQuery`. */
interface ObjectQuery {
  readonly sql: string
  readonly values: readonly (string | number)[]
}

/** An object is known for so long at the least: providers keep files of batches, and responses, for 30 days. */
const KEPT_SECONDS = 90 * 86_400
const COLUMNS = 'id, key_id, project_id, model, made_at, booked_as, is_booked'

/** Notes an object; one that is known stays as it is. */
export function rememberObject(object: MadeObject): ObjectQuery {
  return { sql: `${INSERT} ON CONFLICT (id) DO NOTHING`, values: valuesOf(object) }
}

/** Marks the object of a booking as booked, known or not; gives a row where it was not booked before. */
export function claimBooking({ id, keyId, projectId, model, at }: Booking): ObjectQuery {
  const sql = `${INSERT} ON CONFLICT (id) DO UPDATE SET is_booked = 1 WHERE objects.is_booked = 0 RETURNING id`
  return {
    sql,
    values: valuesOf({ id, keyId, projectId, model, at: Math.floor(at / 1000), bookedAs: id, isBooked: true }),
  }
}

/** Asks for one object. `madeObjectOf` reads it. */
export function objectQuery(id: string): ObjectQuery {
  return { sql: `SELECT ${COLUMNS} FROM objects WHERE id = ?`, values: [id] }
}

/** Asks for objects behind one, by their ids. */
export function objectsQuery(after: string, limit: number): ObjectQuery {
  return { sql: `SELECT ${COLUMNS} FROM objects WHERE id > ? ORDER BY id LIMIT ?`, values: [after, limit] }
}

/** Lets objects go that were made long before a time, in seconds since 1970: they can't be fetched any more. */
export function forgetObjects(before: number): ObjectQuery {
  return { sql: 'DELETE FROM objects WHERE made_at < ?', values: [before - KEPT_SECONDS] }
}

/** Reads a row of `objectQuery` or `objectsQuery`. */
export function madeObjectOf(row: readonly unknown[]): MadeObject {
  const [id, keyId, projectId, model, at, bookedAs, isBooked] = row
  return {
    id: String(id),
    keyId: String(keyId),
    projectId: String(projectId),
    model: String(model),
    at: Number(at),
    bookedAs: String(bookedAs),
    isBooked: Number(isBooked) === 1,
  }
}

const INSERT = `INSERT INTO objects (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`

function valuesOf({ id, keyId, projectId, model, at, bookedAs, isBooked }: MadeObject): ObjectQuery['values'] {
  return [id, keyId, projectId, model, at, bookedAs, isBooked ? 1 : 0]
}
