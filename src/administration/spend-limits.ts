import { Type } from '@sinclair/typebox'
import { ORGANIZATION_ID } from '../ledger/first-records.ts'
import type { Limits, OrganizationRecord, ProjectRecord } from '../ledger/records.ts'
import { type AdminDeps, adminRoute, idOf } from './admin-route.ts'
import { CENTS_MAX, centsOf, nanosOf } from './cents.ts'
import { changeRecords } from './change-records.ts'
import { closedFields, oneOf } from './pages.ts'
import { changeProject, findProject, notFound } from './project-record.ts'
import { type Spender, spendOf } from './spend-so-far.ts'

const OF_PROJECT = '/organization/projects/{project_id}/spend_limit'
const OF_ALL = '/organization/spend_limit'
const SpendLimit = closedFields({
  currency: oneOf(['USD']),
  interval: oneOf(['month']),
  threshold_amount: Type.Integer({ minimum: 0, maximum: CENTS_MAX }),
})

/** The operations on what a project, or all of them together, may spend in a month. */
export const SPEND_LIMIT_ROUTES = [
  adminRoute({
    method: 'GET',
    path: OF_PROJECT,
    async answer(call, deps) {
      const project = await findProject(deps, idOf(call, 'project_id'))
      return spendLimitObject('project', spenderOfProject(project), deps)
    },
  }),
  adminRoute({
    method: 'POST',
    path: OF_PROJECT,
    body: SpendLimit,
    async answer({ body, ...call }, deps) {
      const changed = await changeProject(deps, call, (project) => {
        const after = { ...project, limits: withMonth(project.limits, nanosOf(body.threshold_amount)) }
        return { after, requested: { spend_limit: body }, answer: after }
      })
      return spendLimitObject('project', spenderOfProject(changed), deps)
    },
  }),
  adminRoute({
    method: 'DELETE',
    path: OF_PROJECT,
    answer: (call, deps) =>
      changeProject(deps, call, (project) => ({
        after: { ...project, limits: withMonth(project.limits, undefined) },
        requested: { spend_limit: null },
        answer: { object: 'project.spend_limit.deleted', deleted: project.limits.spend.month !== undefined },
      })),
  }),
  adminRoute({
    method: 'GET',
    path: OF_ALL,
    answer: async (_call, deps) => spendLimitObject('organization', spenderOf(await findOrganization(deps)), deps),
  }),
  adminRoute({
    method: 'POST',
    path: OF_ALL,
    body: SpendLimit,
    async answer({ body, caller }, deps) {
      const after = await changeRecords(deps, caller, async () => {
        const before = await findOrganization(deps)
        const after = { ...before, limits: withMonth(before.limits, nanosOf(body.threshold_amount)) }
        return { was: [before], put: [after], events: [organizationUpdated({ spend_limit: body })], answer: after }
      })
      return spendLimitObject('organization', spenderOf(after), deps)
    },
  }),
  adminRoute({
    method: 'DELETE',
    path: OF_ALL,
    answer: ({ caller }, deps) =>
      changeRecords(deps, caller, async () => {
        const before = await findOrganization(deps)
        const after = { ...before, limits: withMonth(before.limits, undefined) }
        const deleted = before.limits.spend.month !== undefined
        const answer = { object: 'organization.spend_limit.deleted', deleted }
        return { was: [before], put: [after], events: [organizationUpdated({ spend_limit: null })], answer }
      }),
  }),
]

/** What the audit log says of a change of the organization. */
export function organizationUpdated(requested: Readonly<Record<string, unknown>>) {
  const id = ORGANIZATION_ID
  return { type: 'organization.updated', resourceId: id, details: { id, changes_requested: requested } }
}

async function findOrganization({ ledger }: Pick<AdminDeps, 'ledger'>): Promise<OrganizationRecord> {
  const organization = await ledger.find('organization', ORGANIZATION_ID)
  if (organization === undefined) throw notFound('organization', ORGANIZATION_ID)
  return organization
}

function spenderOfProject({ id: projectId, limits, timeZone }: ProjectRecord): Spender {
  return { scope: { projectId }, limits, timeZone }
}

function spenderOf({ limits, timeZone }: OrganizationRecord): Spender {
  return { scope: {}, limits, timeZone }
}

function withMonth(limits: Limits, month: bigint | undefined): Limits {
  const { month: _before, ...others } = limits.spend
  return { ...limits, spend: { ...others, ...(month !== undefined && { month }) } }
}

/** Of a limit so much has to be left, in cents, for calls to go on: a cent, or a hundredth of it where that is less. */
function leastRest(limit: number): number {
  return Math.min(1, limit / 100)
}

/**
 * OpenAI's object of a spend limit. It is `enforcing` once it is spent; what is only held for calls under way may come back. Rejects
 * with `object_not_found` where there is none.
 */
async function spendLimitObject(kind: 'project' | 'organization', spender: Spender, deps: AdminDeps): Promise<object> {
  const { month } = spender.limits.spend
  if (month === undefined) throw notFound('spend limit', kind)
  const [spend] = await spendOf({ ...spender, limits: { spend: { month }, rates: [] } }, deps)
  const limit = centsOf(month)
  const isSpent = limit - (spend?.spent ?? 0) <= leastRest(limit)
  return {
    object: `${kind}.spend_limit`,
    threshold_amount: limit,
    currency: 'USD',
    interval: 'month',
    enforcement: { status: isSpent ? 'enforcing' : 'inactive' },
  }
}
