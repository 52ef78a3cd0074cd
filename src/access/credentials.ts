import type { Secret } from '../config/secret.ts'
import type { SecretPair } from '../config/sections/upstreams/headers.ts'
import { heldToken, type Principal } from '../exchange/principal.ts'
import { keyHeaderValue, removeCredentials } from '../formats/http/credential-headers.ts'
import { ApiError } from '../openai/api-error.ts'
import type { Protocol } from '../openai/protocol.ts'

/** The server's own account with one upstream, and the callers that may use it. */
export interface UpstreamAccount {
  /**
   * The key that the upstream gets: the server's (`server`), the caller's own (`caller`), none (`none`), or the
   * caller's own if it brings one, and else the server's (`either`).
   */
  readonly auth: 'server' | 'caller' | 'none' | 'either'
  /** Lower case. A key goes behind `Bearer ` in `authorization`, and alone in any other header. */
  readonly keyHeader: string
  /** The same for requests in Anthropic's protocol. */
  readonly anthropicKeyHeader: string
  /** The headers of each call, such as `openai-organization`; for `either` they go with the server's key only. */
  readonly headers: readonly SecretPair[]
}

/**
 * Gives an upstream's account as the protocol of a request wants it.
 *
 * @example
 * const account = accountFor(protocolOf(target, request.headers), upstream)
 */
export function accountFor(protocol: Protocol, account: UpstreamAccount): UpstreamAccount {
  const { keyHeader, anthropicKeyHeader } = account
  if (protocol === 'openai' || keyHeader === anthropicKeyHeader) return account
  return { ...account, keyHeader: anthropicKeyHeader }
}

/**
 * Puts the credentials for the upstream into a request's headers, and removes those that it must not see: a token
 * of this server's, whichever header holds it, and a caller's key if the upstream gets another one.
 *
 * `key` is the server's. Gives it if this call spends it, so that an echo of it can be masked. Throws `incorrect_api_key`
 * if the upstream wants the server's key and the caller may not spend it: it has no token, and is no program of
 * this machine that calls a server which only listens there (`mayBorrow`).
 *
 * @example
 * const secret = applyCredentials(headers, principal, upstream, key, () => mayBorrow(exchange))
 */
export function applyCredentials(
  headers: Headers,
  principal: Principal,
  account: UpstreamAccount,
  key: Secret | undefined,
  mayBorrow: () => boolean,
): Secret | undefined {
  const { auth } = account
  if (spendsOwnKey(principal, account)) {
    if (auth === 'caller') setAll(headers, account.headers)
    return undefined
  }
  if (principal.kind === 'caller' && auth === 'server' && !mayBorrow()) throw notForCallers()
  const token = heldToken(principal)
  if (token !== undefined) removeToken(headers, token.reveal())
  // A caller without a key may still bring a session.
  else if (auth === 'server' || auth === 'none') removeCredentials(headers)
  const spent = auth === 'server' || auth === 'either' ? key : undefined
  setOwnCredentials(headers, account, spent)
  return spent
}

/**
 * Puts the server's own credentials with an upstream into a request's headers: the key, if there is one, and the headers of
 * each call.
 *
 * @example
 * setOwnCredentials(headers, upstream, key)
 */
export function setOwnCredentials(
  headers: Headers,
  { keyHeader, headers: others }: Pick<UpstreamAccount, 'keyHeader' | 'headers'>,
  key: Secret | undefined,
): void {
  if (key !== undefined) headers.set(keyHeader, keyHeaderValue(keyHeader, key.reveal()))
  setAll(headers, others)
}

/**
 * Whether a call is made with the caller's own key.
 *
 * @example
 * const payer = spendsOwnKey(principal, deployment.upstream) ? 'caller' : 'server'
 */
export function spendsOwnKey({ kind }: Principal, { auth }: Pick<UpstreamAccount, 'auth'>): boolean {
  return kind === 'caller' && (auth === 'either' || auth === 'caller')
}

function notForCallers(): ApiError {
  return new ApiError('incorrect_api_key', {
    message:
      "Incorrect API key provided: this server speaks to its upstream with a key of its own, for callers who present one of this server's API tokens.",
  })
}

function setAll(headers: Headers, pairs: UpstreamAccount['headers']): void {
  for (const [name, value] of pairs) headers.set(name, value.reveal())
}

function removeToken(headers: Headers, token: string): void {
  removeCredentials(headers)
  for (const [name, value] of [...headers]) if (value.includes(token)) headers.delete(name)
}

/**
 * Removes a token from a request target: the query's parameters that hold it; nothing else of the target changes.
 *
 * Throws `invalid_target` if the path itself holds it.
 *
 * @example
 * const target = withoutToken(exchange.requestTarget, principal)
 */
export function withoutToken(target: string, principal: Principal): string {
  const token = heldToken(principal)?.reveal()
  if (token === undefined || !holds(target, token)) return target
  const [path = '', ...rest] = target.split('?')
  if (holds(path, token)) throw new ApiError('invalid_target')
  const parameters = rest.join('?').split('&')
  const kept = parameters.filter((parameter) => !holds(parameter, token))
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
