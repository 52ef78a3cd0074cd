import { type Scope, scopeOf } from '../../../src/cache/keys/scope.ts'
import { Secret } from '../../../src/config/secret.ts'
import type { Principal } from '../../../src/exchange/principal.ts'
import type { Sha256 } from '../../../src/formats/bytes/digest.ts'

/** SHA-256 by the runtime. */
export const sha256: Sha256 = (bytes) => new Bun.CryptoHasher('sha256').update(bytes).digest()

/** The scope of a token. */
export function tokenScope(secret: string, id = 'token-0a1b2c3d'): Scope {
  return scopeFor({ kind: 'token', id, token: new Secret(secret) })
}

/** The scope of a principal, by its headers. */
export function scopeFor(
  principal: Principal,
  headers: Record<string, string> = {},
  scope: 'principal' | 'shared' = 'principal',
): Scope {
  return scopeOf({ principal, headers: new Headers(headers) }, { scope }, sha256)
}
