import { windowAt } from '../ledger/counters/budget-window.ts'
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
 * Tells what is spent in each window that has a limit: by the counters that calls are decided by, so that what is shown is what is enforced.
 * Rejects with a `LimiterError`.
 *
 * @example
 * const spend = await spendOf({ scope: { keyId: key.id }, limits: key.limits, timeZone: project.timeZone }, deps)
 */
export function spendOf(
  { scope, limits, timeZone }: Spender,
  { look, now }: Pick<AdminDeps, 'look' | 'now'>,
): Promise<SpendSoFar[]> {
  const windows = SPEND_WINDOWS.flatMap((window) => {
    const limit = limits.spend[window]
    return limit === undefined ? [] : [{ window, limit }]
  })
  return Promise.all(
    windows.map(async ({ window, limit }) => {
      const { startsAt, endsAt } = windowAt(window, timeZone, now())
      const from = Math.floor(startsAt / 1000)
      const to = endsAt / 1000
      const { spent, held } = await look({ ...scope, from, to, limit })
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
