import { DEFAULT_PROJECT_ID } from '../ledger/first-records.ts'
import type { Page } from '../ledger/ledger.ts'
import type { KeyRecord } from '../ledger/records.ts'
import type { AdminDeps } from './admin-route.ts'
import { notFound } from './project-record.ts'
import { recordPage } from './record-page.ts'

/** The keys of a project behind a cursor. */
interface KeysAsked {
  readonly projectId: string
  readonly limit: number
  readonly after: string | undefined
}

/**
 * A page of a project's keys. Those of the default project begin with the API tokens, which are in no ledger. Rejects with
 * `invalid_parameter` or a `LedgerError`.
 *
 * @example
 * const page = await projectKeyPage(deps, { projectId, limit, after })
 */
export async function projectKeyPage(
  deps: AdminDeps,
  { projectId, limit, after }: KeysAsked,
): Promise<Page<KeyRecord>> {
  const tokens = projectId === DEFAULT_PROJECT_ID ? deps.tokenKeys() : []
  const place = tokens.findIndex(({ id }) => id === after)
  if (after !== undefined && place === -1)
    return recordPage(deps.ledger, { kind: 'key', projectId, limit, after, order: 'asc' })
  const first = tokens.slice(place + 1, place + 1 + limit)
  const rest = limit - first.length
  // One at least, to know whether there is more.
  const others = await deps.ledger.list({ kind: 'key', projectId, limit: Math.max(rest, 1), order: 'asc' })
  const isAll = place + 1 + first.length === tokens.length
  return {
    data: [...first, ...others.data.slice(0, rest)],
    hasMore: !isAll || others.hasMore || others.data.length > rest,
  }
}

/**
 * Finds a key of a project, also an API token. Rejects with `object_not_found`.
 *
 * @example
 * const key = await findProjectKey(deps, 'proj_default', 'key_token.alice')
 */
export async function findProjectKey(
  { ledger, tokenKeys }: Pick<AdminDeps, 'ledger' | 'tokenKeys'>,
  projectId: string,
  id: string,
): Promise<KeyRecord> {
  const key = tokenKeys().find((token) => token.id === id) ?? (await ledger.find('key', id))
  if (key === undefined || key.projectId !== projectId) throw notFound('API key', id)
  return key
}
