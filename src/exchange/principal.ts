import type { Secret } from '../config/secret.ts'

/** The caller, and with it the key that is spent. Never optional, and there is no fallback. */
export type Principal =
  /** Holds one of the server's API tokens, by whose name it goes; spends the server's key. */
  | { readonly kind: 'token'; readonly id: string; readonly token: Secret }
  /** Brings a key of its own, which goes upstream as it came; it is known by a short digest of it. */
  | { readonly kind: 'caller'; readonly id: string }
  /**
   * Brings no credential, but calls from this very machine; is lent the server's key, where there is one. Where no key can be spent:
   * any caller without a credential.
   */
  | { readonly kind: 'local' }

/**
 * Gives the name of a principal in the log, in rules and for extensions: a token's name, `caller-` and a short digest, or `local`.
 *
 * @example
 * const caller = principalName(principal)
 */
export function principalName(principal: Principal): string {
  return principal.kind === 'local' ? 'local' : principal.id
}
