import { Type } from '@sinclair/typebox'
import type { KeyRecord } from '../ledger/records.ts'
import { ApiError } from '../openai/api-error.ts'
import { type AdminCall, type AdminDeps, adminRoute, idOf } from './admin-route.ts'
import { assertManagedHere, changeRecords } from './change-records.ts'
import { OWN_KEY_FIELDS, SCOPES, secondsFromNow } from './key-fields.ts'
import { keyObjects } from './key-object.ts'
import { limitsFrom } from './limit-fields.ts'
import { AFTER, closedFields, listObject, oneOf, PAGE_LIMIT, pageLimit } from './pages.ts'
import { findActiveProject, findProject, notFound } from './project-record.ts'

const ListKeys = closedFields({
  limit: pageLimit(),
  after: AFTER,
  owner_project_access: Type.Optional(oneOf(['active', 'inactive', 'any'])),
})
const UpdateKey = closedFields({
  scopes: Type.Optional(SCOPES),
  expires_in_seconds: Type.Optional(secondsFromNow()),
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
  ...OWN_KEY_FIELDS,
})
const KEYS = '/organization/projects/{project_id}/api_keys'
const KEY = `${KEYS}/{api_key_id}`

/** The operations on callers' keys; they are made by their service accounts. */
export const PROJECT_KEY_ROUTES = [
  adminRoute({
    method: 'GET',
    path: KEYS,
    query: ListKeys,
    async answer({ query, ...call }, deps) {
      const { limit = PAGE_LIMIT, after, owner_project_access: access = 'any' } = query
      const project = await findProject(deps, idOf(call, 'project_id'))
      const { id: projectId, archivedAt } = project
      const isNone = access !== 'any' && (access === 'active') !== (archivedAt === undefined)
      if (isNone) return listObject({ data: [], hasMore: false }, [])
      const page = await deps.ledger.list({ kind: 'key', projectId, limit, after, order: 'asc' })
      return listObject(page, await keyObjects(page.data, project, deps))
    },
  }),
  adminRoute({
    method: 'GET',
    path: KEY,
    async answer(call, deps) {
      const key = await findKey(deps, call)
      return shown(key, deps)
    },
  }),
  adminRoute({
    method: 'POST',
    path: KEY,
    body: UpdateKey,
    answer: ({ body, ...call }, deps) =>
      changeKey(
        deps,
        call,
        (before) => {
          const now = Math.floor(deps.now() / 1000)
          if (before.expiresAt !== undefined && before.expiresAt <= now) throw new ApiError('key_expired')
          const { name = before.name, scopes = before.scopes, metadata, expires_in_seconds: seconds } = body
          return {
            ...before,
            name,
            scopes,
            ...(seconds !== undefined && { expiresAt: now + seconds }),
            limits: limitsFrom(body, before.limits),
            metadata: metadata === null ? {} : (metadata ?? before.metadata),
          }
        },
        body,
      ),
  }),
  adminRoute({
    method: 'DELETE',
    path: KEY,
    answer: (call, deps) =>
      changeRecords(deps, call.caller, async () => {
        const key = await findKey(deps, call)
        assertManagedHere(key)
        const { id, projectId } = key
        const event = { type: 'api_key.deleted', projectId, resourceId: id, details: { id } }
        const answer = { object: 'organization.project.api_key.deleted', id, deleted: true }
        return { was: [key], remove: [id], events: [event], answer }
      }),
  }),
]

type OnKey = Pick<AdminCall<unknown, unknown>, 'params' | 'caller'>

/** Changes the key of a call's path, and notes what was asked for. */
async function changeKey(
  deps: AdminDeps,
  call: OnKey,
  change: (key: KeyRecord) => KeyRecord,
  requested: Readonly<Record<string, unknown>>,
): Promise<object> {
  const after = await changeRecords(deps, call.caller, async () => {
    await findActiveProject(deps, idOf(call, 'project_id'))
    const before = await findKey(deps, call)
    assertManagedHere(before)
    const after = change(before)
    const { id, projectId } = before
    const details = { id, changes_requested: requested }
    const event = { type: 'api_key.updated', projectId, resourceId: id, details }
    return { was: [before], put: [after], events: [event], answer: after }
  })
  return shown(after, deps)
}

/** The object of one key. */
async function shown(key: KeyRecord, deps: AdminDeps): Promise<object> {
  const [object = {}] = await keyObjects([key], await findProject(deps, key.projectId), deps)
  return object
}

/** Finds the key of a call's path. Rejects with `object_not_found`. */
async function findKey({ ledger }: Pick<AdminDeps, 'ledger'>, call: Pick<OnKey, 'params'>): Promise<KeyRecord> {
  const id = idOf(call, 'api_key_id')
  const key = await ledger.find('key', id)
  if (key === undefined || key.projectId !== idOf(call, 'project_id')) throw notFound('API key', id)
  return key
}
