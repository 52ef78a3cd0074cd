import type { ServiceAccountRecord } from '../ledger/records.ts'
import { type AdminCall, type AdminDeps, idOf } from './admin-route.ts'
import { notFound } from './project-record.ts'

/** As many keys of one account are deleted with it at once. */
const KEYS_PER_STEP = 1000

/** Finds the service account of a call's path. Rejects with `object_not_found`. */
export async function findAccount(
  { ledger }: Pick<AdminDeps, 'ledger'>,
  call: Pick<AdminCall<unknown, unknown>, 'params'>,
): Promise<ServiceAccountRecord> {
  const id = idOf(call, 'service_account_id')
  const account = await ledger.find('service_account', id)
  if (account === undefined || account.projectId !== idOf(call, 'project_id')) throw notFound('service account', id)
  return account
}

/** What the audit log says of keys that go with their account. */
export function keysDeleted(projectId: string, keys: readonly string[]) {
  return keys.map((id) => ({ type: 'api_key.deleted', projectId, resourceId: id, details: { id } }))
}

/** The ids of all keys of a service account. */
export async function keysOf(
  { ledger }: Pick<AdminDeps, 'ledger'>,
  projectId: string,
  ownerId: string,
): Promise<string[]> {
  const ids: string[] = []
  for (let after: string | undefined; ; after = ids.at(-1)) {
    const { data, hasMore } = await ledger.list({
      kind: 'key',
      projectId,
      ownerId,
      after,
      limit: KEYS_PER_STEP,
      order: 'asc',
    })
    ids.push(...data.map(({ id }) => id))
    if (!hasMore) return ids
  }
}
