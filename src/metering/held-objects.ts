import { ignoreRejection } from '../formats/ignore-rejection.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Reservation } from '../ledger/limiter.ts'
import type { Booking } from '../ledger/records.ts'

/** So long the money of a response in the background is held for the one who fetches it. */
const HELD_MS = 2 * 3_600_000
const HELD_MAX = 1_000
/** How often it is asked whether another process has booked one. */
const LOOK_MS = 5_000

interface HeldObject {
  readonly reservation: Reservation
  /** When its call came, in milliseconds since 1970: its budgets are in the windows of that time. */
  readonly at: number
  readonly until: number
}

/**
 * The money that is held for responses in the background, from their call to the moment when what they cost is told: else a key could begin
 * any number of them before the first one is booked.
 *
 * @example
 * held.hold(id, reservation, booking.at)
 * const isEnded = held.end(id, booking)
 */
export class HeldObjects {
  readonly #ledger: Pick<Ledger, 'object'>
  readonly #held = new Map<string, HeldObject>()
  #timer: ReturnType<typeof setInterval> | undefined

  constructor(ledger: Pick<Ledger, 'object'>) {
    this.#ledger = ledger
  }

  /** Holds what is reserved for an object. If this process dies it is free again, and nothing is charged for it. */
  hold(id: string, reservation: Reservation, at: number): void {
    const [oldest] = this.#held.keys()
    if (this.#held.size >= HELD_MAX && oldest !== undefined) this.#release(oldest)
    reservation.see(0n)
    this.#held.set(id, { reservation, at, until: Date.now() + HELD_MS })
    this.#timer ??= setInterval(() => void ignoreRejection(this.#look()), LOOK_MS)
    this.#timer.unref()
  }

  /** Spends what an object has cost of what is held for it, and books it; gives whether anything was held. */
  end(id: string, booking: Booking): boolean {
    const held = this.#take(id)
    held?.reservation.end({ cost: BigInt(booking.cost), booking: { ...booking, at: held.at } })
    return held !== undefined
  }

  async #look(): Promise<void> {
    for (const [id, { until }] of [...this.#held]) {
      const isOver = Date.now() > until
      if (isOver || (await this.#ledger.object(id))?.isBooked === true) this.#release(id)
    }
  }

  #release(id: string): void {
    this.#take(id)?.reservation.end({ cost: 0n, booking: undefined })
  }

  #take(id: string): HeldObject | undefined {
    const held = this.#held.get(id)
    this.#held.delete(id)
    if (this.#held.size === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
    }
    return held
  }
}
