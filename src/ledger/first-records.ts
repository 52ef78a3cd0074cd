import type { Ledger } from './ledger.ts'
import type { KeyEntry, LedgerRecord, Limits, OrganizationRecord, ProjectRecord } from './records.ts'

/** The project of all that names none: of tokens, and of calls without a key. */
export const DEFAULT_PROJECT_ID = 'proj_default'
/** The one organization of a ledger. */
export const ORGANIZATION_ID = 'org-nexcode'

/** No limit of any kind. */
export const NO_LIMITS: Limits = Object.freeze({ spend: {}, rates: [] })

/** The default project, as it is made. `createdAt`: in seconds since 1970. */
function defaultProject(createdAt: number): ProjectRecord {
  const id = DEFAULT_PROJECT_ID
  return { kind: 'project', id, name: 'default', createdAt, timeZone: 'UTC', limits: NO_LIMITS, managedBy: 'api' }
}

function organization(createdAt: number): OrganizationRecord {
  return { kind: 'organization', id: ORGANIZATION_ID, createdAt, limits: NO_LIMITS, timeZone: 'UTC' }
}

const DEFAULT_PROJECT = Object.freeze(defaultProject(0))

/**
 * Makes the records that each ledger has: its organization and its default project. Those that are there stay as they are. `now`: in seconds
 * since 1970. Rejects with a `LedgerError`.
 *
 * @example
 * await makeFirstRecords(ledger, Math.floor(Date.now() / 1000))
 */
export async function makeFirstRecords(ledger: Pick<Ledger, 'find' | 'edit'>, now: number): Promise<void> {
  const missing: LedgerRecord[] = []
  if ((await ledger.find('organization', ORGANIZATION_ID)) === undefined) missing.push(organization(now))
  if ((await ledger.find('project', DEFAULT_PROJECT_ID)) === undefined) missing.push(defaultProject(now))
  if (missing.length > 0) await ledger.edit({ put: missing, remove: [], audit: [] })
}

/**
 * The id of an API token as a key, by its holder's name.
 *
 * @example
 * tokenKeyId('alice') // 'key_token.alice'
 */
export function tokenKeyId(name: string): string {
  return `key_token.${name}`
}

/**
 * The entry of a caller of the default project who has no key of the ledger, and no limits of its own.
 *
 * @example
 * const entry = defaultEntry(tokenKeyId('alice'), directory)
 */
export function defaultEntry(
  id: string,
  directory: {
    readonly project: (id: string) => ProjectRecord | undefined
    readonly organization: OrganizationRecord | undefined
  },
): KeyEntry {
  return {
    id,
    kind: 'key',
    expiresAt: 0,
    limits: NO_LIMITS,
    project: directory.project(DEFAULT_PROJECT_ID) ?? DEFAULT_PROJECT,
    organization: directory.organization,
  }
}
