import type { Log } from '../../telemetry/log.ts'
import type { CallDemand, RateDemand, Reservation } from '../limiter.ts'
import type { Booking } from '../records.ts'
import {
  interruptedBooking,
  parseBooking,
  stringifyBooking,
  stringifyOnce,
  stringifyShortBooking,
} from './booking-record.ts'
import type { LimitRates } from './limit-rates.ts'
import type { MachineTables } from './machine-tables.ts'
import { ReservationAdoption } from './reservation-adoption.ts'
import { type ReservationSlots, RESERVATION_STATE as STATE } from './reservation-slots.ts'
import type { ReservationTable } from './reservation-table.ts'

/** The dependencies of bookings at a reservation's end. */
export interface ReservationBookingDeps {
  readonly tables: MachineTables
  readonly reservations: ReservationTable
  readonly bookings: { readonly add: (booking: Booking, onBooked: () => void) => void }
  readonly log: Pick<Log, 'warn'>
}

/** Keeps what is to be booked of each reservation beside it until it is in the books, so that no end of a process loses it. */
export class ReservationBooking {
  readonly #deps: ReservationBookingDeps
  readonly #slots: ReservationSlots
  readonly #adoption: ReservationAdoption
  #isClosed = false

  constructor(deps: ReservationBookingDeps) {
    const { reservations: slots, counters, seat } = deps.tables
    this.#deps = deps
    this.#slots = slots
    this.#adoption = new ReservationAdoption(slots, deps.reservations, counters, seat)
  }

  /** All that is not booked yet in tables that nobody uses any more. */
  static leftIn(slots: ReservationSlots): readonly Booking[] {
    const left: Booking[] = []
    for (let slot = 0; slot < slots.used; slot += 1) {
      const state = slots.state(slot)
      const record = state === STATE.free ? undefined : slots.record(slot)
      const booking = record === undefined ? undefined : parseBooking(record)
      if (booking === undefined) continue
      left.push(state === STATE.open ? interruptedBooking(booking, slots.seen(slot)) : booking)
    }
    return left
  }

  /** Notes what is booked if this process dies. `slot` undefined: nothing is held. */
  note(slot: number | undefined, booking: Booking | undefined): void {
    if (slot !== undefined && booking !== undefined) this.#write(slot, booking, stringifyOnce(booking))
  }

  /** A reservation as its call has it. `slot` undefined: nothing is held. `rates`: where its rates are corrected to what was used. */
  reservationOf(slot: number | undefined, demand: CallDemand, rates: Pick<LimitRates, 'correct'>): Reservation {
    return new OpenReservation(this, slot, demand.rates, rates)
  }

  /** Notes what the call of a slot is known to have cost. */
  see(slot: number, cost: bigint): void {
    if (!this.#isClosed) this.#slots.see(slot, cost)
  }

  /** Ends what processes that are gone have left, and has it booked. `isStart`: also what is in this one's seat. */
  adopt(isStart: boolean): void {
    for (const { slot, record, spent, isInterrupted } of this.#adoption.adopt(isStart)) {
      const booking = record === undefined ? undefined : parseBooking(record)
      if (booking === undefined && spent !== 0n)
        this.#deps.log.warn({ costUsd: Number(spent) / 1e9 }, 'a call of a process that is gone has no booking')
      this.#book(slot, booking !== undefined && isInterrupted ? interruptedBooking(booking, spent) : booking)
    }
  }

  /** From now on reservations are left to other processes. */
  close(): void {
    this.#isClosed = true
  }

  /** Ends the call of a slot, and has it booked. To be called once. */
  end(slot: number | undefined, cost: bigint, booking: Booking | undefined): void {
    // What a process leaves at its end is adopted by another one: it must not be ended twice.
    if (this.#isClosed) return
    if (slot !== undefined) {
      if (booking === undefined) this.#slots.write(slot, undefined)
      else this.#write(slot, booking, stringifyBooking(booking))
      this.#deps.reservations.end(slot, cost)
    }
    this.#book(slot, booking)
  }

  #write(slot: number, booking: Booking, text: string): void {
    if (!this.#slots.write(slot, text)) this.#slots.write(slot, stringifyShortBooking(booking))
  }

  #book(slot: number | undefined, booking: Booking | undefined): void {
    const free = (): void => {
      if (slot !== undefined && !this.#isClosed) this.#slots.free(slot)
    }
    if (booking === undefined) free()
    else this.#deps.bookings.add(booking, free)
  }
}

/** A class, for each call has one. */
class OpenReservation implements Reservation {
  readonly #booking: ReservationBooking
  readonly #slot: number | undefined
  readonly #demands: readonly RateDemand[]
  readonly #rates: Pick<LimitRates, 'correct'>
  #isEnded = false

  constructor(
    booking: ReservationBooking,
    slot: number | undefined,
    demands: readonly RateDemand[],
    rates: Pick<LimitRates, 'correct'>,
  ) {
    this.#booking = booking
    this.#slot = slot
    this.#demands = demands
    this.#rates = rates
  }

  see(cost: bigint): void {
    if (this.#slot !== undefined && !this.#isEnded) this.#booking.see(this.#slot, cost)
  }

  end({ cost, units, booking }: Parameters<Reservation['end']>[0]): void {
    if (this.#isEnded) return
    this.#isEnded = true
    if (units !== undefined) this.#rates.correct(this.#demands, units, Date.now())
    this.#booking.end(this.#slot, cost, booking)
  }
}
