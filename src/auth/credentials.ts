import { ApiError } from '../openai/api-error.ts'
import type { Principal } from './authorize.ts'
import { KEY_SUBPROTOCOL } from './credential.ts'

/** The server's own account with the upstream. */
export interface UpstreamAccount {
  readonly apiKey: string | undefined
  readonly organization: string | undefined
  readonly project: string | undefined
}

/** Headers that carry a caller's key or session. */
const CREDENTIAL_HEADERS = ['authorization', 'x-api-key', 'api-key', 'cookie'] as const

/**
 * Puts the credentials that the upstream is to see into a request's headers: the caller's own stay as they
 * came; a token's are taken out, whichever header holds them, and the server's are put in.
 *
 * @example
 * applyCredentials(headers, principal, config.upstream)
 */
export function applyCredentials(headers: Headers, principal: Principal, account: UpstreamAccount): void {
  if (principal.kind === 'caller') return
  if (principal.kind === 'token') removeToken(headers, principal.secret)
  if (account.apiKey !== undefined) headers.set('authorization', `Bearer ${account.apiKey}`)
  if (account.organization !== undefined) headers.set('openai-organization', account.organization)
  if (account.project !== undefined) headers.set('openai-project', account.project)
}

function removeToken(headers: Headers, token: string): void {
  for (const name of CREDENTIAL_HEADERS) headers.delete(name)
  const protocols = headers.get('sec-websocket-protocol')
  if (protocols?.includes(KEY_SUBPROTOCOL)) {
    const others = protocols.split(',').filter((name) => !name.trim().startsWith(KEY_SUBPROTOCOL))
    if (others.length > 0) headers.set('sec-websocket-protocol', others.join(',').trim())
    else headers.delete('sec-websocket-protocol')
  }
  for (const [name, value] of [...headers]) if (value.includes(token)) headers.delete(name)
}

/** Whether the upstream is spoken to with the server's key, so that an echo of it must be masked. */
export function spendsServerKey(principal: Principal): boolean {
  return principal.kind !== 'caller'
}

/**
 * Takes a token out of a request target: the query's parameters that hold it; nothing else of the target changes.
 *
 * Throws `invalid_target` where the path itself holds it.
 *
 * @example
 * const target = withoutToken(exchange.target, principal)
 */
export function withoutToken(target: string, principal: Principal): string {
  if (principal.kind !== 'token' || !holds(target, principal.secret)) return target
  const [path = '', ...rest] = target.split('?')
  if (holds(path, principal.secret)) throw new ApiError('invalid_target')
  const parameters = rest.join('?').split('&')
  const kept = parameters.filter((parameter) => !holds(parameter, principal.secret))
  return kept.length === 0 ? path : `${path}?${kept.join('&')}`
}

/** Whether a part of a target holds a token, as it is or percent-encoded. */
function holds(part: string, token: string): boolean {
  if (part.includes(token)) return true
  const decoded = part.replace(/%([0-7][0-9a-f])/gi, (_code, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return decoded.includes(token)
}
