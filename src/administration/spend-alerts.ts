import { type Static, Type } from '@sinclair/typebox'
import { makeId } from '../ledger/record-id.ts'
import type { SpendAlertRecord } from '../ledger/records.ts'
import { ApiError } from '../openai/api-error.ts'
import { type AdminCall, type AdminDeps, adminRoute, idOf } from './admin-route.ts'
import { CENTS_MAX, centsOf, nanosOf } from './cents.ts'
import { changeRecords } from './change-records.ts'
import { CURSOR, closedFields, listObject, oneOf, orNull, PAGE_LIMIT, pageLimit } from './pages.ts'
import { findActiveProject, findProject, notFound } from './project-record.ts'
import { recordPage } from './record-page.ts'
import { organizationUpdated } from './spend-limits.ts'

const Alert = closedFields({
  currency: oneOf(['USD']),
  interval: oneOf(['month']),
  threshold_amount: Type.Integer({ minimum: 0, maximum: CENTS_MAX }),
  notification_channel: closedFields({
    type: oneOf(['webhook', 'email']),
    url: Type.Optional(Type.String({ minLength: 1, maxLength: 2048 })),
    recipients: Type.Optional(Type.Array(Type.String())),
    subject_prefix: orNull(Type.String({ maxLength: 256 })),
  }),
})
const ListAlerts = closedFields({
  limit: pageLimit(100, 0),
  after: CURSOR,
  before: CURSOR,
  order: Type.Optional(oneOf(['asc', 'desc'])),
})

type Scope = 'project' | 'organization'
type InScope = Pick<AdminCall<unknown, unknown>, 'params'>

/** The operations on messages that are sent once so much is spent in a month: in a project, or in all. */
export const SPEND_ALERT_ROUTES = [
  ...alertRoutes('project', '/organization/projects/{project_id}/spend_alerts'),
  ...alertRoutes('organization', '/organization/spend_alerts'),
]

function alertRoutes(scope: Scope, path: string) {
  const one = `${path}/{alert_id}`
  return [
    adminRoute({
      method: 'GET',
      path,
      query: ListAlerts,
      async answer({ query, ...call }, deps) {
        const { limit = PAGE_LIMIT, order = 'asc', after, before } = query
        const projectId = (await projectIdOf(scope, call, deps)) ?? ''
        const page = await recordPage(deps.ledger, { kind: 'spend_alert', projectId, limit, order, after, before })
        return listObject(page, page.data.map(alertObject))
      },
    }),
    adminRoute({
      method: 'POST',
      path,
      body: Alert,
      answer: ({ body, ...call }, deps) =>
        changeRecords(deps, call.caller, async () => {
          const projectId = await projectIdOf(scope, call, deps, true)
          const id = makeId('alert_', deps)
          const createdAt = Math.floor(deps.now() / 1000)
          const alert: SpendAlertRecord = {
            kind: 'spend_alert',
            id,
            ...(projectId !== undefined && { projectId }),
            createdAt,
            signingSecret: `whsec_${deps.random(new Uint8Array(32)).toBase64()}`,
            ...alertFrom(body),
          }
          return { put: [alert], events: [changed(alert, { created: noted(body) })], answer: newAlertObject(alert) }
        }),
    }),
    adminRoute({
      method: 'GET',
      path: one,
      answer: async (call, deps) => alertObject(await findAlert(scope, call, deps)),
    }),
    adminRoute({
      method: 'POST',
      path: one,
      body: Alert,
      answer: ({ body, ...call }, deps) =>
        changeRecords(deps, call.caller, async () => {
          const before = await findAlert(scope, call, deps)
          const { subjectPrefix: _prefix, notice, ...others } = before
          const asked = alertFrom(body)
          // Of another threshold nobody has been told yet.
          const isTold = notice !== undefined && asked.threshold === before.threshold
          const after = { ...others, ...asked, ...(isTold && { notice }) }
          const events = [changed(after, { updated: noted(body) })]
          return { was: [before], put: [after], events, answer: alertObject(after) }
        }),
    }),
    adminRoute({
      method: 'DELETE',
      path: one,
      answer: (call, deps) =>
        changeRecords(deps, call.caller, async () => {
          const alert = await findAlert(scope, call, deps)
          const answer = { object: `${scope}.spend_alert.deleted`, id: alert.id, deleted: true }
          return { was: [alert], remove: [alert.id], events: [changed(alert, { deleted: true })], answer }
        }),
    }),
  ]
}

/** The id of a call's project; undefined: it is about all of them. */
async function projectIdOf(
  scope: Scope,
  call: InScope,
  deps: AdminDeps,
  isChange = false,
): Promise<string | undefined> {
  if (scope === 'organization') return undefined
  const find = isChange ? findActiveProject : findProject
  return (await find(deps, idOf(call, 'project_id'))).id
}

async function findAlert(scope: Scope, call: InScope, deps: AdminDeps): Promise<SpendAlertRecord> {
  const projectId = await projectIdOf(scope, call, deps)
  const id = idOf(call, 'alert_id')
  const alert = await deps.ledger.find('spend_alert', id)
  if (alert === undefined || alert.projectId !== projectId) throw notFound('spend alert', id)
  return alert
}

/** What the audit log says: OpenAI's has no event of alerts, so it is one of what the alert watches. */
function changed({ id, projectId }: SpendAlertRecord, change: object) {
  const requested = { spend_alert: { id, ...change } }
  if (projectId === undefined) return organizationUpdated(requested)
  const details = { id: projectId, changes_requested: requested }
  return { type: 'project.updated', projectId, resourceId: projectId, details }
}

/** What was asked for, without the address: one of a webhook often holds a secret. */
function noted({ threshold_amount }: Static<typeof Alert>): object {
  return { threshold_amount }
}

/** Throws `invalid_parameter` where the channel is none of ours. */
function alertFrom({
  threshold_amount,
  notification_channel: { type, url, recipients, subject_prefix },
}: Static<typeof Alert>): Pick<SpendAlertRecord, 'threshold' | 'webhook' | 'subjectPrefix'> {
  const param = 'notification_channel'
  if (type === 'email' || recipients !== undefined) {
    throw new ApiError('invalid_parameter', {
      message:
        "Unsupported value: this server sends no e-mail. Have it call a webhook: {'type': 'webhook', 'url': 'https://…'}; in an SDK, by a cast.",
      param: `${param}.${type === 'email' ? 'type' : 'recipients'}`,
      code: 'unsupported_value',
    })
  }
  if (url === undefined) {
    throw new ApiError('invalid_parameter', {
      message: `Missing required parameter: '${param}.url'.`,
      param: `${param}.url`,
      code: 'missing_required_parameter',
    })
  }
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) {
    throw new ApiError('invalid_parameter', {
      message: `Invalid '${param}.url': it must be an address that begins with https:// or http://.`,
      param: `${param}.url`,
      code: 'invalid_value',
    })
  }
  const prefix = typeof subject_prefix === 'string' ? { subjectPrefix: subject_prefix } : {}
  return { threshold: nanosOf(threshold_amount), webhook: url, ...prefix }
}

/** The object of a new alert, in which what its messages are signed with is shown this once. */
function newAlertObject(alert: SpendAlertRecord): object {
  const object = alertObject(alert)
  return {
    ...object,
    notification_channel: { ...object.notification_channel, signing_secret: alert.signingSecret },
  }
}

/** OpenAI's object of an alert, whose channel is ours. Of the address only the server is shown: the rest often holds a secret. */
function alertObject({ id, projectId, threshold, webhook, subjectPrefix }: SpendAlertRecord) {
  return {
    object: `${projectId === undefined ? 'organization' : 'project'}.spend_alert`,
    id,
    threshold_amount: centsOf(threshold),
    currency: 'USD',
    interval: 'month',
    notification_channel: {
      type: 'webhook',
      url: `${new URL(webhook).origin}/…`,
      recipients: [],
      subject_prefix: subjectPrefix ?? null,
    },
  }
}
