import type { Principal } from '../../exchange/principal.ts'
import { digestOf, type Sha256 } from '../../formats/bytes/digest.ts'
import { KEY_HEADERS, SESSION_HEADER, SUBPROTOCOLS_HEADER } from '../../formats/http/credential-headers.ts'
import { withoutRoutingCookies } from './routing-cookies.ts'

declare const made: unique symbol

/** Names the callers who share stored answers. Only `scopeOf` makes one, so that every key has one. */
export type Scope = string & { readonly [made]: true }

/** A caller, as far as its scope depends on it. */
export interface Caller {
  readonly principal: Principal
  /** As they came: they hold the caller's own keys. */
  readonly headers: Headers
}

/** Which callers share stored answers. */
export interface ScopeSettings {
  /**
   * `principal`: each token and each caller's key has its own. `shared`: all callers have one, and see what others have been
   * answered.
   */
  readonly scope: 'principal' | 'shared'
}

/**
 * The credential headers whose whole value tells callers apart. An upstream may read another of them than we do, and so all of them
 * count: two callers that have only a placeholder in common must not share. The session is apart, since a load balancer's part of it
 * does not count; `proxy-authorization` is missing, since no upstream sees it. Their order is part of each scope: with another one,
 * nobody would find what is kept.
 */
const COMPARED_HEADERS = [...KEY_HEADERS, SUBPROTOCOLS_HEADER] as const

/** The ids of tokens without a name: a short digest. It is too short to keep callers apart in a store that several servers share. */
const DIGEST_NAME = /^token-[0-9a-f]{8,}$/

/**
 * Gives a caller's scope. A token's scope is its name, so that the holder's next token finds the same answers; a token without a name has
 * its id and its digest. A caller with keys of its own has a digest of these, a program of this machine `local`, and everybody has
 * `shared` where the configuration says so. No key or token can be read from a scope.
 *
 * @example
 * const scope = scopeOf({ principal, headers: exchange.request.headers }, settings.cache, sha256)
 */
export function scopeOf(asker: Caller, settings: ScopeSettings, sha256: Sha256): Scope {
  return nameOf(asker, callerTexts(asker, settings), sha256) as Scope
}

/**
 * Gives the texts that a caller's scope depends on, as they came. There are secrets among them: they may only be digested.
 *
 * @example
 * const seen = digestOf([...callerTexts(caller, settings.cache), ...others], body, sha256)
 */
export function callerTexts({ principal, headers }: Caller, { scope }: ScopeSettings): readonly string[] {
  if (scope === 'shared') return ['shared']
  if (principal.kind === 'token') return ['token', principal.token.reveal(), principal.id]
  // A rotated key has the same id, and finds the same answers.
  if (principal.kind === 'key') return ['key', principal.id]
  // A cookie may be a session; a load balancer's cookie differs from try to try.
  const session = withoutRoutingCookies(headers.get(SESSION_HEADER) ?? '')
  return [principal.kind, session, ...COMPARED_HEADERS.map((name) => headers.get(name) ?? '')]
}

function nameOf({ principal }: Caller, texts: readonly string[], sha256: Sha256): string {
  const [first, ...brought] = texts
  if (first === 'shared') return first
  if (principal.kind === 'token') {
    // A name is shorter than a scope with a digest, and never `shared` or `local`.
    if (!DIGEST_NAME.test(principal.id)) return principal.id
    return `${principal.id}-${digestOf(['token', principal.token.reveal()], '', sha256)}`
  }
  if (principal.kind === 'key') return `key:${principal.id}`
  // A browser's session may come along without a key.
  if (principal.kind === 'local' && brought.every((value) => value === '')) return 'local'
  return `${principal.kind}-${digestOf(texts, '', sha256)}`
}
