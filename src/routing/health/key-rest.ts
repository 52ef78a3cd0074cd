import type { BreakerSettings } from '../../config/sections/breaker.ts'

/** How long a call that tries a key after its rest keeps the others from trying it, too. */
const TRIAL_MS = 10_000

/** The state of a key when a call began to spend it. */
export interface KeyUse {
  readonly epoch: number
  /** It was to be left alone, but nothing else was there to be asked. */
  readonly isResting: boolean
}

/**
 * How a key of the server's fares with its upstream, whatever the model: one that was refused rests, as long as an open
 * breaker would: longer with each refusal that follows a rest. Then one call tries it.
 */
export class KeyRest {
  readonly #now: () => number
  #settings: BreakerSettings
  /** Refusals, each behind the rest of the one before; 0: the key is good as far as is known. */
  #refusals = 0
  #until = 0
  /** Its `era` goes up with each refusal: what a call says that began before one is of no use behind it. */
  #use: KeyUse = { epoch: 0, isResting: false }

  /** `now`: a monotonic clock, in ms. */
  constructor(settings: BreakerSettings, now: () => number) {
    this.#settings = settings
    this.#now = now
  }

  /** From now on it rests as these settings say. */
  configure(settings: BreakerSettings): void {
    this.#settings = settings
  }

  /** How long it is to be left alone, in ms; 0: it may be spent now. */
  waitMs(): number {
    return this.#refusals === 0 ? 0 : Math.max(0, this.#until - this.#now())
  }

  /** A call spends it. Gives what `refused` and `accepted` are to be told. */
  begin(): KeyUse {
    if (this.#refusals === 0) return this.#use
    if (this.waitMs() > 0) return { ...this.#use, isResting: true }
    this.#until = this.#now() + TRIAL_MS
    return this.#use
  }

  /** The upstream has refused it. Gives how long it rests from now on, in ms; undefined: that was known already. */
  refused({ epoch: era, isResting }: KeyUse): number | undefined {
    if (era !== this.#use.epoch || isResting) return undefined
    const { openMs, openMaxMs } = this.#settings
    this.#use = { epoch: era + 1, isResting: false }
    this.#refusals += 1
    const restMs = Math.min(openMs * this.#refusals, openMaxMs)
    this.#until = this.#now() + restMs
    return restMs
  }

  /** The upstream has accepted it. */
  accepted({ epoch: era }: KeyUse): void {
    if (era === this.#use.epoch) this.#refusals = 0
  }
}
