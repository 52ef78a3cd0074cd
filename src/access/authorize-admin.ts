import type { Secret } from '../config/secret.ts'
import type { KeyDirectory } from '../ledger/directory/key-directory.ts'
import { ApiError } from '../openai/api-error.ts'
import { areEqual } from './authorize.ts'
import { readCredential } from './credential.ts'

/** Who manages: an admin key, by its id. */
export interface Administrator {
  /** The id of an admin key of the ledger, or `ADMIN_KEY`. */
  readonly id: string
}

/** The settings that decide about who manages. */
export interface AuthorizeAdminDeps {
  readonly directory: Pick<KeyDirectory, 'find' | 'isFresh'>
  /** The key of the environment; undefined: only those of the ledger can manage. */
  readonly adminKey: Secret | undefined
  readonly sha256: (text: string) => Uint8Array
  /** In milliseconds since 1970. */
  readonly now: () => number
}

/** Turns a request's headers into who manages, or throws `missing_api_key`, `incorrect_api_key`, `admin_key_needed` or `ledger_unavailable`. */
export type AuthorizeAdmin = (headers: Headers) => Administrator

/**
 * Makes the function that lets those in who may manage: the holders of `ADMIN_KEY`, and of an admin key of the ledger.
 *
 * @example
 * const authorizeAdmin = createAuthorizeAdmin({ directory, adminKey: config.adminKey, sha256, now: Date.now })
 * const { id } = authorizeAdmin(exchange.received)
 */
export function createAuthorizeAdmin({ directory, adminKey, sha256, now }: AuthorizeAdminDeps): AuthorizeAdmin {
  const own = adminKey === undefined ? undefined : sha256(adminKey.reveal())
  return (headers) => {
    const credential = readCredential(headers)
    if (credential === undefined) throw new ApiError('missing_api_key', { message: MISSING })
    if (own !== undefined && areEqual(own, sha256(credential))) return { id: 'ADMIN_KEY' }
    const entry = directory.find(credential)
    if (entry === undefined && !directory.isFresh) throw new ApiError('ledger_unavailable')
    if (entry === undefined || (entry.expiresAt !== 0 && entry.expiresAt * 1000 <= now()))
      throw new ApiError('incorrect_api_key', { message: INCORRECT })
    if (entry.kind === 'key') throw new ApiError('admin_key_needed')
    return { id: entry.id }
  }
}

const MISSING =
  "You didn't provide an API key. This path manages the server: send an admin key of it, in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
const INCORRECT =
  'Incorrect API key provided. This path manages the server, and takes only admin keys of it: ADMIN_KEY, or one made with it.'
