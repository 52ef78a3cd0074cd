import type { Claim, Claims } from '../../storage/claims.ts'
import type { Deadlines } from '../../timing/deadlines.ts'

/** The pauses between two tries to release a claim in a store that fails; each is twice the one before. */
const FIRST_PAUSE_MS = 500
const LAST_PAUSE_MS = 30_000
/** A store that stood still does what it was asked meanwhile, in any order, within so long after it answers again. */
const LATE_MS = 4_000

/**
 * Releases a claim. Resolves when the store has been asked once. Where that fails, the release goes on by itself for about a minute: a
 * claim that nobody holds or releases would keep its key from everybody. `isTaken`: whether it is known that the claim was taken; if not,
 * it may yet be taken late, so that it is released several times.
 *
 * @example
 * await releaseClaim(store, claim, deadlines)
 */
export async function releaseClaim(store: Claims, claim: Claim, deadlines: Deadlines, isTaken = true): Promise<void> {
  if ((await isReleased(store, claim)) && isTaken) return
  void retry(store, claim, deadlines, isTaken)
}

async function retry(store: Claims, claim: Claim, deadlines: Deadlines, isTaken: boolean): Promise<void> {
  for (let pauseMs = FIRST_PAUSE_MS; pauseMs <= LAST_PAUSE_MS; pauseMs *= 2) {
    await new Promise<void>((resolve) => void deadlines.start(pauseMs, resolve))
    if ((await isReleased(store, claim)) && (isTaken || pauseMs >= LATE_MS)) return
  }
}

async function isReleased(store: Claims, claim: Claim): Promise<boolean> {
  try {
    await store.release(claim)
    return true
  } catch {
    return false
  }
}
