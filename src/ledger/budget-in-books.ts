import type { Log } from '../telemetry/log.ts'
import type { Ledger } from './ledger.ts'
import { LimiterError } from './limiter.ts'

/** Whose budget it is, and the beginning and end of its window, in seconds since 1970. */
interface BudgetSpan {
  readonly keyId?: string | undefined
  readonly projectId?: string | undefined
  readonly from: number
  readonly to: number
}

/** What a budget has spent as the books say, in nano-dollars; nothing where there are none. Rejects with a `LimiterError`. */
export async function spentInBooks(
  ledger: Pick<Ledger, 'spent'> | undefined,
  { keyId, projectId, from, to }: BudgetSpan,
): Promise<bigint> {
  try {
    const scope = { ...(keyId !== undefined && { keyId }), ...(projectId !== undefined && { projectId }) }
    return (await ledger?.spent(scope, from, to)) ?? 0n
  } catch (cause) {
    throw new LimiterError('What was spent can not be read from the books now.', { cause })
  }
}

/** Tells the operator that a counter was set to what the books say; both amounts in nano-dollars. */
export function warnOfDifference(
  log: Pick<Log, 'warn'>,
  { keyId, projectId, from, to }: BudgetSpan,
  counted: bigint,
  booked: bigint,
): void {
  const amounts = { countedUsd: Number(counted) / 1e9, bookedUsd: Number(booked) / 1e9 }
  log.warn(
    { keyId, projectId, from, to, ...amounts },
    'a budget had counted other than the books, and was set to what the books say',
  )
}
