import {
  type Claim,
  type ClaimEnd,
  type Claims,
  type ClaimTimes,
  type Standing,
  type Taken,
  UncertainClaimsError,
} from './claims.ts'

/** Hears whether calls of the claims succeed or fail. */
export interface ClaimWatch {
  /** Gives the epoch at a call's beginning, for `succeeded` and `failed`. */
  readonly begin: () => number
  readonly succeeded: (epoch: number) => void
  readonly failed: (epoch: number, cause: unknown) => void
}

/** Claims that are always tried, since no request may go on without them, and whose outcomes a watch hears. */
export class WatchedClaims implements Claims {
  readonly #claims: Claims
  readonly #watch: ClaimWatch

  constructor(claims: Claims, watch: ClaimWatch) {
    this.#claims = claims
    this.#watch = watch
  }

  async ready(): Promise<void> {
    await this.#claims.ready?.()
  }

  take(claim: Claim, times: ClaimTimes): Taken | Promise<Taken> {
    return this.#run(() => this.#claims.take(claim, times))
  }

  look(id: string): Standing | Promise<Standing> {
    return this.#claims.look(id)
  }

  renew(claim: Claim, times: ClaimTimes): void | Promise<void> {
    return this.#run(() => this.#claims.renew(claim, times))
  }

  end(claim: Claim, end: ClaimEnd, times: ClaimTimes): void | Promise<void> {
    return this.#run(() => this.#claims.end(claim, end, times))
  }

  release(claim: Claim): void | Promise<void> {
    return this.#run(() => this.#claims.release(claim))
  }

  #run<T>(call: () => T | Promise<T>): T | Promise<T> {
    const { begin, succeeded } = this.#watch
    const failed = (epoch: number, cause: unknown): void =>
      cause instanceof UncertainClaimsError ? succeeded(epoch) : this.#watch.failed(epoch, cause)
    const epoch = begin()
    try {
      const result = call()
      if (result instanceof Promise) {
        result.then(
          () => succeeded(epoch),
          (cause: unknown) => failed(epoch, cause),
        )
      } else succeeded(epoch)
      return result
    } catch (cause) {
      failed(epoch, cause)
      throw cause
    }
  }
}
