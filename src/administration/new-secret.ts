import { Secret } from '../config/secret.ts'
import { makeKey, redactKey } from '../ledger/key-format.ts'
import type { AdminDeps } from './admin-route.ts'

/** A key's secret: what is kept of it, and what is shown this once. */
export interface NewSecret {
  /** SHA-256, in hex. */
  readonly digest: string
  readonly redacted: string
  /** Gives the secret itself, for the one answer that shows it. */
  readonly show: () => string
}

/**
 * Makes the secret of a key with that prefix.
 *
 * @example
 * const { digest, redacted, show } = newSecret(KEY_PREFIX, deps)
 */
export function newSecret(prefix: string, { random, sha256 }: Pick<AdminDeps, 'random' | 'sha256'>): NewSecret {
  const secret = new Secret(makeKey(prefix, random))
  return { digest: sha256(secret.reveal()).toHex(), redacted: redactKey(secret), show: () => secret.reveal() }
}
