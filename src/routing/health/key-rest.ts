import type { BreakerSettings } from '../../config/sections/breaker.ts'

/** How long a call that tries a key after its rest keeps the others from trying it, too. */
const TRIAL_MS = 10_000

/** The state of a key when a call began to spend it. */
export interface KeyUse {
  readonly epoch: number
  /** The key was resting, but no other could be asked. */
  readonly isResting: boolean
}

/**
 * The rest of one of the server's keys at its upstream, whatever the model. A refused key rests as long as an open breaker would:
 * longer with each refusal that follows a rest. Then one call tries it.
 */
export class KeyRest {
  readonly #now: () => number
  #settings: BreakerSettings
  /** Refusals in a row, each after the rest of the one before; 0: no refusal is known. */
  #refusals = 0
  #until = 0
  /** Goes up with each refusal: the outcome of a call that began before it no longer counts. */
  #use: KeyUse = { epoch: 0, isResting: false }

  /** `now`: a monotonic clock, in ms. */
  constructor(settings: BreakerSettings, now: () => number) {
    this.#settings = settings
    this.#now = now
  }

  /** Sets the settings of the rest. */
  configure(settings: BreakerSettings): void {
    this.#settings = settings
  }

  /** The end of its last rest, by its clock; 0: no refusal is known. */
  get until(): number {
    return this.#refusals === 0 ? 0 : this.#until
  }

  /** The rest that is left, in ms; 0: the key may be spent now. */
  waitMs(): number {
    return this.#refusals === 0 ? 0 : Math.max(0, this.#until - this.#now())
  }

  /** A call spends the key. Gives the state that `refused` and `accepted` take. */
  begin(): KeyUse {
    if (this.#refusals === 0) return this.#use
    if (this.waitMs() > 0) return { ...this.#use, isResting: true }
    this.#until = this.#now() + TRIAL_MS
    return this.#use
  }

  /** The upstream has refused the key. Gives the length of its rest, in ms; undefined: the refusal was known already. */
  refused({ epoch: era, isResting }: KeyUse): number | undefined {
    if (era !== this.#use.epoch || isResting) return undefined
    const { openMs, openMaxMs } = this.#settings
    this.#use = { epoch: era + 1, isResting: false }
    this.#refusals += 1
    const restMs = Math.min(openMs * this.#refusals, openMaxMs)
    this.#until = this.#now() + restMs
    return restMs
  }

  /** The upstream has accepted the key. */
  accepted({ epoch: era }: KeyUse): void {
    if (era === this.#use.epoch) this.#refusals = 0
  }
}
