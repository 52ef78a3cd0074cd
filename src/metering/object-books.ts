import type { Exchange } from '../exchange/exchange.ts'
import { entryOf } from '../exchange/principal.ts'
import { BoundedMemo } from '../formats/bounded-memo.ts'
import { ignoreRejection } from '../formats/ignore-rejection.ts'
import type { Books } from '../ledger/books.ts'
import { NO_LIMITS } from '../ledger/first-records.ts'
import { LedgerError } from '../ledger/ledger.ts'
import type { Reservation } from '../ledger/limiter.ts'
import type { MadeObject } from '../ledger/made-objects.ts'
import type { Booking } from '../ledger/records.ts'
import type { PreparedRequest } from '../requests/prepared-request.ts'
import { payerOf } from '../routing/deployment-address.ts'
import { bookWithin } from './book-unheld.ts'
import { arrivedAt, bookedTo } from './booking-row.ts'
import { callerLimits } from './caller-limits.ts'
import type { HeldObjects } from './held-objects.ts'

/** The objects that one process remembers: a client asks for one again and again. */
const REMEMBERED_MAX = 10_000
const ID_BYTES = 16
/** Another process may be writing the maker of an object that is fetched at once. */
const MAKER_MS = 500
/** The longest pause between two tries while the books are down. */
const PAUSE_MS_MAX = 10_000

/** The dependencies of the books of objects. */
export interface ObjectBooksDeps {
  readonly books: Pick<Books, 'bookings' | 'limiter' | 'ledger' | 'directory'>
  readonly held: HeldObjects
  readonly sha256: (text: string) => Uint8Array
}

/**
 * The objects whose cost is told later: batches, their files, and responses in the background. Who has made one is in the ledger, so that its
 * maker pays, whoever fetches it, and from whatever process. An object's booking has an id that follows from the object: it is in the books
 * once.
 *
 * @example
 * objects.keep('batch_1', request, reservation)
 * objects.book(exchange, booking)
 */
export class ObjectBooks {
  readonly #deps: ObjectBooksDeps
  readonly #made = new BoundedMemo<MadeObject>({ entriesMax: REMEMBERED_MAX })
  readonly #booked = new Set<string>()

  constructor(deps: ObjectBooksDeps) {
    this.#deps = deps
  }

  /** What an object is known by. */
  idOf(upstream: string, object: string): string {
    return this.#deps.sha256(`nexcode booking ${upstream} ${object}`).subarray(0, ID_BYTES).toHex()
  }

  /** Whether this process has booked an object. */
  isBooked(id: string): boolean {
    return this.#booked.has(id)
  }

  /** Notes that the caller of a request has made an object with it, and keeps what is reserved for it. */
  keep(object: string, { exchange, deployment }: PreparedRequest, reservation: Reservation | undefined): void {
    if (deployment === undefined) return
    const { upstream } = deployment
    const id = this.idOf(upstream.name, object)
    const { principal, model = '' } = exchange
    const at = arrivedAt(exchange)
    const made = { id, ...bookedTo(principal), model, at: Math.floor(at / 1000), bookedAs: id, isBooked: false }
    if (payerOf(principal, upstream) === 'server') this.#remember(made)
    if (reservation !== undefined) this.#deps.held.hold(id, reservation, at)
  }

  /** Notes that a file tells the cost of a batch: it is the batch's maker who pays, or the caller where nobody knows that one. */
  noteFile(exchange: Exchange, file: string, batch: string): void {
    this.#retry(async () => {
      const made = await this.find(batch)
      const at = Math.floor(Date.now() / 1000)
      const maker = made ?? { ...bookedTo(exchange.principal), model: '' }
      this.#remember({ ...maker, id: file, at, bookedAs: batch, isBooked: false })
    })
  }

  /** Finds an object; undefined: it was not made here. Rejects with a `LedgerError`. */
  async find(id: string): Promise<MadeObject | undefined> {
    return this.#made.get(id) ?? (await this.#deps.books.ledger.object(id))
  }

  /** Books what an object has cost, to its maker, the first time; `isKnown`: only where its maker is known, else to who has fetched it. */
  book(exchange: Exchange, row: Booking, isKnown = false): void {
    if (this.#booked.has(row.id)) return
    // One that is only listed may be nobody's: who fetches it meanwhile pays.
    if (!isKnown) this.#markBooked(row.id)
    this.#retry(async () => {
      const isBooked = await this.#book(exchange, { ...row, isObject: true }, isKnown)
      if (isBooked) this.#markBooked(row.id)
      else if (!isKnown) this.#booked.delete(row.id)
    })
  }

  #markBooked(id: string): void {
    const [oldest] = this.#booked
    if (this.#booked.size >= REMEMBERED_MAX && oldest !== undefined) this.#booked.delete(oldest)
    this.#booked.add(id)
  }

  /** Gives whether it is booked now. */
  async #book(exchange: Exchange, row: Booking, isKnown: boolean): Promise<boolean> {
    const { books, held } = this.#deps
    const made = (await this.find(row.id)) ?? (await this.#findLater(row.id))
    // Who pays a provider by himself pays nothing here, and does not pay for others.
    if (made === undefined ? isKnown : row.pricedBy === 'caller') return false
    const { keyId, projectId, model = '' } = made ?? row
    const booking = { ...row, keyId, projectId, model: model === '' ? row.model : model }
    if (made?.isBooked === true || held.end(row.id, booking)) return true
    const own = entryOf(exchange.principal)
    const entry = own !== undefined && own.id === booking.keyId ? own : await this.#entryOf(booking)
    bookWithin(books, callerLimits(entry), booking)
    return true
  }

  async #findLater(id: string): Promise<MadeObject | undefined> {
    await pause(MAKER_MS)
    return this.find(id)
  }

  /** The limits that the maker's cost counts in. */
  async #entryOf({ keyId, projectId }: Booking): Promise<Parameters<typeof callerLimits>[0]> {
    const { ledger, directory } = this.#deps.books
    const record = await ledger.find('key', keyId)
    return {
      id: keyId,
      kind: 'key',
      expiresAt: 0,
      limits: record?.limits ?? NO_LIMITS,
      project: directory.project(projectId),
      organization: directory.organization,
    }
  }

  #remember(made: MadeObject): void {
    if (this.#made.get(made.id) !== undefined) return
    this.#made.set(made.id, made)
    this.#retry(() => this.#deps.books.ledger.remember([made]))
  }

  /** Does its work behind the requests, and tries until the books can be used. */
  #retry(work: () => Promise<void>, pauseMs = MAKER_MS): void {
    void ignoreRejection(
      work().catch(async (cause: unknown) => {
        if (!(cause instanceof LedgerError)) return
        await pause(pauseMs)
        this.#retry(work, Math.min(pauseMs * 2, PAUSE_MS_MAX))
      }),
    )
  }
}

function pause(ms: number): Promise<void> {
  // A process that ends waits for no object: who fetches it again has it booked.
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
