import { ignoreRejection } from '../../formats/ignore-rejection.ts'
import type { Claim, ClaimEnd, Claims, ClaimTimes } from '../../storage/claims.ts'
import type { Deadline, Deadlines } from '../../timing/deadlines.ts'
import { releaseClaim } from './release-claim.ts'

/** How often an end is told to a store that fails. */
const TRIES = 3
const PAUSE_MS = 200

/** Where a claim is held: this process's memory, and each store that others see, too. */
export interface ClaimPlaces {
  readonly memory: Claims
  readonly shared: readonly Claims[]
}

/** What holding a claim needs. */
export interface HeldClaimDeps {
  readonly deadlines: Deadlines
}

/**
 * A claim that is this process's: it is renewed until it is ended or given back. Where a store fails at the end, this process knows
 * how it ended, and the others know that it is not known.
 */
export class HeldClaim {
  readonly #claim: Claim
  readonly #places: ClaimPlaces
  readonly #times: ClaimTimes
  readonly #deadlines: Deadlines
  #renewal: Deadline | undefined

  constructor(claim: Claim, places: ClaimPlaces, times: ClaimTimes, { deadlines }: HeldClaimDeps) {
    this.#claim = claim
    this.#places = places
    this.#times = times
    this.#deadlines = deadlines
    if (places.shared.length > 0) this.#renewLater()
  }

  /** Says how it ended, for all who ask from now on. Never rejects. */
  async end(end: ClaimEnd): Promise<void> {
    this.#renewal?.clear()
    const { memory, shared } = this.#places
    const isTold = await Promise.all(shared.map((store) => this.#tell(store, end)))
    if (shared.length > 0 && isTold.every(Boolean)) await memory.release(this.#claim)
    else await memory.end(this.#claim, end, this.#times)
  }

  /** Gives it back: the next one with the key makes the request. Never rejects. */
  async release(): Promise<void> {
    this.#renewal?.clear()
    const { memory, shared } = this.#places
    await Promise.all(shared.map((store) => releaseClaim(store, this.#claim, this.#deadlines)))
    await memory.release(this.#claim)
  }

  async #tell(store: Claims, end: ClaimEnd): Promise<boolean> {
    for (let tries = 1; ; tries += 1) {
      try {
        await store.end(this.#claim, end, this.#times)
        return true
      } catch {
        if (tries === TRIES) return false
        await new Promise<void>((resolve) => void this.#deadlines.start(PAUSE_MS, resolve))
      }
    }
  }

  #renewLater(): void {
    this.#renewal = this.#deadlines.start(this.#times.leaseMs / 3, () => {
      this.#renewLater()
      // One that fails is followed by another; where all do, others see that it is not known how this ends.
      for (const store of this.#places.shared) {
        void ignoreRejection(Promise.try(() => store.renew(this.#claim, this.#times)))
      }
    })
  }
}
