import { ApiError } from '../openai/api-error.ts'
import { readCredential } from './credential.ts'
import { isLocalCaller } from './local-caller.ts'

/** Who is calling, and so whose key is spent. Never optional, and there is no fallback. */
export type Principal =
  /** Holds one of the server's API tokens; spends the server's key. */
  | { readonly kind: 'token'; readonly id: string; readonly secret: string }
  /** Brings a key of its own, which goes upstream as it came. */
  | { readonly kind: 'caller' }
  /** Brings nothing, but calls from this very machine; is lent the server's key, where there is one. */
  | { readonly kind: 'local' }

/** What decides who may come in. */
export interface AuthorizeDeps {
  /** Whether one of `tokens` is asked for (`REQUIRE_AUTH`). */
  readonly required: boolean
  readonly tokens: readonly string[]
  /** Whether the server can only be reached from this machine. */
  readonly isLoopback: boolean
  /** Browser origins that may call (`CORS_ORIGINS`). */
  readonly corsOrigins: readonly string[]
  /** SHA-256 of a text (FIPS 180-4). */
  readonly sha256: (text: string) => Uint8Array
}

/** Turns a request's headers into a principal, or throws `missing_api_key` or `incorrect_api_key`. */
export type Authorize = (headers: Headers) => Principal

/**
 * Makes the server's door. Tokens are compared by their digests, in constant time.
 *
 * @example
 * const authorize = createAuthorize({ ...config.auth, isLoopback, corsOrigins, sha256 })
 * const principal = authorize(request.headers)
 */
export function createAuthorize(deps: AuthorizeDeps): Authorize {
  const known = deps.tokens.map((token) => deps.sha256(token))

  const admitToken = (credential: string | undefined): Principal => {
    if (credential === undefined) throw new ApiError('missing_api_key')
    const digest = deps.sha256(credential)
    // Every token is compared: the time taken must not tell which one came close.
    let match = -1
    for (const [index, token] of known.entries()) if (areEqual(token, digest)) match = index
    if (match === -1) throw incorrectKey(credential)
    return { kind: 'token', id: `token-${match + 1}`, secret: credential }
  }

  return (headers) => {
    const credential = readCredential(headers)
    if (deps.required) return admitToken(credential)
    if (credential !== undefined) return { kind: 'caller' }
    if (deps.isLoopback && isLocalCaller(headers, deps.corsOrigins)) return { kind: 'local' }
    throw new ApiError('missing_api_key')
  }
}

function areEqual(left: Uint8Array, right: Uint8Array): boolean {
  let difference = left.byteLength ^ right.byteLength
  for (const [index, byte] of left.entries()) difference |= byte ^ (right[index] ?? 0)
  return difference === 0
}

function incorrectKey(secret: string): ApiError {
  return new ApiError('incorrect_api_key', {
    message: `Incorrect API key provided: ${maskKey(secret)}. You can find your API key at https://platform.openai.com/account/api-keys.`,
  })
}

/** OpenAI keeps both ends of a wrong key and echoes a short one whole; a short one is hidden here. */
function maskKey(secret: string): string {
  const shownBytes = 16
  if (secret.length < shownBytes) return '*'.repeat(8)
  return `${secret.slice(0, 3)}${'*'.repeat(8)}${secret.slice(-4)}`
}
