import type { Secret } from '../config/secret.ts'
import type { KeyEntry, KeyRecord } from '../ledger/records.ts'
import { ApiError } from '../openai/api-error.ts'
import type { Keys } from './admit-key.ts'
import { areEqual } from './authorize.ts'
import { readCredential } from './credential.ts'
import { createDefaultEntries } from './default-entries.ts'

/** Who asks for the administration: the holder of an admin key (its id, or `ADMIN_KEY`), who may manage; or a caller, who may look at its own key. */
export type AdminCaller =
  | { readonly kind: 'admin'; readonly id: string }
  | { readonly kind: 'key'; readonly id: string; readonly entry: KeyEntry }

/** The settings that decide about who manages. */
export interface AuthorizeAdminDeps {
  readonly directory: Keys
  /** The key of the environment, as it is now; undefined: only those of the ledger can manage. */
  readonly adminKey: () => Secret | undefined
  /** The API tokens that callers may present, as they are now. */
  readonly tokenKeys: () => readonly KeyRecord[]
  readonly sha256: (text: string) => Uint8Array
  /** In milliseconds since 1970. */
  readonly now: () => number
}

/** Turns a request's headers into who asks, or throws `missing_api_key`, `incorrect_api_key` or `ledger_unavailable`. */
export type AuthorizeAdmin = (headers: Headers) => AdminCaller

/**
 * Makes the function that lets those in who may manage: the holders of `ADMIN_KEY`, and of an admin key of the ledger. Callers' keys are known,
 * too: what they may do is not decided here.
 *
 * @example
 * const authorizeAdmin = createAuthorizeAdmin({ directory, adminKey: () => config.adminKey, sha256, now: Date.now })
 * const { id } = authorizeAdmin(exchange.received)
 */
export function createAuthorizeAdmin(deps: AuthorizeAdminDeps): AuthorizeAdmin {
  const { directory, adminKey, tokenKeys, sha256, now } = deps
  const entryFor = createDefaultEntries(directory)
  return (headers) => {
    const own = adminKey()
    const credential = readCredential(headers)
    if (credential === undefined) throw new ApiError('missing_api_key', { message: MISSING })
    if (own !== undefined && areEqual(sha256(own.reveal()), sha256(credential)))
      return { kind: 'admin', id: 'ADMIN_KEY' }
    const digest = sha256(credential)
    for (const { id, digest: known } of tokenKeys())
      if (areEqual(Uint8Array.fromHex(known), digest)) return { kind: 'key', id, entry: entryFor(id) }
    const entry = directory.find(credential)
    if (entry === undefined && !directory.isFresh) throw new ApiError('ledger_unavailable')
    if (entry === undefined || (entry.expiresAt !== 0 && entry.expiresAt * 1000 <= now()))
      throw new ApiError('incorrect_api_key', { message: INCORRECT })
    const { id, kind, project } = entry
    if (kind === 'admin_key') return { kind: 'admin', id }
    if (project === undefined || project.archivedAt !== undefined)
      throw new ApiError('incorrect_api_key', { message: 'Incorrect API key provided. Its project has been archived.' })
    return { kind: 'key', id, entry }
  }
}

const MISSING =
  "You didn't provide an API key. This path manages the server: send an admin key of it, in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
const INCORRECT =
  'Incorrect API key provided. This path manages the server, and takes only admin keys of it: ADMIN_KEY, or one made with it.'
