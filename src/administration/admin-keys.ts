import { Type } from '@sinclair/typebox'
import { ADMIN_KEY_PREFIX } from '../ledger/key-format.ts'
import { makeId } from '../ledger/record-id.ts'
import type { AdminKeyRecord } from '../ledger/records.ts'
import { type AdminDeps, adminRoute, idOf } from './admin-route.ts'
import { assertManagedHere, changeRecords } from './change-records.ts'
import { newSecret } from './new-secret.ts'
import { CURSOR, closedFields, listObject, nameField, oneOf, PAGE_LIMIT, pageLimit } from './pages.ts'
import { notFound } from './project-record.ts'
import { recordPage } from './record-page.ts'

/** OpenAI's bound: a year. */
const SECONDS_MAX = 31_536_000
const CreateAdminKey = closedFields({
  name: nameField(),
  expires_in_seconds: Type.Optional(Type.Integer({ minimum: 1, maximum: SECONDS_MAX })),
})
const ListAdminKeys = closedFields({ limit: pageLimit(), after: CURSOR, order: Type.Optional(oneOf(['asc', 'desc'])) })
const ADMIN_KEYS = '/organization/admin_api_keys'

/** The operations on admin keys. */
export const ADMIN_KEY_ROUTES = [
  adminRoute({
    method: 'GET',
    path: ADMIN_KEYS,
    query: ListAdminKeys,
    async answer({ query: { limit = PAGE_LIMIT, after, order = 'asc' } }, deps) {
      const page = await recordPage(deps.ledger, { kind: 'admin_key', limit, after, order })
      const used = await deps.ledger.lastUsed(page.data.map(({ id }) => id))
      return listObject(
        page,
        page.data.map((key) => adminKeyObject(key, used.get(key.id))),
      )
    },
  }),
  adminRoute({
    method: 'POST',
    path: ADMIN_KEYS,
    body: CreateAdminKey,
    answer: ({ body, caller }, deps) =>
      changeRecords(deps, caller, async () => {
        const { digest, redacted, show } = newSecret(ADMIN_KEY_PREFIX, deps)
        const createdAt = Math.floor(deps.now() / 1000)
        const seconds = body.expires_in_seconds
        const key: AdminKeyRecord = {
          kind: 'admin_key',
          id: makeId('key_', deps),
          name: body.name,
          digest,
          redacted,
          createdAt,
          ...(seconds !== undefined && { expiresAt: createdAt + seconds }),
          managedBy: 'api',
        }
        const { id } = key
        const details = { id, data: { ...body, scopes: ['api.management.read', 'api.management.write'] } }
        const event = { type: 'api_key.created', resourceId: id, details }
        return { put: [key], events: [event], answer: { ...adminKeyObject(key, undefined), value: show() } }
      }),
  }),
  adminRoute({
    method: 'GET',
    path: `${ADMIN_KEYS}/{key_id}`,
    async answer(call, deps) {
      const key = await findAdminKey(deps, idOf(call, 'key_id'))
      return adminKeyObject(key, (await deps.ledger.lastUsed([key.id])).get(key.id))
    },
  }),
  adminRoute({
    method: 'DELETE',
    path: `${ADMIN_KEYS}/{key_id}`,
    answer: (call, deps) =>
      changeRecords(deps, call.caller, async () => {
        const key = await findAdminKey(deps, idOf(call, 'key_id'))
        assertManagedHere(key)
        const { id } = key
        const event = { type: 'api_key.deleted', resourceId: id, details: { id } }
        const answer = { object: 'organization.admin_api_key.deleted', id, deleted: true }
        return { was: [key], remove: [id], events: [event], answer }
      }),
  }),
]

async function findAdminKey({ ledger }: Pick<AdminDeps, 'ledger'>, id: string): Promise<AdminKeyRecord> {
  const key = await ledger.find('admin_key', id)
  if (key === undefined) throw notFound('admin API key', id)
  return key
}

/** OpenAI's object of an admin key, with our field. This server has no users: the owner is whoever operates it. */
function adminKeyObject(
  { id, name, redacted, createdAt, expiresAt, managedBy }: AdminKeyRecord,
  usedAt: number | undefined,
): object {
  return {
    object: 'organization.admin_api_key',
    id,
    name,
    redacted_value: redacted,
    created_at: createdAt,
    expires_at: expiresAt ?? null,
    last_used_at: usedAt ?? null,
    owner: {
      type: 'user',
      object: 'organization.user',
      id: 'user-operator',
      name: 'Operator',
      created_at: createdAt,
      role: 'owner',
    },
    managed_by: managedBy,
  }
}
