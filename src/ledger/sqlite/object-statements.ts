import type { Database } from 'bun:sqlite'
import {
  claimBooking,
  forgetObjects,
  type MadeObject,
  madeObjectOf,
  objectQuery,
  objectsQuery,
  rememberObject,
} from '../made-objects.ts'
import type { SqlQuery } from '../record-queries.ts'
import type { Booking } from '../records.ts'

/** Objects and who has made them, in a table of SQLite. Each function throws SQLite's error. */
export class ObjectStatements {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Notes objects; one that is known stays as it is. */
  remember(objects: readonly MadeObject[]): void {
    this.#database.transaction(() => {
      for (const object of objects) this.#ask(rememberObject(object))
    })()
  }

  /** The object of an id; undefined: it is not known. */
  find(id: string): MadeObject | undefined {
    const [row] = this.#ask(objectQuery(id))
    return row === undefined ? undefined : madeObjectOf(row)
  }

  /** Objects behind one, by their ids. */
  list(after: string, limit: number): readonly MadeObject[] {
    return this.#ask(objectsQuery(after, limit)).map(madeObjectOf)
  }

  /** Lets objects go that were made long before a time, in seconds since 1970. */
  forget(before: number): void {
    this.#ask(forgetObjects(before))
  }

  /** The bookings that are not of an object which is booked already; to be called within the transaction that writes them. */
  unbooked(bookings: readonly Booking[]): readonly Booking[] {
    return bookings.filter((booking) => booking.isObject !== true || this.#ask(claimBooking(booking)).length > 0)
  }

  #ask({ sql, values }: SqlQuery): unknown[][] {
    return this.#database.query(sql).values(...values)
  }
}
