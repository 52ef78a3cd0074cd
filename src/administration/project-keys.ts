import { type Static, Type } from '@sinclair/typebox'
import { KEY_PREFIX } from '../ledger/key-format.ts'
import type { KeyRecord } from '../ledger/records.ts'
import { ApiError } from '../openai/api-error.ts'
import { type AdminCall, type AdminDeps, adminRoute, idOf } from './admin-route.ts'
import { assertManagedHere, changeRecords } from './change-records.ts'
import { newKeyObject, OWN_KEY_FIELDS, SCOPES, secondsFromNow, withScopes } from './key-fields.ts'
import { keyObjects } from './key-object.ts'
import { limitsFrom } from './limit-fields.ts'
import { findProjectKey, projectKeyPage } from './listed-keys.ts'
import { newSecret } from './new-secret.ts'
import { CURSOR, closedFields, listObject, nameField, oneOf, orNull, PAGE_LIMIT, pageLimit } from './pages.ts'
import { findActiveProject, findProject } from './project-record.ts'

const ListKeys = closedFields({
  limit: pageLimit(),
  after: CURSOR,
  owner_project_access: Type.Optional(oneOf(['active', 'inactive', 'any'])),
})
const UpdateKey = closedFields({
  scopes: Type.Optional(SCOPES),
  expires_in_seconds: orNull(secondsFromNow()),
  name: Type.Optional(nameField()),
  ...OWN_KEY_FIELDS,
})
/** Ours: OpenAI's keys can't be rotated. */
const RotateKey = closedFields({ grace_seconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 31_536_000 })) })
/** A former secret whose time is over stays in its record for a day, so that all processes hear of its end. */
const HEARD_OF_SECONDS = 86_400
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
      const page = await projectKeyPage(deps, { projectId, limit, after })
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
          assertAlive(before, now)
          const { name = before.name, scopes, metadata, expires_in_seconds: seconds } = body
          const { expiresAt, ...rest } = before
          const until = seconds === undefined ? expiresAt : seconds === null ? undefined : now + seconds
          return {
            ...rest,
            name,
            ...(until !== undefined && { expiresAt: until }),
            limits: withScopes(limitsFrom(body, before.limits), scopes),
            metadata: metadata === null ? {} : (metadata ?? before.metadata),
          }
        },
        body,
      ),
  }),
  adminRoute({ method: 'POST', path: `${KEY}/rotate`, body: RotateKey, answer: rotate }),
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

/** Makes a key's secret anew, which is shown this once; the former one is good for the grace time. */
async function rotate(
  { body, ...call }: OnKey & { readonly body: Static<typeof RotateKey> },
  deps: AdminDeps,
): Promise<object> {
  return changeRecords(deps, call.caller, async () => {
    await findActiveProject(deps, idOf(call, 'project_id'))
    const before = await findKey(deps, call)
    assertManagedHere(before)
    const now = Math.floor(deps.now() / 1000)
    assertAlive(before, now)
    const { id, projectId, digest, former = [] } = before
    const { grace_seconds: grace = 0 } = body
    const secret = newSecret(KEY_PREFIX, deps)
    const kept = former.filter(({ until }) => until > now - HEARD_OF_SECONDS)
    const after: KeyRecord = {
      ...before,
      digest: secret.digest,
      redacted: secret.redacted,
      former: [{ digest, until: now + grace }, ...kept],
    }
    const details = { id, changes_requested: { rotate: { grace_seconds: grace } } }
    const event = { type: 'api_key.updated', projectId, resourceId: id, details }
    const answer = { ...newKeyObject({ record: after, secret }), former_value_expires_at: now + grace }
    return { was: [before], put: [after], events: [event], answer }
  })
}

/** Rejects a change of a key that has expired, as OpenAI does: it could come to life again. */
function assertAlive({ expiresAt }: KeyRecord, now: number): void {
  if (expiresAt !== undefined && expiresAt <= now) throw new ApiError('key_expired')
}

const NOTHING_ASKED = "Nothing to change: give at least one of 'scopes', 'expires_in_seconds', 'name' and the limits."

type OnKey = Pick<AdminCall<unknown, unknown>, 'params' | 'caller'>

/** Changes the key of a call's path, and notes what was asked for. */
async function changeKey(
  deps: AdminDeps,
  call: OnKey,
  change: (key: KeyRecord) => KeyRecord,
  requested: Readonly<Record<string, unknown>>,
): Promise<object> {
  if (Object.keys(requested).length === 0) throw new ApiError('invalid_parameter', { message: NOTHING_ASKED })
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
function findKey(deps: AdminDeps, call: Pick<OnKey, 'params'>): Promise<KeyRecord> {
  return findProjectKey(deps, idOf(call, 'project_id'), idOf(call, 'api_key_id'))
}
