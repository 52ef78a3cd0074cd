import type { Secret } from '../config/secret.ts'
import type { ApiToken } from '../config/sections/token-list.ts'
import type { Principal } from '../exchange/principal.ts'
import { tokenKeyId } from '../ledger/first-records.ts'
import { KEY_PREFIX } from '../ledger/key-format.ts'
import { ApiError } from '../openai/api-error.ts'
import { createAdmitKey, type Keys } from './admit-key.ts'
import { readCredential } from './credential.ts'
import { createDefaultEntries } from './default-entries.ts'
import { isLocalCaller, type Received } from './local-caller.ts'
import { nameTokens, shortId } from './name-tokens.ts'

/** The settings that decide about callers. */
export interface AuthorizeDeps {
  /** Whether a caller must have one of `tokens` (`REQUIRE_AUTH`). */
  readonly required: boolean
  readonly tokens: readonly ApiToken[]
  /** Whether a program of this machine may use the server's key: the server can only be reached from here, and no setting forbids it. */
  readonly lendsToLocal: boolean
  /** Whether no key is spent because only cassettes answer: then nobody needs one. Absent: no. */
  readonly isFree?: boolean
  /** Browser origins that may call (`CORS_ORIGINS`). */
  readonly corsOrigins: readonly string[]
  /** SHA-256 of a text (FIPS 180-4). */
  readonly sha256: (text: string) => Uint8Array
  /** The keys of the ledger; absent: there is none. */
  readonly keys?: Keys | undefined
  /** The key that can manage, and must go to no upstream; absent: there is none. */
  readonly adminKey?: Secret | undefined
}

/** The number of callers that are recognized without a digest of their key. */
const KNOWN_CALLERS_MAX = 1024

type CallerWithKey = Extract<Principal, { kind: 'caller' }>

const LOCAL: Principal = { kind: 'local' }

/** Turns a request into a principal, or throws `missing_api_key`, `incorrect_api_key` or `ledger_unavailable`. */
export type Authorize = (request: Received) => Principal

/**
 * Makes the function that authorizes requests. Tokens are compared by their digests, in constant time.
 *
 * @example
 * const authorize = createAuthorize({ ...config.auth, lendsToLocal, corsOrigins, sha256 })
 * const principal = authorize(exchange)
 */
export function createAuthorize(deps: AuthorizeDeps): Authorize {
  const tokens = nameTokens(deps.tokens, deps.sha256)
  const known = tokens.map(({ token }) => deps.sha256(token.reveal()))
  const callers = new Map<string, CallerWithKey>()
  const { keys, adminKey } = deps
  const manager = adminKey === undefined ? undefined : deps.sha256(adminKey.reveal())
  const admitKey = keys && createAdmitKey(keys, Date.now)
  const entryFor = keys && createDefaultEntries(keys)

  const admitToken = (credential: string | undefined): Principal => {
    if (credential === undefined) throw missingToken()
    const digest = deps.sha256(credential)
    // Every token is compared: the time taken must not tell which one came close.
    let match = -1
    for (const [index, token] of known.entries()) if (areEqual(token, digest)) match = index
    const found = tokens[match]
    if (found !== undefined) {
      const { name: id, token } = found
      return { kind: 'token', id, token, entry: entryFor?.(tokenKeyId(id)) }
    }
    // It may be a key that another node has taken into the ledger.
    if (keys?.isFresh === false) throw new ApiError('ledger_unavailable')
    throw incorrectKey(credential)
  }

  const callerWith = (key: string): CallerWithKey => {
    const before = callers.get(key)
    if (before !== undefined) return before
    if (manager !== undefined && areEqual(manager, deps.sha256(key)))
      throw new ApiError('incorrect_api_key', { message: ADMIN_KEY_CALLS })
    const caller: CallerWithKey = { kind: 'caller', id: shortId('caller', key, deps.sha256) }
    if (callers.size >= KNOWN_CALLERS_MAX) callers.clear()
    callers.set(key, caller)
    return caller
  }

  return (request) => {
    const credential = readCredential(request.received)
    const holder = credential === undefined ? undefined : admitKey?.(credential)
    if (holder !== undefined) return holder
    if (deps.required) return admitToken(credential)
    if (credential !== undefined) {
      const caller = callerWith(credential)
      if (entryFor === undefined) return caller
      refuseKeysBeside(request, adminKey?.reveal())
      return { ...caller, lent: entryFor(caller.id) }
    }
    if (deps.isFree === true || (deps.lendsToLocal && isLocalCaller(request, deps.corsOrigins)))
      return entryFor === undefined ? LOCAL : { kind: 'local', entry: entryFor('local') }
    throw new ApiError('missing_api_key')
  }
}

/** A key of this server's beside a credential of the caller's own would go upstream with it. */
function refuseKeysBeside({ received, requestTarget }: Received, adminKey: string | undefined): void {
  const isOurs = (text: string): boolean =>
    text.includes(KEY_PREFIX) || (adminKey !== undefined && text.includes(adminKey))
  if (isOurs(requestTarget)) throw new ApiError('incorrect_api_key', { message: KEY_BESIDE })
  for (const value of received.values())
    if (isOurs(value)) throw new ApiError('incorrect_api_key', { message: KEY_BESIDE })
}

const KEY_BESIDE =
  'Incorrect API key provided. The request has a key of this server beside another credential, which would go upstream with it. Send the key of this server alone, in an Authorization header using Bearer auth.'

const ADMIN_KEY_CALLS =
  'Incorrect API key provided. This is the ADMIN_KEY, which can only manage. Call with a key of a project.'

/** Compares two digests in constant time. */
export function areEqual(left: Uint8Array, right: Uint8Array): boolean {
  let difference = left.byteLength ^ right.byteLength
  for (const [index, byte] of left.entries()) difference |= byte ^ (right[index] ?? 0)
  return difference === 0
}

/** The message does not send the caller to OpenAI for a key: it needs one of this server's tokens. */
function missingToken(): ApiError {
  return new ApiError('missing_api_key', {
    message:
      "You didn't provide an API key. This server wants one of its own API tokens, in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_TOKEN). Ask its operator for one.",
  })
}

function incorrectKey(secret: string): ApiError {
  return new ApiError('incorrect_api_key', {
    message: `Incorrect API key provided: ${maskKey(secret)}. This server takes API tokens of its own, and no OpenAI keys: ask its operator for one.`,
  })
}

/** OpenAI keeps both ends of a wrong key and echoes a short one whole; here a short one is hidden. */
function maskKey(secret: string): string {
  const shownBytes = 16
  if (secret.length < shownBytes) return '*'.repeat(8)
  return `${secret.slice(0, 3)}${'*'.repeat(8)}${secret.slice(-4)}`
}
