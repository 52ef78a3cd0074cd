import type { Log } from '../telemetry/log.ts'
import type { Claim, ClaimEnd, Claims, ClaimTimes, Standing, Taken } from './claims.ts'

/** The end of a claim, as a process knows it that does not have its answer. */
export type KnownEnd = 'unkept' | 'lost'

/** Claims that processes share and that may get lost: a server is restarted, a file is damaged or removed. */
export interface SharedRegister extends Claims {
  /** Gives the register's identity, which changes when claims in it may be lost. Marks a new register. */
  era(): string | Promise<string>
  /** Writes a claim's end, where the register knows nothing of the claim any more. */
  restore(claim: Claim, end: KnownEnd, times: ClaimTimes): void | Promise<void>
}

/** How long a new register takes no claim: processes that hold claims, or know of some, write them again meanwhile. */
export const SETTLING_MS = 1_500
/** How often a process checks whether the register is still the same. */
const LOOK_MS = 500
/** The most ends that a process remembers; the oldest are forgotten. About 300 bytes each. */
const ENDED_MAX = 20_000
/** Claims written again at once. */
const BATCH = 100

/** The options of remembered claims. */
export interface RememberedClaimsOptions {
  /** The store's name, for the log. */
  readonly name: string
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly log: Pick<Log, 'warn'>
}

interface Held {
  readonly claim: Claim
  readonly times: ClaimTimes
}

interface Ended {
  readonly claim: Claim
  readonly end: KnownEnd
  readonly expiresAt: number
}

/**
 * Claims in a register that may get lost. This process remembers the claims that it has written there for as long as they last, writes
 * them again into a new register, and never takes one a second time.
 *
 * @example
 * const claims = new RememberedClaims(new RedisClaims(connections, options), { name: 'redis', now: Date.now, log })
 */
export class RememberedClaims implements Claims {
  readonly #register: SharedRegister
  readonly #options: RememberedClaimsOptions
  readonly #held = new Map<string, Held>()
  /** The ends, the oldest first. */
  readonly #ended = new Map<string, Ended>()
  #era: string | undefined
  #timer: Timer | undefined
  #isLooking = false

  constructor(register: SharedRegister, options: RememberedClaimsOptions) {
    this.#register = register
    this.#options = options
  }

  /** Asks for the register's identity, so that a new one settles before it is needed. Never rejects. */
  async ready(): Promise<void> {
    try {
      this.#era ??= await this.#register.era()
    } catch {
      // The identity is asked for again when a claim has been taken.
    }
  }

  async take(claim: Claim, times: ClaimTimes): Promise<Taken> {
    const taken = await this.#register.take(claim, times)
    if (taken.kind !== 'taken') return taken
    const known = this.#ended.get(claim.id)
    if (known !== undefined && known.expiresAt > this.#options.now()) {
      await this.#register.end(claim, { kind: known.end }, this.#timesOf(known, times))
      return { kind: known.end, fingerprint: known.claim.fingerprint }
    }
    this.#held.set(claim.id, { claim, times })
    if (this.#era === undefined) void this.ready()
    this.#lookLater()
    return taken
  }

  look(id: string): Standing | Promise<Standing> {
    return this.#register.look(id)
  }

  renew(claim: Claim, times: ClaimTimes): void | Promise<void> {
    return this.#register.renew(claim, times)
  }

  async end(claim: Claim, end: ClaimEnd, times: ClaimTimes): Promise<void> {
    // Remembered before the register is told: where that takes long, the register may be replaced meanwhile.
    this.#held.delete(claim.id)
    this.#remember(claim, end.kind === 'lost' ? 'lost' : 'unkept', times)
    await this.#register.end(claim, end, times)
  }

  async release(claim: Claim): Promise<void> {
    if (this.#held.get(claim.id)?.claim.token === claim.token) this.#held.delete(claim.id)
    await this.#register.release(claim)
  }

  /** Ends the checks, and forgets all claims. */
  close(): void {
    clearTimeout(this.#timer)
    this.#held.clear()
    this.#ended.clear()
  }

  #remember(claim: Claim, end: KnownEnd, { windowMs }: ClaimTimes): void {
    this.#ended.delete(claim.id)
    this.#ended.set(claim.id, { claim, end, expiresAt: this.#options.now() + windowMs })
    if (this.#ended.size <= ENDED_MAX) return
    const [oldest] = this.#ended.keys()
    if (oldest !== undefined) this.#ended.delete(oldest)
  }

  #timesOf({ expiresAt }: Ended, { leaseMs }: ClaimTimes): ClaimTimes {
    return { leaseMs, windowMs: Math.max(1, expiresAt - this.#options.now()) }
  }

  #lookLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#forgetWhatIsOver()
      if (this.#held.size + this.#ended.size === 0) return
      this.#lookLater()
      void this.#lookForAnother()
    }, LOOK_MS).unref()
  }

  #forgetWhatIsOver(): void {
    const at = this.#options.now()
    for (const [id, { expiresAt }] of this.#ended) {
      // Windows may differ after a reload: an end behind a longer one waits for it.
      if (expiresAt > at) return
      this.#ended.delete(id)
    }
  }

  async #lookForAnother(): Promise<void> {
    if (this.#isLooking) return
    this.#isLooking = true
    try {
      const era = await this.#register.era()
      if (era === this.#era) return
      if (this.#era !== undefined) {
        this.#tell()
        await this.#writeDownAgain()
      }
      this.#era = era
    } catch {
      // The store is away: the next check asks it again.
    } finally {
      this.#isLooking = false
    }
  }

  #tell(): void {
    const { name, log } = this.#options
    log.warn(
      { store: name, held: this.#held.size, ended: this.#ended.size },
      'the store has begun anew, or is another one: Idempotency-Keys that this process knows are written down there again',
    )
  }

  async #writeDownAgain(): Promise<void> {
    await inBatches([...this.#held.values()], ({ claim, times }) => this.#register.renew(claim, times))
    await inBatches([...this.#ended.values()], (one) =>
      this.#register.restore(one.claim, one.end, this.#timesOf(one, { leaseMs: 1, windowMs: 1 })),
    )
  }
}

async function inBatches<T>(all: readonly T[], run: (one: T) => void | Promise<void>): Promise<void> {
  for (let at = 0; at < all.length; at += BATCH) {
    await Promise.all(all.slice(at, at + BATCH).map((one) => run(one)))
    // Requests have their turn between two batches.
    await new Promise((resolve) => setImmediate(resolve))
  }
}
