import { BoundedMemo } from '../../formats/bounded-memo.ts'
import type { Log } from '../../telemetry/log.ts'
import { spentInBooks, warnOfDifference } from '../budget-in-books.ts'
import type { Ledger } from '../ledger.ts'
import { type BudgetDemand, LimiterError } from '../limiter.ts'
import { DISTRUST, LOOK_AT_BUDGET, TELL } from './redis-limit-scripts.ts'
import type { RedisScripts } from './redis-scripts.ts'

/** The dependencies of budgets. */
export interface RedisBudgetsDeps {
  readonly scripts: RedisScripts
  readonly ledger: Pick<Ledger, 'spent'>
  readonly log: Pick<Log, 'warn'>
}

/** What a budget has, in nano-dollars. */
export interface BudgetLook {
  readonly spent: bigint
  readonly held: bigint
  /** Calls that have ended and are not booked yet. */
  readonly unbooked: number
  readonly isKnown: boolean
  /** Whether the server has begun anew, and is told by all nodes what it had. */
  readonly isSettling: boolean
}

/** A budget that this node has asked for. */
interface Remembered {
  readonly budget: BudgetDemand
  compared: bigint | undefined
}

const REMEMBERED_MAX = 10_000
const TRIES = 250
const WAIT_MS = 20
/** A budget's counter goes so long after its window, in seconds: calls of it may still be under way. */
const KEPT_S = 7 * 86_400

/** What budgets have spent, as the server and the books have it: the server is told what it does not know, and both are compared. */
export class RedisBudgets {
  readonly #deps: RedisBudgetsDeps
  readonly #remembered = new BoundedMemo<Remembered>({ entriesMax: REMEMBERED_MAX })
  readonly #telling = new Map<string, Promise<void>>()

  constructor(deps: RedisBudgetsDeps) {
    this.#deps = deps
  }

  /** What a budget has now. Rejects where the server is away. */
  async look(budget: BudgetDemand): Promise<BudgetLook> {
    const said = (await this.#deps.scripts.run(LOOK_AT_BUDGET, { name: budgetName(budget) })) as readonly string[]
    const [spent = '0', held = '0', unbooked = '0', known, settling] = said
    return {
      ...{ spent: BigInt(spent), held: BigInt(held), unbooked: Number(unbooked) },
      ...{ isKnown: known === '1', isSettling: settling === '1' },
    }
  }

  /** Resolves once the server knows what a budget has spent. Rejects with a `LimiterError` where it can't be told now. */
  tell(budget: BudgetDemand): Promise<void> {
    const name = budgetName(budget)
    let telling = this.#telling.get(name)
    if (telling === undefined) {
      telling = this.#tell(budget).finally(() => this.#telling.delete(name))
      this.#telling.set(name, telling)
    }
    return telling
  }

  /** Has budgets read from the books again before anything is decided by them. Rejects where the server is away. */
  async distrust(budgets: readonly BudgetDemand[]): Promise<void> {
    await this.#deps.scripts.run(DISTRUST, { names: budgets.map(budgetName) })
  }

  /** Compares the budgets that this node has asked for with the books, where no call of theirs ends meanwhile. */
  async compare(): Promise<void> {
    for (const one of [...this.#remembered.values()]) {
      const { spent, isKnown } = await this.look(one.budget)
      if (isKnown && spent !== one.compared) await this.#compare(one.budget)
    }
  }

  async #tell(budget: BudgetDemand): Promise<void> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      if (await this.#compare(budget)) return
      const { isKnown, isSettling } = await this.look(budget)
      if (isKnown) return
      if (isSettling) throw new LimiterError('Redis has begun anew, and is told what is under way.')
      await Bun.sleep(WAIT_MS)
    }
    throw new LimiterError('What was spent could not be told to Redis, while calls that had ended were not booked.')
  }

  /** Sets a budget to what the books say. false: it has changed meanwhile, or calls of it are not booked yet. */
  async #compare(budget: BudgetDemand): Promise<boolean> {
    const { scripts, log } = this.#deps
    const name = budgetName(budget)
    const { spent: before, unbooked, isKnown } = await this.look(budget)
    if (unbooked > 0) return false
    const spent = await spentInBooks(this.#deps.ledger, budget)
    const expireAt = Number.isFinite(budget.to) ? budget.to + KEPT_S : undefined
    const isTold = await scripts.run(TELL, { name, before: String(before), spent: String(spent), expireAt })
    if (isTold !== 1) return false
    this.#remembered.set(name, { budget, compared: spent })
    if (isKnown && before !== spent) warnOfDifference(log, budget, before, spent)
    return true
  }
}

/** What a budget is known by on all nodes. */
export function budgetName({ keyId = '', projectId = '', from, to }: BudgetDemand): string {
  return `${keyId} ${projectId} ${from} ${to}`
}
