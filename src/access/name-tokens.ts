import type { Secret } from '../config/secret.ts'
import type { ApiToken } from '../config/sections/token-list.ts'

/** A token with the name that its holder goes by. */
export interface NamedToken {
  /** The configuration's, or `token-` and the beginning of a digest. */
  readonly name: string
  readonly token: Secret
}

/** SHA-256 of a text (FIPS 180-4). */
type Sha256 = (text: string) => Uint8Array

/** So many hexadecimal digits tell apart whom one server knows, and say nothing of a secret that can't be guessed. */
const SHOWN_DIGITS = 8

/**
 * Gives each token the name that its holder goes by: its own, or else a short digest, which stays the same wherever it stands
 * in the list, and whatever else is in it.
 *
 * @example
 * const [{ name }] = nameTokens(config.auth.tokens, sha256)
 */
export function nameTokens(tokens: readonly ApiToken[], sha256: Sha256): readonly NamedToken[] {
  const named = tokens.map(({ name, token }) => ({ name: name ?? shortId('token', token.reveal(), sha256), token }))
  return named.map((one, index) => {
    const isShared = named.some((other, at) => at !== index && other.name === one.name)
    // Two digests that begin alike: two people must not be taken for one.
    if (tokens[index]?.name !== undefined || !isShared) return one
    return { ...one, name: shortId('token', one.token.reveal(), sha256, 4 * SHOWN_DIGITS) }
  })
}

/**
 * Gives a short name for whoever brings a secret without a name, such as `caller-3fa9c1d2`. The digest is of this use alone: it
 * is found nowhere else, and can't be looked up.
 *
 * @example
 * const name = shortId('caller', key, sha256)
 */
export function shortId(kind: 'token' | 'caller', secret: string, sha256: Sha256, digits = SHOWN_DIGITS): string {
  return `${kind}-${sha256(`nexcode ${kind} name\n${secret}`).toHex().slice(0, digits)}`
}
