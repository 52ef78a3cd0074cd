import type { Secret } from '../config/secret.ts'
import type { ApiToken } from '../config/sections/token-list.ts'

/** A token with the name of its holder. */
export interface NamedToken {
  /** The name in the configuration, or `token-` and the beginning of a digest. */
  readonly name: string
  readonly token: Secret
}

/** SHA-256 of a text (FIPS 180-4). */
type Sha256 = (text: string) => Uint8Array

/** As many hexadecimal digits distinguish the callers of one server, and tell nothing of a secret that can't be guessed. */
const SHOWN_DIGITS = 8

/**
 * Gives each token the name of its holder: its own, or else a short digest, which does not depend on the token's place
 * in the list, or on the other tokens.
 *
 * @example
 * const [{ name }] = nameTokens(config.auth.tokens, sha256)
 */
export function nameTokens(tokens: readonly ApiToken[], sha256: Sha256): readonly NamedToken[] {
  const named = tokens.map(({ name, token }) => ({ name: name ?? shortId('token', token.reveal(), sha256), token }))
  return named.map((one, index) => {
    const isShared = named.some((other, at) => at !== index && other.name === one.name)
    // If two digests begin alike, more digits are shown: two people must not be taken for one.
    if (tokens[index]?.name !== undefined || !isShared) return one
    return { ...one, name: shortId('token', one.token.reveal(), sha256, 4 * SHOWN_DIGITS) }
  })
}

/**
 * Gives a short name to the holder of a secret without a name, such as `caller-3fa9c1d2`. The digest has this use alone: it
 * is found nowhere else, and can't be looked up.
 *
 * @example
 * const name = shortId('caller', key, sha256)
 */
export function shortId(kind: 'token' | 'caller', secret: string, sha256: Sha256, digits = SHOWN_DIGITS): string {
  return `${kind}-${sha256(`nexcode ${kind} name\n${secret}`).toHex().slice(0, digits)}`
}
