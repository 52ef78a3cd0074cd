import type { Log } from '../../telemetry/log.ts'
import { spentInBooks, warnOfDifference } from '../budget-in-books.ts'
import type { Ledger } from '../ledger.ts'
import { LimiterError } from '../limiter.ts'
import type { CounterTable } from './counter-table.ts'
import type { BudgetCounter } from './named-counters.ts'
import type { ReservationTable } from './reservation-table.ts'

/** The dependencies of the comparison. */
export interface BooksCheckDeps {
  readonly counters: CounterTable
  readonly reservations: ReservationTable
  /** undefined: there are no books. */
  readonly ledger: Pick<Ledger, 'spent'> | undefined
  readonly log: Pick<Log, 'warn'>
}

/** How often a counter that has to be told is tried while calls of it end, and the wait between, in milliseconds. */
const TRIES = 250
const WAIT_MS = 20
/** The most counters that are compared at a time. */
const COMPARED_MAX = 1000

/**
 * Keeps counters of money and the books in step. A counter that is new, or that a process was killed in the middle of changing, is told
 * what the books say before anything is decided by it; the others are compared from time to time.
 */
export class BooksCheck {
  readonly #deps: BooksCheckDeps
  readonly #telling = new Map<bigint, Promise<void>>()

  constructor(deps: BooksCheckDeps) {
    this.#deps = deps
  }

  /** Resolves once a counter knows what has been spent. Rejects with a `LimiterError` where the books can't be read now. */
  tell(counter: BudgetCounter): Promise<void> {
    let telling = this.#telling.get(counter.name)
    if (telling === undefined) {
      telling = this.#tell(counter).finally(() => this.#telling.delete(counter.name))
      this.#telling.set(counter.name, telling)
    }
    return telling
  }

  /** Compares the counters that have changed since they were last compared, where no call of theirs ends meanwhile. */
  async compare(all: Iterable<BudgetCounter>): Promise<void> {
    const { counters, ledger } = this.#deps
    if (ledger === undefined) return
    const changed = []
    for (const one of all) {
      if (one.slot === -1 || !counters.slots.isOf(one.slot, one.name) || !counters.isKnown(one.slot)) continue
      if (one.compared !== counters.spent(one.slot)) changed.push(one)
      if (changed.length === COMPARED_MAX) break
    }
    for (const one of changed) await this.#compare(one)
  }

  async #tell(counter: BudgetCounter): Promise<void> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      if (this.#deps.counters.isKnown(counter.slot) || (await this.#compare(counter))) return
      await Bun.sleep(WAIT_MS)
    }
    throw new LimiterError(
      'What was spent could not be read from the books, while calls that had ended were not booked.',
    )
  }

  /** Sets a counter to what the books say. false: calls of it have ended meanwhile, or are not booked yet. */
  async #compare(counter: BudgetCounter): Promise<boolean> {
    const { counters, reservations, log } = this.#deps
    const { slot, name } = counter
    if (reservations.unbooked().has(slot)) return false
    const isNews = !counters.isKnown(slot)
    const before = counters.spent(slot)
    const booked = await spentInBooks(this.#deps.ledger, counter)
    if (reservations.unbooked().has(slot) || !counters.slots.isOf(slot, name)) return false
    if (!counters.tell(slot, name, before, booked)) return false
    counter.compared = booked
    if (!isNews && before !== booked) warnOfDifference(log, counter, before, booked)
    return true
  }
}
