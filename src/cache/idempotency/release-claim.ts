import type { Claim, Claims } from '../../storage/claims.ts'
import type { Deadlines } from '../../timing/deadlines.ts'

/** When a claim is given back to a store that fails: after so long, and each time later by as much again. */
const FIRST_PAUSE_MS = 500
const LAST_PAUSE_MS = 30_000
/** What a store was asked for while it stood still it does when it is back, in whatever order: no later than so long after it answers again. */
const LATE_MS = 4_000

/**
 * Gives a claim back. Resolves when the store has been asked once; where that fails it goes on by itself, for about a minute, since
 * a claim that nobody holds and nobody gives back would keep its key from everybody. `isTaken`: whether it is known that the claim was
 * taken; else it may be taken yet, and is given back several times.
 *
 * @example
 * await giveBack(store, claim, deadlines)
 */
export async function releaseClaim(store: Claims, claim: Claim, deadlines: Deadlines, isTaken = true): Promise<void> {
  if ((await isReleased(store, claim)) && isTaken) return
  void goOn(store, claim, deadlines, isTaken)
}

async function goOn(store: Claims, claim: Claim, deadlines: Deadlines, isTaken: boolean): Promise<void> {
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
