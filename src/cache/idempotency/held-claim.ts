import { ignoreRejection } from '../../formats/ignore-rejection.ts'
import type { Claim, ClaimEnd, Claims, ClaimTimes } from '../../storage/claims.ts'
import type { Deadline, Deadlines } from '../../timing/deadlines.ts'
import { releaseClaim } from './release-claim.ts'

/** How often a store that fails is asked to write an end down. */
const TRIES = 3
const PAUSE_MS = 200

/** The stores in which a claim is held: this process's memory, and those that other processes see. */
export interface HeldStores {
  readonly memory: Claims
  readonly shared: readonly Claims[]
}

/** The dependencies of a held claim. */
export interface HeldClaimDeps {
  readonly deadlines: Deadlines
}

/**
 * A claim that this process has. It is renewed until it is ended or released. Where a store fails at the end, this process still knows how
 * the call ended, and other processes find that its outcome is unknown.
 */
export class HeldClaim {
  readonly #claim: Claim
  readonly #stores: HeldStores
  readonly #times: ClaimTimes
  readonly #deadlines: Deadlines
  #renewal: Deadline | undefined

  constructor(claim: Claim, stores: HeldStores, times: ClaimTimes, { deadlines }: HeldClaimDeps) {
    this.#claim = claim
    this.#stores = stores
    this.#times = times
    this.#deadlines = deadlines
    if (stores.shared.length > 0) this.#renewLater()
  }

  /** Writes down how it ended, for later requests. Never rejects. */
  async end(end: ClaimEnd): Promise<void> {
    this.#renewal?.clear()
    const { memory, shared } = this.#stores
    const isWritten = await Promise.all(shared.map((store) => this.#writeEnd(store, end)))
    if (shared.length > 0 && isWritten.every(Boolean)) await memory.release(this.#claim)
    else await memory.end(this.#claim, end, this.#times)
  }

  /** Frees the key: the next request with it is made. Never rejects. */
  async release(): Promise<void> {
    this.#renewal?.clear()
    const { memory, shared } = this.#stores
    await Promise.all(shared.map((store) => releaseClaim(store, this.#claim, this.#deadlines)))
    await memory.release(this.#claim)
  }

  async #writeEnd(store: Claims, end: ClaimEnd): Promise<boolean> {
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
      // A renewal that fails is followed by the next; where all fail, other processes find the claim lost.
      for (const store of this.#stores.shared) {
        void ignoreRejection(Promise.try(() => store.renew(this.#claim, this.#times)))
      }
    })
  }
}
