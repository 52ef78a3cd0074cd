import type { LedgerSettings } from '../config/sections/ledger.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { describeCause } from '../telemetry/describe-error.ts'
import type { Log } from '../telemetry/log.ts'

/** The dependencies of the retention. */
export interface RetentionDeps {
  readonly ledger: Pick<Ledger, 'forget' | 'extent'>
  readonly log: Pick<Log, 'error' | 'info'>
  /** In milliseconds since 1970. */
  readonly now: () => number
}

const DAY = 86_400
/** Rows go by so many seconds of calls at a time: others are written between. */
const STEP = 900
/** The rows of calls of the last hour stay, however large the ledger is. */
const KEPT = 3600
const LOOK_MS = 600_000

/**
 * Lets rows of calls go that are older than the settings say, and the oldest ones where the ledger is larger than they say. Sums stay.
 * Rejects with a `LedgerError`.
 *
 * @example
 * await letOldRowsGo(settings.ledger, { ledger, log, now: Date.now })
 */
export async function letOldRowsGo(
  { rowDaysMax, storeBytesMax }: Pick<LedgerSettings, 'rowDaysMax' | 'storeBytesMax'>,
  { ledger, log, now }: RetentionDeps,
): Promise<void> {
  const second = Math.floor(now() / 1000)
  const limit = rowDaysMax === 0 ? 0 : second - rowDaysMax * DAY
  let goneUpTo: number | undefined
  for (;;) {
    const { oldest, bytes } = await ledger.extent()
    if (oldest === undefined) break
    const isTooLarge = storeBytesMax > 0 && bytes !== undefined && bytes > storeBytesMax && oldest < second - KEPT
    if (oldest >= limit && !isTooLarge) break
    const before = Math.min(oldest - (oldest % STEP) + STEP, isTooLarge ? second - KEPT : limit)
    await ledger.forget(before)
    goneUpTo = before
  }
  if (goneUpTo !== undefined)
    log.info(
      { before: new Date(goneUpTo * 1000).toISOString() },
      'rows of calls are gone (usage_retention); their sums stay',
    )
}

/**
 * Keeps the retention again and again, as the settings say that are in force then. Gives the function that ends it.
 *
 * @example
 * const stop = keepRetention(() => settings.ledger, { ledger, log, now: Date.now })
 */
export function keepRetention(settingsNow: () => LedgerSettings, deps: RetentionDeps): () => void {
  const look = (): void => {
    const settings = settingsNow()
    if (settings.rowDaysMax === 0 && settings.storeBytesMax === 0) return
    letOldRowsGo(settings, deps).catch((cause: unknown) =>
      deps.log.error({ cause: describeCause(cause) }, 'old rows of calls can not be let go now'),
    )
  }
  const timer = setInterval(look, LOOK_MS)
  timer.unref()
  return () => clearInterval(timer)
}
