import type { Log } from '../../telemetry/log.ts'
import type { Ledger } from '../ledger.ts'
import { type BudgetDemand, type CallDemand, type Decision, type Limiter, LimiterError } from '../limiter.ts'
import type { Booking } from '../records.ts'
import { BooksCheck } from './books-check.ts'
import { CountersFullError } from './counter-slots.ts'
import type { CounterTable } from './counter-table.ts'
import { LimitRates } from './limit-rates.ts'
import { type MachineTables, openMachineTables, openOwnTables, type TableSizes } from './machine-tables.ts'
import { type BudgetCounter, NamedCounters } from './named-counters.ts'
import { ReservationBooking } from './reservation-booking.ts'
import { type HeldBudget, ReservationTable, type Reserved } from './reservation-table.ts'

/** The dependencies of the limiter of a machine. */
export interface LocalLimiterDeps {
  /** Where the processes of this machine share their counters; undefined: this one has its own, and forgets them with its end. */
  readonly folder: string | undefined
  /** undefined: there are no books for it; all counters begin with nothing spent. */
  readonly ledger: Pick<Ledger, 'spent' | 'book'> | undefined
  /** Takes bookings; tells when each is in the books. */
  readonly bookings: { readonly add: (booking: Booking, onBooked: () => void) => void }
  readonly log: Pick<Log, 'warn'>
  readonly sizes?: TableSizes
}

/** A limiter whose counters are of this machine. */
export interface LocalLimiter extends Limiter {
  /** Ends what processes that are gone have left. It does so by itself every few seconds. */
  readonly adopt: () => void
  /** Compares what budgets have counted with the books. It does so by itself every minute. */
  readonly compare: () => Promise<void>
}

const SIZES: TableSizes = { counters: 2 ** 18, reservations: 2 ** 15 }
const ADOPT_MS = 3_000
const COMPARE_MS = 60_000

interface NothingHeld {
  readonly kind: 'nothing'
  readonly slot: undefined
}
const NONE: readonly never[] = []
const NOTHING_HELD: NothingHeld = { kind: 'nothing', slot: undefined }

/**
 * Opens the limiter of a machine: its counters lie in a file that all its processes share, and outlive each of them. What processes that
 * are gone have left under way is ended, and booked.
 *
 * Rejects with a `LimiterError` where the folder can't be written to, and as the ledger does where the machine was started anew and
 * what was left can't be booked.
 *
 * @example
 * const limiter = await openLocalLimiter({ folder, ledger, bookings, log })
 */
export async function openLocalLimiter(deps: LocalLimiterDeps): Promise<LocalLimiter> {
  const { folder, sizes = SIZES, ledger } = deps
  const tables =
    folder === undefined
      ? openOwnTables(sizes)
      : await openMachineTables(folder, sizes, async (old) => ledger?.book(ReservationBooking.leftIn(old)))
  return new TableLimiter(tables, deps)
}

class TableLimiter implements LocalLimiter {
  readonly #tables: MachineTables
  readonly #counters: CounterTable
  readonly #reservations: ReservationTable
  readonly #names: NamedCounters
  readonly #rates: LimitRates
  readonly #check: BooksCheck
  readonly #booking: ReservationBooking
  readonly #timers: readonly NodeJS.Timeout[]
  #down: string | undefined

  constructor(tables: MachineTables, { ledger, bookings, log }: LocalLimiterDeps) {
    const { counters, reservations: slots } = tables
    const reservations = new ReservationTable(slots, counters)
    this.#tables = tables
    this.#counters = counters
    this.#reservations = reservations
    this.#names = new NamedCounters(counters, () => reservations.unbooked())
    this.#rates = new LimitRates(counters, this.#names)
    this.#check = new BooksCheck({ counters, reservations, ledger, log })
    this.#booking = new ReservationBooking({ tables, reservations, bookings, log })
    this.#booking.adopt(true)
    this.#timers = [
      setInterval(() => this.adopt(), ADOPT_MS).unref(),
      setInterval(() => void this.compare(), COMPARE_MS).unref(),
    ]
  }

  decide(demand: CallDemand, now: number): Decision | Promise<Decision> {
    try {
      const budgets = demand.budgets.length === 0 ? NONE : this.#budgetsOf(demand, now)
      const isKnown = budgets.every(({ slot }) => this.#counters.isKnown(slot))
      return isKnown ? this.#decide(demand, budgets, now) : this.#tellAndDecide(demand, now)
    } catch (cause) {
      throw errorOf(cause)
    }
  }

  async look(budget: BudgetDemand): Promise<{ readonly spent: bigint; readonly held: bigint }> {
    try {
      const counter = this.#names.budget(budget, Date.now())
      if (!this.#counters.isKnown(counter.slot)) await this.#tell([counter])
      return { spent: this.#counters.spent(counter.slot), held: this.#counters.held(counter.slot) }
    } catch (cause) {
      throw errorOf(cause)
    }
  }

  async distrust(budgets: readonly BudgetDemand[]): Promise<void> {
    try {
      for (const budget of budgets) this.#counters.doubt(this.#names.budget(budget, Date.now()).slot)
    } catch (cause) {
      throw errorOf(cause)
    }
  }

  state(): 'ok' | { readonly down: string } {
    return this.#down === undefined ? 'ok' : { down: this.#down }
  }

  adopt(): void {
    this.#booking.adopt(false)
  }

  async compare(): Promise<void> {
    try {
      await this.#check.compare(this.#names.budgets())
    } catch (cause) {
      this.#down = errorOf(cause).message
    }
  }

  close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    this.#booking.close()
    this.#tables.seat.leave()
    return Promise.resolve()
  }

  #budgetsOf({ budgets }: CallDemand, now: number): readonly HeldBudget[] {
    return budgets.map((budget) => {
      const { slot, name } = this.#names.budget(budget, now)
      return { slot, name, limit: budget.limit }
    })
  }

  async #tellAndDecide(demand: CallDemand, now: number): Promise<Decision> {
    const began = performance.now()
    const budgets = demand.budgets.map((budget) => this.#names.budget(budget, now))
    await this.#tell(budgets.filter(({ slot }) => !this.#counters.isKnown(slot)))
    return this.decide(demand, now + Math.floor(performance.now() - began))
  }

  async #tell(unknown: readonly BudgetCounter[]): Promise<void> {
    try {
      await Promise.all(unknown.map((one) => this.#check.tell(one)))
      this.#down = undefined
    } catch (cause) {
      this.#down = errorOf(cause).message
      throw cause
    }
  }

  /** Rates come first: what they give is given back where a budget or a place refuses. */
  #decide(demand: CallDemand, budgets: readonly HeldBudget[], now: number): Decision | Promise<Decision> {
    const rates = this.#rates.take(demand.rates, now)
    // Where nothing refuses any more, another process has just given back what it had taken.
    if (rates === undefined) return this.#rates.refusal(demand.rates, now) ?? this.decide(demand, now)
    const reserved = this.#reserve(demand, budgets, now)
    if (reserved.kind !== 'reserved' && reserved.kind !== 'nothing') {
      this.#rates.giveBack(demand.rates, now)
      if (reserved.kind === 'full') throw new LimiterError('Too many calls are under way, or not booked yet.')
      if (reserved.kind === 'moved') return this.decide(demand, now)
      if (reserved.kind === 'place') return { kind: 'place', index: reserved.index }
      const at = budgets[reserved.index]?.slot ?? 0
      return { kind: 'budget', index: reserved.index, spent: this.#counters.spent(at), held: this.#counters.held(at) }
    }
    this.#booking.note(reserved.slot, demand.booking)
    return { kind: 'granted', rates, reservation: this.#booking.reservationOf(reserved.slot, demand, this.#rates) }
  }

  #reserve(
    { amount, booking, places }: CallDemand,
    budgets: readonly HeldBudget[],
    now: number,
  ): Reserved | NothingHeld {
    if (budgets.length === 0 && places.length === 0 && booking === undefined) return NOTHING_HELD
    const held = places.map(({ name: place, limit }) => ({ ...this.#names.place(place, now), limit }))
    return this.#reservations.reserve({ amount, budgets, places: held })
  }
}

function errorOf(cause: unknown): Error {
  if (cause instanceof CountersFullError) return new LimiterError('All counters are in use.', { cause })
  return cause instanceof Error ? cause : new LimiterError('The limits can not be decided by now.', { cause })
}
