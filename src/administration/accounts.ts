import { Type } from '@sinclair/typebox'
import { makeId } from '../ledger/record-id.ts'
import type { ServiceAccountRecord } from '../ledger/records.ts'
import { findAccount, keysDeleted, keysOf } from './account-keys.ts'
import { adminRoute, idOf } from './admin-route.ts'
import { assertManagedHere, changeRecords } from './change-records.ts'
import {
  keyCreated,
  newKey,
  newKeyObject,
  OWN_KEY_FIELDS,
  refuseKeyFields,
  SCOPES,
  secondsFromNow,
} from './key-fields.ts'
import { CURSOR, closedFields, listObject, nameField, oneOf, orNull, PAGE_LIMIT, pageLimit } from './pages.ts'
import { findActiveProject, findProject } from './project-record.ts'
import { recordPage } from './record-page.ts'

const CreateAccount = closedFields({
  name: nameField(),
  create_service_account_only: orNull(Type.Boolean()),
  expires_in_seconds: orNull(secondsFromNow()),
  ...OWN_KEY_FIELDS,
})
const UpdateAccount = closedFields({
  name: Type.Optional(nameField()),
  role: Type.Optional(oneOf(['member', 'owner'])),
})
const CreateKey = closedFields({
  name: Type.Optional(nameField()),
  scopes: Type.Optional(SCOPES),
  expires_in_seconds: orNull(secondsFromNow()),
  ...OWN_KEY_FIELDS,
})
const ACCOUNTS = '/organization/projects/{project_id}/service_accounts'
const ACCOUNT = `${ACCOUNTS}/{service_account_id}`

/** The operations on service accounts, and the making of their keys. */
export const SERVICE_ACCOUNT_ROUTES = [
  adminRoute({
    method: 'GET',
    path: ACCOUNTS,
    query: closedFields({ limit: pageLimit(), after: CURSOR }),
    async answer({ query: { limit = PAGE_LIMIT, after }, ...call }, deps) {
      const { id: projectId } = await findProject(deps, idOf(call, 'project_id'))
      const page = await recordPage(deps.ledger, { kind: 'service_account', projectId, limit, after, order: 'asc' })
      return listObject(page, page.data.map(accountObject))
    },
  }),
  adminRoute({
    method: 'POST',
    path: ACCOUNTS,
    body: CreateAccount,
    answer: ({ body, caller, ...call }, deps) =>
      changeRecords<object>(deps, caller, async () => {
        const project = await findActiveProject(deps, idOf(call, 'project_id'))
        const { name, create_service_account_only: isAlone, ...keyFields } = body
        if (isAlone === true) refuseKeyFields(keyFields)
        const account: ServiceAccountRecord = {
          kind: 'service_account',
          id: makeId('svc_acct_', deps),
          projectId: project.id,
          name,
          role: isAlone === true ? 'none' : 'member',
          createdAt: Math.floor(deps.now() / 1000),
          managedBy: 'api',
        }
        const { id, role } = account
        const created = {
          type: 'service_account.created',
          projectId: project.id,
          resourceId: id,
          details: { id, data: { name, role } },
        }
        if (isAlone === true)
          return {
            was: [project],
            put: [account],
            events: [created],
            answer: { ...accountObject(account), api_key: null },
          }
        const key = newKey(keyFields, { projectId: project.id, ownerId: id, name: 'Secret Key' }, deps)
        return {
          was: [project],
          put: [account, key.record],
          events: [created, keyCreated(key.record, keyFields)],
          answer: { ...accountObject(account), api_key: newKeyObject(key) },
        }
      }),
  }),
  adminRoute({
    method: 'GET',
    path: ACCOUNT,
    answer: async (call, deps) => accountObject(await findAccount(deps, call)),
  }),
  adminRoute({
    method: 'POST',
    path: ACCOUNT,
    body: UpdateAccount,
    answer: ({ body, ...call }, deps) =>
      changeRecords(deps, call.caller, async () => {
        const project = await findActiveProject(deps, idOf(call, 'project_id'))
        const before = await findAccount(deps, call)
        assertManagedHere(before)
        const after = { ...before, name: body.name ?? before.name, role: body.role ?? before.role }
        const { id } = before
        const details = { id, changes_requested: body }
        const event = { type: 'service_account.updated', projectId: project.id, resourceId: id, details }
        return { was: [before], put: [after], events: [event], answer: accountObject(after) }
      }),
  }),
  adminRoute({
    method: 'DELETE',
    path: ACCOUNT,
    async answer(call, deps) {
      const answer = await changeRecords(deps, call.caller, async () => {
        const { id: projectId } = await findActiveProject(deps, idOf(call, 'project_id'))
        const account = await findAccount(deps, call)
        assertManagedHere(account)
        const { id } = account
        const keys = await keysOf(deps, projectId, id)
        const event = { type: 'service_account.deleted', projectId, resourceId: id, details: { id } }
        const answer = { object: 'organization.project.service_account.deleted', id, deleted: true }
        return { was: [account], remove: [id, ...keys], events: [event, ...keysDeleted(projectId, keys)], answer }
      })
      // One that was made while the others were looked for. From now on none can be: the account is gone.
      const projectId = idOf(call, 'project_id')
      const late = await keysOf(deps, projectId, answer.id)
      if (late.length === 0) return answer
      return changeRecords(deps, call.caller, async () => ({
        remove: late,
        events: keysDeleted(projectId, late),
        answer,
      }))
    },
  }),
  adminRoute({
    method: 'POST',
    path: `${ACCOUNT}/api_keys`,
    body: CreateKey,
    answer: ({ body, ...call }, deps) =>
      changeRecords(deps, call.caller, async () => {
        const project = await findActiveProject(deps, idOf(call, 'project_id'))
        const account = await findAccount(deps, call)
        assertManagedHere(account)
        const { name = 'Secret Key', ...fields } = body
        const key = newKey(fields, { projectId: project.id, ownerId: account.id, name }, deps)
        // The account must be there still: a key of nobody could not be deleted with it.
        return {
          was: [project, account],
          put: [key.record],
          events: [keyCreated(key.record, fields)],
          answer: newKeyObject(key),
        }
      }),
  }),
]

/** OpenAI's object of a service account, with our field. */
function accountObject({ id, name, role, createdAt, managedBy }: ServiceAccountRecord): object {
  return {
    object: 'organization.project.service_account',
    id,
    name,
    role,
    created_at: createdAt,
    managed_by: managedBy,
  }
}
