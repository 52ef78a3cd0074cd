import { windowAt } from '../ledger/counters/budget-window.ts'
import { type BudgetDemand, LimiterError } from '../ledger/limiter.ts'
import type { Limits } from '../ledger/records.ts'
import type { AdminDeps } from './admin-route.ts'
import { centsOf } from './cents.ts'
import { SPEND_WINDOWS } from './limit-fields.ts'

/** What is spent by a key, a project, or all, and by which calendar. */
export interface Spender {
  readonly scope: { readonly keyId?: string; readonly projectId?: string }
  readonly limits: Limits
  readonly timeZone: string
}

/** What is spent in a window that has a limit, in cents; times are in seconds since 1970, null: no end. */
export interface SpendSoFar {
  readonly window: (typeof SPEND_WINDOWS)[number]
  readonly limit: number
  readonly spent: number
  /** Held for calls that are under way. */
  readonly reserved: number
  readonly remaining: number
  readonly starts_at: number
  readonly resets_at: number | null
}

/**
 * Tells what is spent in each window that has a limit: by the counters that calls are decided by, so that what is shown is what is enforced;
 * by the books, while the counters can't be asked. Rejects with a `LedgerError`.
 *
 * @example
 * const spend = await spendOf({ scope: { keyId: key.id }, limits: key.limits, timeZone: project.timeZone }, deps)
 */
export function spendOf(
  { scope, limits, timeZone }: Spender,
  deps: Pick<AdminDeps, 'ledger' | 'look' | 'now'>,
): Promise<SpendSoFar[]> {
  const windows = SPEND_WINDOWS.flatMap((window) => {
    const limit = limits.spend[window]
    return limit === undefined ? [] : [{ window, limit }]
  })
  return Promise.all(
    windows.map(async ({ window, limit }) => {
      const { startsAt, endsAt } = windowAt(window, timeZone, deps.now())
      const from = Math.floor(startsAt / 1000)
      const to = endsAt / 1000
      const { spent, held } = await spentIn({ ...scope, from, to, limit }, deps)
      const rest = limit - spent - held
      return {
        window,
        limit: centsOf(limit),
        spent: centsOf(spent),
        reserved: centsOf(held),
        remaining: centsOf(rest > 0n ? rest : 0n),
        starts_at: from,
        resets_at: Number.isFinite(to) ? to : null,
      }
    }),
  )
}

/** A moment that no booking is behind, in seconds since 1970: a whole quarter of an hour. */
export const END_OF_TIME = 253_402_300_800

async function spentIn(
  budget: BudgetDemand,
  { ledger, look }: Pick<AdminDeps, 'ledger' | 'look'>,
): Promise<{ readonly spent: bigint; readonly held: bigint }> {
  try {
    return await look(budget)
  } catch (thrown) {
    if (!(thrown instanceof LimiterError)) throw thrown
    const { from, to, limit: _limit, ...scope } = budget
    return { spent: await ledger.spent(scope, from, Math.min(to, END_OF_TIME)), held: 0n }
  }
}
