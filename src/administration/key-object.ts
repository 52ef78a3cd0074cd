import type { KeyRecord, ProjectRecord, ServiceAccountRecord } from '../ledger/records.ts'
import type { AdminDeps } from './admin-route.ts'
import { limitFields } from './limit-fields.ts'
import { spendOf } from './spend-so-far.ts'

/** Who owns a key, as OpenAI's object has it: a service account, or the operator where the configuration file declares it. */
function ownerOf({ createdAt }: KeyRecord, account: ServiceAccountRecord | undefined): object {
  if (account === undefined)
    return {
      type: 'user',
      user: { id: 'user-operator', name: 'Operator', email: '', role: 'owner', created_at: createdAt },
    }
  const { id, name, role } = account
  return { type: 'service_account', service_account: { id, name, role, created_at: account.createdAt } }
}

/**
 * Makes OpenAI's objects of the keys of a project, with our fields: limits, and what is spent so far in the windows that have a limit.
 * Never a secret.
 *
 * @example
 * const [shown] = await keyObjects([key], project, deps)
 */
export async function keyObjects(
  keys: readonly KeyRecord[],
  project: ProjectRecord,
  deps: Pick<AdminDeps, 'ledger' | 'look' | 'now'>,
): Promise<object[]> {
  const { ledger } = deps
  const owners = [...new Set(keys.map(({ ownerId }) => ownerId))]
  const [used, ...accounts] = await Promise.all([
    ledger.lastUsed(keys.map(({ id }) => id)),
    ...owners.map((id) => ledger.find('service_account', id)),
  ])
  return Promise.all(
    keys.map(async (key) => {
      const { id, name, redacted, createdAt, expiresAt, metadata, managedBy, limits } = key
      return {
        object: 'organization.project.api_key',
        id,
        name,
        redacted_value: redacted,
        // Nobody knows how old an API token is.
        created_at: createdAt === 0 ? project.createdAt : createdAt,
        last_used_at: used.get(id) ?? null,
        expires_at: expiresAt ?? null,
        owner: ownerOf(key, accounts[owners.indexOf(key.ownerId)]),
        owner_project_access: project.archivedAt === undefined ? 'active' : 'inactive',
        scopes: limits.scopes ?? [],
        ...limitFields(limits),
        metadata,
        managed_by: managedBy,
        spend: await spendOf({ scope: { keyId: id }, limits, timeZone: project.timeZone }, deps),
      }
    }),
  )
}
