import type { Secret } from '../config/secret.ts'
import type { KeyEntry } from '../ledger/records.ts'

/** The caller, and with it the key that is spent. Never optional, and there is no fallback. */
export type Principal =
  /**
   * Holds one of the server's API tokens, by whose name it goes; spends the server's key. With a ledger the token is a key of its default
   * project (`entry`).
   */
  | { readonly kind: 'token'; readonly id: string; readonly token: Secret; readonly entry?: KeyEntry | undefined }
  /** Holds a key of the ledger (`token`), by whose id it goes; spends the server's key. */
  | { readonly kind: 'key'; readonly id: string; readonly token: Secret; readonly entry: KeyEntry }
  /**
   * Brings a key of its own, which goes upstream as it came; it is known by a short digest of it. Where an upstream is spoken to with the
   * server's key, the call is one of the ledger's default project: `lent` is the entry for that, `entry` says that it is so.
   */
  | {
      readonly kind: 'caller'
      readonly id: string
      readonly lent?: KeyEntry | undefined
      readonly entry?: KeyEntry | undefined
    }
  /**
   * Brings no credential, but calls from this very machine; is lent the server's key, where there is one. Where no key can be spent:
   * any caller without a credential. With a ledger it is of the default project (`entry`).
   */
  | { readonly kind: 'local'; readonly entry?: KeyEntry | undefined }

/**
 * Gives the name of a principal in the log, in rules and for extensions: a token's name, a key's id, `caller-` and a short digest, or
 * `local`.
 *
 * @example
 * const caller = principalName(principal)
 */
export function principalName(principal: Principal): string {
  return principal.kind === 'local' ? 'local' : principal.id
}

/**
 * Gives what a principal holds of this server's: its token or key, which must go to no upstream and be shown to nobody; undefined: nothing.
 *
 * @example
 * const token = heldToken(principal)?.reveal()
 */
export function heldToken(principal: Principal): Secret | undefined {
  return principal.kind === 'token' || principal.kind === 'key' ? principal.token : undefined
}

/**
 * Gives the ledger's entry of a principal; undefined: there is no ledger, or the money is not this server's.
 *
 * @example
 * const project = entryOf(principal)?.project
 */
export function entryOf({ entry }: Principal): KeyEntry | undefined {
  return entry
}
