import type { Log } from '../../telemetry/log.ts'
import { interruptedBooking, parseBooking, stringifyBooking } from '../counters/booking-record.ts'
import type { RateDemand, Reservation } from '../limiter.ts'
import type { Booking } from '../records.ts'
import { ADOPT, END_CALL, FORGET, RENEW_CALLS } from './redis-limit-scripts.ts'
import type { RedisScripts } from './redis-scripts.ts'

/** A call under way, as the server has it. */
export interface RedisCall {
  readonly id: string
  readonly rates: readonly RateDemand[]
  /** The amount in nano-dollars as text; the names of its budgets and places, and what is booked of it, as JSON. */
  readonly v: {
    readonly amount: string
    readonly budgets: string
    readonly places: string
    readonly record: string
  }
}

/** The dependencies of reservations. */
export interface RedisReservationsDeps {
  readonly scripts: RedisScripts
  readonly bookings: { readonly add: (booking: Booking, onBooked: () => void) => void }
  readonly log: Pick<Log, 'warn'>
}

/** An end that the server has to be told of. */
interface End {
  readonly call: RedisCall
  readonly cost: bigint
  readonly isAdopted?: boolean
  isTold: boolean
  isBooked: boolean
}

/**
 * The calls of this node: they are renewed while they run, their ends are told to the server again and again until it has heard them, and
 * forgotten there once they are booked. What nodes that are gone have left is ended and booked by the others.
 */
export class RedisReservations {
  readonly #deps: RedisReservationsDeps
  readonly #open = new Map<string, { readonly call: RedisCall; seen: bigint }>()
  readonly #ends = new Map<string, End>()
  #telling = new Set<Promise<void>>()

  constructor(deps: RedisReservationsDeps) {
    this.#deps = deps
  }

  /** A reservation that the server has granted. */
  hold(call: RedisCall): Reservation {
    const open = { call, seen: 0n }
    this.#open.set(call.id, open)
    return {
      see(cost) {
        open.seen = cost
      },
      end: ({ cost, units, booking }) => {
        if (!this.#open.delete(call.id)) return
        const corrections = call.rates.flatMap((rate, index) => {
          const more = (units?.[index] ?? rate.units) - rate.units
          return more === 0 ? [] : [{ ...rate, units: more }]
        })
        const record = booking === undefined ? '' : stringifyBooking(booking)
        const end = { call: { ...call, v: { ...call.v, record } }, cost, isTold: false, isBooked: false }
        this.#ends.set(call.id, end)
        this.#start(this.#tell(end, corrections))
        this.#book(end, booking)
      },
    }
  }

  /** Renews what is under way, tells the ends that the server has not heard yet, and forgets what is booked. Rejects where the server is away. */
  async renew(): Promise<void> {
    const { scripts } = this.#deps
    const open = [...this.#open.values()].map(({ call, seen }) => ({ id: call.id, v: call.v, seen: String(seen) }))
    if (open.length > 0) await scripts.run(RENEW_CALLS, { open })
    await Promise.all([...this.#ends.values()].filter(({ isTold }) => !isTold).map((end) => this.#tell(end, [])))
    await this.#forget([...this.#ends.values()].filter(({ isTold, isBooked }) => isTold && isBooked))
  }

  /** Ends and books what nodes that are gone have left. Rejects where the server is away. */
  async adopt(): Promise<void> {
    const left = (await this.#deps.scripts.run(ADOPT, {})) as readonly (readonly [string, string, string, string])[]
    for (const [id, seen, isInterrupted, record] of left) {
      const own = this.#ends.get(id)
      if (own !== undefined) continue
      const call = { id, rates: [], v: { amount: '0', budgets: '[]', places: '[]', record } }
      const end = { call, cost: BigInt(seen), isAdopted: true, isTold: true, isBooked: false }
      const booking = record === '' ? undefined : parseBooking(record)
      this.#ends.set(id, end)
      this.#book(
        end,
        booking !== undefined && isInterrupted === '1' ? interruptedBooking(booking, BigInt(seen)) : booking,
      )
    }
  }

  /** Resolves once all that has ended so far was told. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#telling])
  }

  #book(end: End, booking: Booking | undefined): void {
    const onBooked = (): void => {
      end.isBooked = true
      if (end.isTold) this.#start(this.#forget([end]))
    }
    if (booking === undefined) onBooked()
    else this.#deps.bookings.add(booking, onBooked)
  }

  async #tell(end: End, corrections: readonly RateDemand[]): Promise<void> {
    const { call, cost, isBooked } = end
    const question = { id: call.id, v: call.v, cost: String(cost), isBooked, rates: corrections }
    await this.#deps.scripts.run(END_CALL, question)
    end.isTold = true
    if (end.isBooked) await this.#forget([end])
  }

  async #forget(ends: readonly End[]): Promise<void> {
    for (const isAdopted of [false, true]) {
      const ids = ends.filter((end) => (end.isAdopted ?? false) === isAdopted).map(({ call }) => call.id)
      if (ids.length === 0) continue
      await this.#deps.scripts.run(FORGET, { ids, isAdopted })
      for (const id of ids) this.#ends.delete(id)
    }
  }

  /** Nobody waits for it: what fails is tried again at the next renewal. */
  #start(work: Promise<void>): void {
    const done = work.then(
      () => undefined,
      () => undefined,
    )
    this.#telling.add(done)
    void done.then(() => this.#telling.delete(done))
  }
}
