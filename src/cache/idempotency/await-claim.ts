import { ApiError } from '../../openai/api-error.ts'
import type { Claims, Standing } from '../../storage/claims.ts'
import type { Sleep } from '../../timing/sleep.ts'
import type { ClaimStanding } from './take-claim.ts'

/** How often it is looked whether a call at another process has ended: soon at first, and later and later. */
const FIRST_PAUSE_MS = 25
const LAST_PAUSE_MS = 500
/** Nobody waits longer, whatever its own limits are. */
const WAIT_MS = 600_000
/** A store that fails for so long says nothing any more. */
const FAILING_MS = 5_000

/** What waiting needs. */
export interface AwaitDeps {
  readonly sleep: Sleep
  /** Milliseconds, monotonic. */
  readonly now: () => number
}

/**
 * Waits until a claim that another process holds has ended, and gives how. Rejects with `idempotency_under_way` where that process
 * gave it back, or nobody waits any longer, and with `idempotency_unavailable` where the store doesn't say.
 *
 * @example
 * const found = await awaitClaim(id, stores, signal, { sleep, now })
 */
export async function awaitClaim(
  id: string,
  stores: readonly Claims[],
  signal: AbortSignal,
  { sleep, now }: AwaitDeps,
): Promise<ClaimStanding> {
  const giveUpAt = now() + WAIT_MS
  let failsSince: number | undefined
  for (let pauseMs = FIRST_PAUSE_MS; now() < giveUpAt; pauseMs = Math.min(pauseMs * 1.5, LAST_PAUSE_MS)) {
    await sleep(pauseMs, signal)
    try {
      const standing = await standingIn(stores, id)
      failsSince = undefined
      if (standing.kind === 'free') break
      if (standing.kind !== 'running') return standing
    } catch (cause) {
      failsSince ??= now()
      if (now() - failsSince > FAILING_MS) throw new ApiError('idempotency_unavailable', { cause })
    }
  }
  throw new ApiError('idempotency_under_way')
}

/** What the store says that says most: that it is ended, or else that it is under way. Rejects where none says anything. */
async function standingIn(stores: readonly Claims[], id: string): Promise<Standing> {
  const looks = await Promise.allSettled(stores.map(async (store) => store.look(id)))
  const seen = looks.flatMap((look) => (look.status === 'fulfilled' ? [look.value] : []))
  if (seen.length === 0) throw looks[0]?.status === 'rejected' ? looks[0].reason : new Error('there is no store')
  return (
    seen.find(({ kind }) => kind === 'answered') ??
    seen.find(({ kind }) => kind !== 'free' && kind !== 'running') ??
    seen.find(({ kind }) => kind === 'running') ?? { kind: 'free' }
  )
}
