/** The mark that a request with an `Idempotency-Key` is being made, as a store keeps it. */
export interface Claim {
  /** The digest that it is found by. */
  readonly id: string
  /** The holder's secret: only with it can the claim be renewed, ended or released. */
  readonly token: string
  /** A digest that tells the request apart from another one under the same id. */
  readonly fingerprint: string
  /** The caller's scope: claims of one scope share one caller's room, and are purged together. */
  readonly scope: string
}

/**
 * The state of an id. `running`: a process holds the claim, and renews it. `lost`: its holder has ended without a word, or can't know how
 * the call ended. `answered`: with its answer. `unkept`: the call was answered, and the answer is not stored.
 */
export type Standing =
  | { readonly kind: 'free' }
  | { readonly kind: 'running' | 'lost' | 'unkept'; readonly fingerprint: string }
  | { readonly kind: 'answered'; readonly fingerprint: string; readonly answer: Uint8Array<ArrayBuffer> }

/** The result of `take`: the claim is the asker's now, its caller has no room for one more, or the id is in another state already. */
export type Taken =
  | { readonly kind: 'taken' }
  | { readonly kind: 'full' }
  | Exclude<Standing, { readonly kind: 'free' }>

/** Is thrown by a store that works, and is not certain that it has all claims. It says nothing against the store. */
export class UncertainClaimsError extends Error {}

/** How a claim ends, unless it is released. */
export type ClaimEnd = { readonly kind: 'answered'; readonly answer: Uint8Array } | { readonly kind: 'unkept' | 'lost' }

/** How long claims and their ends last. */
export interface ClaimTimes {
  /** How long a claim lasts without being renewed. */
  readonly leaseMs: number
  /** How long its end can be read, and a lost claim is known to be lost. */
  readonly windowMs: number
}

/**
 * Claims of all processes that share a store. One caller's claims never give way to another's before their time is up. A call rejects, or
 * throws, where the store fails: the state of the claim is unknown then.
 */
export interface Claims {
  /** Does in advance the work that the first claim would wait for; absent: there is none. Never rejects. */
  ready?(): Promise<void>
  /** Takes the claim if no process holds it. A second call with the same token renews it. */
  take(claim: Claim, times: ClaimTimes): Taken | Promise<Taken>
  /** The state of an id, without taking its claim. */
  look(id: string): Standing | Promise<Standing>
  /** Keeps the claim for another lease, and writes it down again where the store has lost it. */
  renew(claim: Claim, times: ClaimTimes): void | Promise<void>
  /** Ends the claim; leaves another holder's as it is. */
  end(claim: Claim, end: ClaimEnd, times: ClaimTimes): void | Promise<void>
  /** Frees the id, as if it had not been claimed; leaves another holder's claim as it is. */
  release(claim: Claim): void | Promise<void>
}

/** Claims in this process's memory, where no call has to wait. */
export interface ClaimsAtOnce extends Claims {
  take(claim: Claim, times: ClaimTimes): Taken
  look(id: string): Standing
  renew(claim: Claim, times: ClaimTimes): void
  end(claim: Claim, end: ClaimEnd, times: ClaimTimes): void
  release(claim: Claim): void
}
