import {
  claimBooking,
  forgetObjects,
  type MadeObject,
  madeObjectOf,
  objectQuery,
  objectsQuery,
  rememberObject,
} from '../made-objects.ts'
import type { Booking } from '../records.ts'
import { numbered, type PostgresConnections, type Run } from './postgres-connections.ts'

/** Objects and who has made them, in a table of Postgres. Each function rejects with Postgres's error. */
export class PostgresObjects {
  readonly #database: PostgresConnections

  constructor(database: PostgresConnections) {
    this.#database = database
  }

  /** Notes objects; one that is known stays as it is. */
  async remember(objects: readonly MadeObject[]): Promise<void> {
    for (const object of objects) await this.#database.ask(rememberObject(object))
  }

  /** The object of an id; undefined: it is not known. */
  async find(id: string): Promise<MadeObject | undefined> {
    const [row] = await this.#database.ask(objectQuery(id))
    return row === undefined ? undefined : madeObjectOf(row)
  }

  /** Objects behind one, by their ids. */
  async list(after: string, limit: number): Promise<readonly MadeObject[]> {
    return (await this.#database.ask(objectsQuery(after, limit))).map(madeObjectOf)
  }

  /** Lets objects go that were made long before a time, in seconds since 1970. */
  async forget(before: number): Promise<void> {
    await this.#database.ask(forgetObjects(before))
  }
}

/**
 * The ids of bookings whose object is booked already; `run`: in the transaction that writes them. Objects are locked in the order of their
 * ids, so that two nodes never wait for each other.
 */
export async function bookedObjects(bookings: readonly Booking[], run: Run): Promise<ReadonlySet<string>> {
  const booked = new Set<string>()
  const ofObjects = bookings.filter(({ isObject }) => isObject === true)
  for (const booking of ofObjects.toSorted((one, other) => (one.id < other.id ? -1 : 1))) {
    const { sql, values } = claimBooking(booking)
    if ((await run(numbered(sql), values)).length === 0) booked.add(booking.id)
  }
  return booked
}
