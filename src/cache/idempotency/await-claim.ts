import { ApiError } from '../../openai/api-error.ts'
import type { Claims, Standing } from '../../storage/claims.ts'
import type { Sleep } from '../../timing/deadlines.ts'
import type { ClaimStanding } from './take-claim.ts'

/** The pauses between two looks at another process's claim: short at first, then longer and longer. */
const FIRST_PAUSE_MS = 25
const LAST_PAUSE_MS = 500
/** The longest wait, whatever the request's own limits are. */
const WAIT_MS = 600_000
/** A store that fails for so long is given up. */
const FAILING_MS = 5_000

/** The dependencies of the wait. */
export interface AwaitDeps {
  readonly sleep: Sleep
  /** Milliseconds, monotonic. */
  readonly now: () => number
}

/**
 * Waits until a claim that another process holds has ended, and gives its end. Rejects with `idempotency_under_way` where that process
 * released the claim or the wait took too long, and with `idempotency_unavailable` where the store doesn't answer.
 *
 * @example
 * const standing = await awaitClaim(id, stores, signal, { sleep, now })
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

/** The most telling standing in any store: ended comes before running, running before free. Rejects where no store answers. */
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
