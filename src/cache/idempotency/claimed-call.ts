import type { ClaimEnd } from '../../storage/claims.ts'
import type { HeldClaim } from './held-claim.ts'

/** A call of one key that is under way at this process, from the first look for its claim until its end is written down. */
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

  /** Whether it is known that the key is this request's, and no other's. */
  get isCertain(): boolean {
    return this.#isCertain
  }

  /** Whether it has outgrown what can be kept, and goes on. */
  get isTooLarge(): boolean {
    return this.#isTooLarge
  }

  /** Whether it is this process that makes the call, and not one that it waits for. */
  get isHeld(): boolean {
    return this.#held !== undefined
  }

  /** The claim is this process's. */
  hold(held: HeldClaim): void {
    this.#held = held
    this.confirm()
  }

  /** The key is this request's. */
  confirm(): void {
    this.#isCertain = true
    this.#onChange()
  }

  /** It can't be joined any more. */
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

  /** Leaves the key free. */
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
