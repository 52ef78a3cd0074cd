import { Type } from '@sinclair/typebox'
import { DEFAULT_PROJECT_ID, NO_LIMITS } from '../ledger/first-records.ts'
import { makeId } from '../ledger/record-id.ts'
import type { ProjectRecord } from '../ledger/records.ts'
import { ApiError } from '../openai/api-error.ts'
import { adminRoute, idOf } from './admin-route.ts'
import { assertManagedHere, changeRecords } from './change-records.ts'
import { LIMIT_FIELDS, limitFields, limitsFrom } from './limit-fields.ts'
import { CURSOR, closedFields, listObject, nameField, oneOf, orNull, PAGE_LIMIT, pageLimit } from './pages.ts'
import { changeProject, findProject } from './project-record.ts'
import { recordPage } from './record-page.ts'

/** Only null is taken: the data stay where this server has them, and its operator's keys encrypt them. */
const notHere = () => Type.Optional(Type.Null())
const OWN_FIELDS = {
  ...LIMIT_FIELDS,
  time_zone: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  environment: orNull(Type.String({ minLength: 1, maxLength: 64 })),
}

const CreateProject = closedFields({
  name: nameField(),
  external_key_id: notHere(),
  geography: notHere(),
  residency: orNull(oneOf(['GLOBAL'])),
  ...OWN_FIELDS,
})
const UpdateProject = closedFields({
  name: orNull(nameField()),
  external_key_id: notHere(),
  geography: notHere(),
  ...OWN_FIELDS,
})
const ListProjects = closedFields({
  limit: pageLimit(),
  after: CURSOR,
  include_archived: Type.Optional(Type.Boolean()),
})

const ALWAYS_THERE = 'The default project can not be archived: API tokens, and calls without a key, are of it.'

/** The operations on projects. */
export const PROJECT_ROUTES = [
  adminRoute({
    method: 'GET',
    path: '/organization/projects',
    query: ListProjects,
    async answer({ query: { limit = PAGE_LIMIT, after, include_archived: archived } }, { ledger }) {
      const page = await recordPage(ledger, { kind: 'project', limit, after, archived, order: 'asc' })
      return listObject(page, page.data.map(projectObject))
    },
  }),
  adminRoute({
    method: 'POST',
    path: '/organization/projects',
    body: CreateProject,
    answer: ({ body, caller }, deps) =>
      changeRecords(deps, caller, async () => {
        const project: ProjectRecord = {
          kind: 'project',
          id: makeId('proj_', deps),
          name: body.name,
          createdAt: Math.floor(deps.now() / 1000),
          timeZone: timeZoneOf(body.time_zone) ?? 'UTC',
          ...(typeof body.environment === 'string' && { environment: body.environment }),
          limits: limitsFrom(body, NO_LIMITS),
          managedBy: 'api',
        }
        const { id } = project
        const details = { id, data: { ...body, title: body.name } }
        const event = { type: 'project.created', projectId: id, resourceId: id, details }
        return { put: [project], events: [event], answer: projectObject(project) }
      }),
  }),
  adminRoute({
    method: 'GET',
    path: '/organization/projects/{project_id}',
    answer: async (call, deps) => projectObject(await findProject(deps, idOf(call, 'project_id'))),
  }),
  adminRoute({
    method: 'POST',
    path: '/organization/projects/{project_id}',
    body: UpdateProject,
    answer: ({ body, ...call }, deps) =>
      changeProject(deps, call, ({ environment, ...project }) => {
        const now = body.environment === undefined ? environment : body.environment
        const after = {
          ...project,
          name: body.name ?? project.name,
          timeZone: timeZoneOf(body.time_zone) ?? project.timeZone,
          ...(typeof now === 'string' && { environment: now }),
          limits: limitsFrom(body, project.limits),
        }
        const requested = { ...body, ...(typeof body.name === 'string' && { title: body.name }) }
        return { after, requested, answer: projectObject(after) }
      }),
  }),
  adminRoute({
    method: 'POST',
    path: '/organization/projects/{project_id}/archive',
    answer: (call, deps) =>
      changeRecords(deps, call.caller, async () => {
        const before = await findProject(deps, idOf(call, 'project_id'))
        assertManagedHere(before)
        if (before.id === DEFAULT_PROJECT_ID) throw new ApiError('invalid_parameter', { message: ALWAYS_THERE })
        // A repeated request, whose first answer was lost, is answered as that was.
        const after = { ...before, archivedAt: before.archivedAt ?? Math.floor(deps.now() / 1000) }
        const { id } = before
        const event = { type: 'project.archived', projectId: id, resourceId: id, details: { id } }
        const isChange = before.archivedAt === undefined
        return {
          was: [before],
          put: isChange ? [after] : [],
          events: isChange ? [event] : [],
          answer: projectObject(after),
        }
      }),
  }),
]

/** OpenAI's object of a project, with our fields. */
function projectObject(project: ProjectRecord): object {
  const { id, name, createdAt, archivedAt, timeZone, environment, managedBy, limits } = project
  return {
    id,
    object: 'organization.project',
    name,
    created_at: createdAt,
    archived_at: archivedAt ?? null,
    status: archivedAt === undefined ? 'active' : 'archived',
    external_key_id: null,
    residency: 'GLOBAL',
    time_zone: timeZone,
    environment: environment ?? null,
    managed_by: managedBy,
    ...limitFields(limits),
  }
}

/** A time zone of the platform's database. Throws `invalid_parameter`. */
function timeZoneOf(name: string | undefined): string | undefined {
  if (name === undefined) return undefined
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return name
  } catch {
    throw new ApiError('invalid_parameter', {
      message: `Invalid 'time_zone': '${name}' is no time zone of the IANA database, such as 'Europe/Berlin'.`,
      param: 'time_zone',
      code: 'invalid_value',
    })
  }
}
