/** A request that is to be made once, as whoever makes it has it written down. */
export interface Claim {
  /** What it is found by: a digest. */
  readonly id: string
  /** Nobody else's: only with it the claim can be renewed, ended or given back. */
  readonly token: string
  /** What tells the request apart from another one under the same id; a digest. */
  readonly fingerprint: string
  /** Whose it is: entries of one are grouped for `purge`, and share one caller's room. */
  readonly scope: string
}

/**
 * What stands under an id. `running`: somebody has it, and renews it. `lost`: whoever had it has ended without a word, or can't know
 * how it ended. `answered`: with its answer. `unkept`: it was answered, and the answer is not kept.
 */
export type Standing =
  | { readonly kind: 'free' }
  | { readonly kind: 'running' | 'lost' | 'unkept'; readonly fingerprint: string }
  | { readonly kind: 'answered'; readonly fingerprint: string; readonly answer: Uint8Array<ArrayBuffer> }

/** What has become of a claim: it is the asker's now, there is no room for one more of its caller's, or it is somebody else's. */
export type Taken =
  | { readonly kind: 'taken' }
  | { readonly kind: 'full' }
  | Exclude<Standing, { readonly kind: 'free' }>

/** Is thrown by a store that is well, and is not certain that it has all claims: nobody else has anything to fear from it. */
export class UncertainClaimsError extends Error {}

/** How a claim ends, other than by being given back. */
export type ClaimEnd = { readonly kind: 'answered'; readonly answer: Uint8Array } | { readonly kind: 'unkept' | 'lost' }

/** How long things stand. */
export interface ClaimTimes {
  /** So long a claim is its holder's without being renewed. */
  readonly leaseMs: number
  /** So long its end can be read, and a claim that was lost is known to be. */
  readonly windowMs: number
}

/**
 * Requests that are made once, for all who share the store. Nothing of one caller's gives way to another's before its time is up.
 * Calls reject, or throw, where the store fails: then nobody knows.
 */
export interface Claims {
  /** Has it made ready what the first claim would else wait for; absent: there is nothing. Never rejects. */
  ready?(): Promise<void>
  /** Takes the claim, where nobody has it. Taking once more with the same token renews it. */
  take(claim: Claim, times: ClaimTimes): Taken | Promise<Taken>
  /** What stands there, without taking it. */
  look(id: string): Standing | Promise<Standing>
  /** Goes on having it; `free`, or another's, by now: that is put right where it can be. */
  renew(claim: Claim, times: ClaimTimes): void | Promise<void>
  /** Ends it; of another's nothing is changed. */
  end(claim: Claim, end: ClaimEnd, times: ClaimTimes): void | Promise<void>
  /** Gives it back, as if it had not been taken; of another's nothing is changed. */
  release(claim: Claim): void | Promise<void>
}

/** Claims that are there at once: nobody has to be asked for them. */
export interface ClaimsAtOnce extends Claims {
  take(claim: Claim, times: ClaimTimes): Taken
  look(id: string): Standing
  renew(claim: Claim, times: ClaimTimes): void
  end(claim: Claim, end: ClaimEnd, times: ClaimTimes): void
  release(claim: Claim): void
}
