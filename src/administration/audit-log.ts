import { Type } from '@sinclair/typebox'
import { timeOfId } from '../ledger/record-id.ts'
import type { AuditEvent } from '../ledger/records.ts'
import { type AdminDeps, adminRoute } from './admin-route.ts'
import { CURSOR, closedFields, listObject, oneOfTexts, PAGE_LIMIT, pageLimit } from './pages.ts'
import { badCursor } from './record-page.ts'

const time = () => Type.Optional(Type.Integer())
const ListEvents = closedFields({
  effective_at: Type.Optional(closedFields({ gt: time(), gte: time(), lt: time(), lte: time() })),
  project_ids: oneOfTexts(100),
  event_types: oneOfTexts(100),
  actor_ids: oneOfTexts(100),
  actor_emails: oneOfTexts(100),
  resource_ids: oneOfTexts(100),
  tenant_only: Type.Optional(Type.Boolean()),
  limit: pageLimit(),
  after: CURSOR,
  before: CURSOR,
})

/** The audit log: who has managed what. */
export const AUDIT_LOG_ROUTES = [
  adminRoute({
    method: 'GET',
    path: '/organization/audit_logs',
    query: ListEvents,
    async answer({ query }, deps) {
      const { limit = PAGE_LIMIT, after, before, effective_at: at = {} } = query
      // Whoever manages has a key and no address, and there is no tenant above the organization.
      if (query.actor_emails !== undefined || query.tenant_only === true)
        return listObject({ data: [], hasMore: false }, [])
      const page = await deps.ledger.audit({
        limit,
        after,
        before,
        from: latest(at.gte, at.gt === undefined ? undefined : at.gt + 1),
        to: earliest(at.lt, at.lte === undefined ? undefined : at.lte + 1),
        types: query.event_types,
        actorIds: query.actor_ids,
        projectIds: query.project_ids,
        resourceIds: query.resource_ids,
      })
      const cursor = before ?? after
      if (cursor !== undefined && timeOfId(cursor) === undefined)
        throw badCursor(before === undefined ? 'after' : 'before', cursor)
      const names = await projectNames(page.data, deps)
      return listObject(
        page,
        page.data.map((event) => eventObject(event, names)),
      )
    },
  }),
]

function latest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other)
}

function earliest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other)
}

async function projectNames(
  events: readonly AuditEvent[],
  { ledger }: Pick<AdminDeps, 'ledger'>,
): Promise<ReadonlyMap<string, string>> {
  const ids = [...new Set(events.flatMap(({ projectId }) => projectId ?? []))]
  const projects = await Promise.all(ids.map((id) => ledger.find('project', id)))
  return new Map(projects.flatMap((project) => (project === undefined ? [] : [[project.id, project.name] as const])))
}

/** OpenAI's object of an event: its details stand in a field of the event's own name. */
function eventObject(event: AuditEvent, names: ReadonlyMap<string, string>): object {
  const { id, type, at, actorKeyId, projectId, details } = event
  return {
    object: 'organization.audit_log',
    id,
    type,
    effective_at: at,
    actor: {
      type: 'api_key',
      api_key: { id: actorKeyId, type: 'user', user: { id: 'user-operator', email: '' } },
    },
    ...(projectId !== undefined && { project: { id: projectId, name: names.get(projectId) ?? projectId } }),
    [type]: details,
  }
}
