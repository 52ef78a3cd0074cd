import { Secret } from '../config/secret.ts'
import type { Principal } from '../exchange/principal.ts'
import type { KeyDirectory } from '../ledger/directory/key-directory.ts'
import { KEY_PREFIX, keyFormOf } from '../ledger/key-format.ts'
import type { KeyEntry } from '../ledger/records.ts'
import { ApiError } from '../openai/api-error.ts'

/** The directory, as far as access asks it. */
export type Keys = Pick<KeyDirectory, 'find' | 'isLoaded' | 'isFresh' | 'version' | 'project' | 'organization'>

/** The number of key holders that are recognized by one look into a `Map`. */
const KNOWN_MAX = 10_000

/**
 * Makes the function that recognizes the holder of a key of the ledger; undefined: the credential is none of it, or no key of ours at all.
 * It throws `incorrect_api_key` for one that is mistyped, unknown, expired or revoked, of an archived project, or an admin key; and
 * `ledger_unavailable` for an unknown one while the ledger can't be read: it may be good.
 *
 * `now`: milliseconds since 1970.
 *
 * @example
 * const admitKey = createAdmitKey(directory, Date.now)
 * const holder = admitKey(credential)
 */
export function createAdmitKey(keys: Keys, now: () => number): (credential: string) => Principal | undefined {
  const known = new Map<string, Extract<Principal, { kind: 'key' }>>()
  let version = keys.version

  const holderOf = (credential: string): Extract<Principal, { kind: 'key' }> | undefined => {
    const entry = keys.find(credential)
    if (entry === undefined) return undefined
    const holder = { kind: 'key', id: entry.id, token: new Secret(credential), entry } as const
    if (known.size >= KNOWN_MAX) known.clear()
    known.set(credential, holder)
    return holder
  }

  return (credential) => {
    if (keys.version !== version) {
      known.clear()
      version = keys.version
    }
    const holder = known.get(credential) ?? holderOf(credential)
    if (holder !== undefined) {
      assertInForce(holder.entry, now())
      return holder
    }
    if (!keys.isLoaded) throw new ApiError('ledger_unavailable')
    if (!credential.startsWith(KEY_PREFIX)) return undefined
    if (keyFormOf(credential) === 'mistyped')
      throw refused('It is mistyped: its check digit does not fit. Copy it again.')
    if (!keys.isFresh) throw new ApiError('ledger_unavailable')
    throw refused('This server knows no such key: it may have been revoked. Ask its operator for one.')
  }
}

/** Throws where a key is not in force, or can't call. */
function assertInForce({ kind, expiresAt, project }: KeyEntry, now: number): void {
  if (kind === 'admin_key') throw refused('This is an admin key, which can only manage. Call with a key of a project.')
  if (expiresAt !== 0 && expiresAt * 1000 <= now)
    throw refused('It has expired. Ask the operator of this server for another.')
  if (project === undefined || project.archivedAt !== undefined) throw refused('Its project has been archived.')
}

/** Nothing of the key is in the message: all that a caller needs to know is why. */
function refused(why: string): ApiError {
  return new ApiError('incorrect_api_key', { message: `Incorrect API key provided. ${why}` })
}
