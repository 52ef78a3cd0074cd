import type { Secret } from '../config/secret.ts'
import type { KeyDirectory } from '../ledger/directory/key-directory.ts'
import type { KeyEntry } from '../ledger/records.ts'
import { ApiError } from '../openai/api-error.ts'
import { readCredential } from './credential.ts'
import type { Received } from './local-caller.ts'

/** Who asks for the administration: the holder of an admin key, by its id, or a caller with a key of its own. */
export type Manager =
  | { readonly kind: 'admin'; readonly id: string }
  | { readonly kind: 'key'; readonly id: string; readonly entry: KeyEntry }

/** What decides about who manages. */
export interface AuthorizeManagerDeps {
  readonly directory: Pick<KeyDirectory, 'find' | 'isLoaded' | 'isFresh'>
  /** `ADMIN_KEY`; undefined: only the ledger's admin keys may manage. */
  readonly adminKey: Secret | undefined
  readonly sha256: (text: string) => Uint8Array
  /** The clock, in milliseconds since 1970. */
  readonly now: () => number
}

/** The id of `ADMIN_KEY` in the audit log: it has no record. */
export const BOOTSTRAP_KEY_ID = 'key_admin'

/**
 * Makes the function that says who asks for the administration. It throws `missing_api_key` or `incorrect_api_key`; `ledger_unavailable` where
 * the keys are not known.
 *
 * @example
 * const authorizeManager = createAuthorizeManager({ directory, adminKey, sha256, now: Date.now })
 */
export function createAuthorizeManager(deps: AuthorizeManagerDeps): (request: Received) => Manager {
  const { directory, adminKey, sha256, now } = deps
  const known = adminKey === undefined ? undefined : sha256(adminKey.reveal())
  return ({ received }) => {
    const credential = readCredential(received)
    if (credential === undefined) throw new ApiError('missing_api_key', { message: MISSING })
    if (known !== undefined && areEqual(known, sha256(credential))) return { kind: 'admin', id: BOOTSTRAP_KEY_ID }
    const entry = directory.find(credential)
    if (entry === undefined && !(directory.isLoaded && directory.isFresh)) throw new ApiError('ledger_unavailable')
    if (entry === undefined || isOver(entry, now())) throw new ApiError('incorrect_api_key', { message: INCORRECT })
    return entry.kind === 'admin_key' ? { kind: 'admin', id: entry.id } : { kind: 'key', id: entry.id, entry }
  }
}

const MISSING =
  "You didn't provide an API key. The administration of this server wants an admin key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_ADMIN_KEY), which the official SDKs take from OPENAI_ADMIN_KEY."
const INCORRECT =
  'Incorrect API key provided. The administration of this server takes its own admin keys, and no keys of OpenAI: ask its operator for one.'

function isOver({ expiresAt, project }: KeyEntry, now: number): boolean {
  return (expiresAt !== 0 && expiresAt * 1000 <= now) || project?.archivedAt !== undefined
}

function areEqual(left: Uint8Array, right: Uint8Array): boolean {
  let difference = left.byteLength ^ right.byteLength
  for (const [index, byte] of left.entries()) difference |= byte ^ (right[index] ?? 0)
  return difference === 0
}
