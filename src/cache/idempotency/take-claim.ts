import { ApiError } from '../../openai/api-error.ts'
import type { Claim, Claims, ClaimTimes, Taken } from '../../storage/claims.ts'
import type { Deadlines, Sleep } from '../../timing/deadlines.ts'
import { HeldClaim, type HeldStores } from './held-claim.ts'
import { releaseClaim } from './release-claim.ts'

/** How long a store that fails is asked again. Longer than for a lookup of the cache: to go on without it may cost twice. */
const TAKE_MS = 3_000
const PAUSE_MS = 100

/** The dependencies of `takeClaim`. */
export interface TakeDeps {
  readonly deadlines: Deadlines
  readonly sleep: Sleep
  /** Milliseconds, monotonic. */
  readonly now: () => number
}

/** The stores whose claims other processes see. */
export interface SharedStores {
  readonly current: Claims | undefined
  /** Of before a reload. They may fail: that refuses no request. */
  readonly former: readonly Claims[]
}

/** All stores in which a claim is taken. */
interface ClaimStores extends SharedStores {
  readonly memory: Claims
}

/** The entry under a key whose claim can't be taken. */
export type ClaimStanding = Exclude<Taken, { readonly kind: 'taken' | 'full' }>

/**
 * Takes a claim in every store, or in none; gives what stands in the way. Rejects with `idempotency_full`, and with
 * `idempotency_unavailable` where a store doesn't answer: then nothing may be sent.
 *
 * @example
 * const taken = await takeClaim(claim, { memory, current, former }, times, signal, deps)
 * if (taken instanceof HeldClaim) …
 */
export async function takeClaim(
  claim: Claim,
  { memory, current, former }: ClaimStores,
  times: ClaimTimes,
  signal: AbortSignal,
  deps: TakeDeps,
): Promise<HeldClaim | ClaimStanding> {
  const held = new Set<Claims>()
  const unsure = new Set<Claims>()
  let isHeld = false
  try {
    for (const store of [memory, ...former, ...(current === undefined ? [] : [current])]) {
      // Noted first: the claim may be taken there although the reply gets lost.
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
    const stores: HeldStores = { memory, shared: [...held].filter((store) => store !== memory) }
    return new HeldClaim(claim, stores, times, deps)
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
