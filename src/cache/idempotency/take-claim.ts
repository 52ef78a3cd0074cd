import { ApiError } from '../../openai/api-error.ts'
import type { Claim, Claims, ClaimTimes, Taken } from '../../storage/claims.ts'
import type { Deadlines } from '../../timing/deadlines.ts'
import type { Sleep } from '../../timing/sleep.ts'
import { type ClaimPlaces, HeldClaim } from './held-claim.ts'
import { releaseClaim } from './release-claim.ts'

/** How long a store is asked again where it fails: longer than for a look into the cache, since going on without it may cost twice. */
const TAKE_MS = 3_000
const PAUSE_MS = 100

/** What taking a claim needs. */
export interface TakeDeps {
  readonly deadlines: Deadlines
  readonly sleep: Sleep
  /** Milliseconds, monotonic. */
  readonly now: () => number
}

/** Claims in all places where others may look: those of before a reload may fail, and that is no reason to refuse anybody. */
export interface TakePlaces {
  readonly memory: Claims
  readonly current: Claims | undefined
  readonly former: readonly Claims[]
}

/** What has been found where a claim can't be had. */
export type ClaimStanding = Exclude<Taken, { readonly kind: 'taken' | 'full' }>

/**
 * Takes a claim in every place, or in none; gives what stands in the way. Throws `idempotency_full`, and `idempotency_unavailable`
 * where a store doesn't say: then nothing may be sent.
 *
 * @example
 * const taken = await takeClaim(claim, places, times, signal, deps)
 * if (taken instanceof HeldClaim) …
 */
export async function takeClaim(
  claim: Claim,
  { memory, current, former }: TakePlaces,
  times: ClaimTimes,
  signal: AbortSignal,
  deps: TakeDeps,
): Promise<HeldClaim | ClaimStanding> {
  const held = new Set<Claims>()
  const unsure = new Set<Claims>()
  let isHeld = false
  try {
    for (const store of [memory, ...former, ...(current === undefined ? [] : [current])]) {
      // Before it is: it may be taken there though nobody hears of it.
      held.add(store)
      const isNeeded = store === memory || store === current
      const taken = await takeIn(store, claim, times, signal, deps).catch((cause: unknown) => {
        unsure.add(store)
        if (isNeeded || signal.aborted) throw cause
        return undefined
      })
      signal.throwIfAborted()
      if (taken === undefined || taken.kind === 'taken') continue
      held.delete(store)
      if (taken.kind === 'full') throw new ApiError('idempotency_full')
      return taken
    }
    isHeld = true
    const places: ClaimPlaces = { memory, shared: [...held].filter((store) => store !== memory) }
    return new HeldClaim(claim, places, times, deps)
  } finally {
    if (!isHeld) for (const store of held) void releaseClaim(store, claim, deps.deadlines, !unsure.has(store))
  }
}

async function takeIn(
  store: Claims,
  claim: Claim,
  times: ClaimTimes,
  signal: AbortSignal,
  { deadlines, sleep, now }: TakeDeps,
): Promise<Taken> {
  const giveUpAt = now() + TAKE_MS
  for (;;) {
    try {
      const taking = store.take(claim, times)
      return taking instanceof Promise ? await inTime(taking, Math.max(1, giveUpAt - now()), deadlines) : taking
    } catch (cause) {
      signal.throwIfAborted()
      if (now() + PAUSE_MS >= giveUpAt) throw new ApiError('idempotency_unavailable', { cause })
      await sleep(PAUSE_MS, signal)
    }
  }
}

function inTime<T>(pending: Promise<T>, limitMs: number, deadlines: Deadlines): Promise<T> {
  return new Promise((resolve, reject) => {
    const deadline = deadlines.start(limitMs, () => reject(new Error(`The store took ${Math.round(limitMs)} ms.`)))
    pending.then(resolve, reject).finally(() => deadline.clear())
  })
}
