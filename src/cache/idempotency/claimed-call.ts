import type { ClaimEnd } from '../../storage/claims.ts'
import type { HeldClaim } from './held-claim.ts'

/** The call of one `Idempotency-Key` in this process, from the first look for its claim until its end is written down. */
export class ClaimedCall {
  readonly fingerprint: string
  readonly #onSettled: () => void
  #held: HeldClaim | undefined
  #isCertain = false
  #isTooLarge = false
  #isOver = false
  #isEnded = false
  #changed = Promise.withResolvers<void>()

  constructor(fingerprint: string, onSettled: () => void) {
    this.fingerprint = fingerprint
    this.#onSettled = onSettled
  }

  /** Whether it is known that the key belongs to this request, and to no other. */
  get isCertain(): boolean {
    return this.#isCertain
  }

  /** Whether its answer has become too large to be stored, and goes on. */
  get isTooLarge(): boolean {
    return this.#isTooLarge
  }

  /** Whether this process makes the call; else it waits for another one that does. */
  get isHeld(): boolean {
    return this.#held !== undefined
  }

  /** This process has the claim. */
  hold(held: HeldClaim): void {
    this.#held = held
    this.confirm()
  }

  /** The key belongs to this request. */
  confirm(): void {
    this.#isCertain = true
    this.#onChange()
  }

  /** The call can't be joined any more. */
  onOver(isTooLarge: boolean): void {
    this.#isOver = true
    this.#isTooLarge = isTooLarge
    this.#onChange()
  }

  /** Writes its end down. */
  async end(end: ClaimEnd): Promise<void> {
    await this.#held?.end(end)
    this.#isEnded = true
    this.#onChange()
  }

  /** Frees the key. */
  async release(): Promise<void> {
    await this.#held?.release()
    this.#isEnded = true
    this.#onChange()
  }

  /** Resolves when anything about it has changed; rejects with the signal's reason. */
  change(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const leave = (): void => reject(signal.reason)
    signal.addEventListener('abort', leave, { once: true })
    void this.#changed.promise.then(() => {
      signal.removeEventListener('abort', leave)
      resolve()
    })
    return promise
  }

  #onChange(): void {
    if (this.#isOver && this.#isEnded) this.#onSettled()
    const { resolve } = this.#changed
    this.#changed = Promise.withResolvers()
    resolve()
  }
}
