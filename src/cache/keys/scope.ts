import type { Principal } from '../../exchange/principal.ts'
import { digestOf, type Sha256 } from '../../formats/bytes/digest.ts'
import { KEY_HEADERS, SESSION_HEADER, SUBPROTOCOLS_HEADER } from '../../formats/http/credential-headers.ts'
import { withoutRoutingCookies } from './routing-cookies.ts'

declare const made: unique symbol

/** Those who see each other's kept answers. Only `scopeOf` makes one, so that no key can be without. */
export type Scope = string & { readonly [made]: true }

/** Who asks. */
export interface Caller {
  readonly principal: Principal
  /** As they came: a caller's own keys are in them. */
  readonly headers: Headers
}

/** Who shares kept answers with whom. */
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

/** What tokens without a name are called: a short digest, which is not to keep stores that several servers share apart. */
const DIGEST_NAME = /^token-[0-9a-f]{8,}$/

/**
 * Gives the scope of whoever asks: of a token its name, so that a new token of the same holder finds what the old one got; of one
 * without a name its id and digest; of a caller a digest of the keys that it brings, of a program of this machine `local`, or
 * `shared` where the configuration says so. Nothing of a key or token can be read from it.
 *
 * @example
 * const scope = scopeOf({ principal, headers: exchange.request.headers }, settings.cache, sha256)
 */
export function scopeOf(asker: Caller, settings: ScopeSettings, sha256: Sha256): Scope {
  return nameOf(asker, callerTexts(asker, settings), sha256) as Scope
}

/**
 * Gives all that the scope of whoever asks depends on, as it came: secrets are among it, and it is only ever to be digested.
 *
 * @example
 * const seen = digestOf([...askerTexts(asker, settings.cache), ...others], body, sha256)
 */
export function callerTexts({ principal, headers }: Caller, { scope }: ScopeSettings): readonly string[] {
  if (scope === 'shared') return ['shared']
  if (principal.kind === 'token') return ['token', principal.token.reveal(), principal.id]
  // A cookie may be a session; those of load balancers are others with each try.
  const session = withoutRoutingCookies(headers.get(SESSION_HEADER) ?? '')
  return [principal.kind, session, ...COMPARED_HEADERS.map((name) => headers.get(name) ?? '')]
}

function nameOf({ principal }: Caller, texts: readonly string[], sha256: Sha256): string {
  const [first, ...brought] = texts
  if (first === 'shared') return first
  if (principal.kind === 'token') {
    // No name is as long as what has a digest in it, and none is `shared` or `local`.
    if (!DIGEST_NAME.test(principal.id)) return principal.id
    return `${principal.id}-${digestOf(['token', principal.token.reveal()], '', sha256)}`
  }
  // A browser's session may come along without a key.
  if (principal.kind === 'local' && brought.every((value) => value === '')) return 'local'
  return `${principal.kind}-${digestOf(texts, '', sha256)}`
}
