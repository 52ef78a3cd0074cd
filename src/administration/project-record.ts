import type { ProjectRecord } from '../ledger/records.ts'
import { ApiError } from '../openai/api-error.ts'
import { type AdminCall, type AdminDeps, idOf } from './admin-route.ts'
import { assertManagedHere, changeRecords } from './change-records.ts'

/** A project as it is to be, with what was asked for and what is answered. */
export interface ProjectChange<T> {
  readonly after: ProjectRecord
  /** For the audit log's `changes_requested`. */
  readonly requested: Readonly<Record<string, unknown>>
  readonly answer: T
  /** The event of the audit log, where it is not `project.updated`, with the id of what was changed. */
  readonly event?: { readonly type: string; readonly resourceId: string }
}

/** Finds a project, also an archived one. Rejects with `object_not_found`. */
export async function findProject({ ledger }: Pick<AdminDeps, 'ledger'>, id: string): Promise<ProjectRecord> {
  const project = await ledger.find('project', id)
  if (project === undefined) throw notFound('project', id)
  return project
}

/** Finds a project in which something may be made or changed. Rejects with `object_not_found` or `project_archived`. */
export async function findActiveProject(deps: Pick<AdminDeps, 'ledger'>, id: string): Promise<ProjectRecord> {
  const project = await findProject(deps, id)
  if (project.archivedAt === undefined) return project
  throw new ApiError('project_archived', {
    message: `Project '${id}' is archived: it can't be used or changed any more.`,
  })
}

/**
 * Changes the project of a call's path, and notes in the audit log what was asked for. Rejects with `object_not_found`,
 * `project_archived` or `managed_by_file`.
 *
 * @example
 * changeProject(deps, call, (project) => ({ after: { ...project, name }, requested: { name }, answer: projectObject(project) }))
 */
export function changeProject<T>(
  deps: AdminDeps,
  call: Pick<AdminCall<unknown, unknown>, 'params' | 'caller'>,
  change: (project: ProjectRecord) => ProjectChange<T>,
): Promise<T> {
  return changeRecords(deps, call.caller, async () => {
    const before = await findActiveProject(deps, idOf(call, 'project_id'))
    assertManagedHere(before)
    const { after, requested, answer, event } = change(before)
    const { id } = before
    const { type = 'project.updated', resourceId = id } = event ?? {}
    const details = { id: resourceId, changes_requested: requested }
    return { was: [before], put: [after], events: [{ type, projectId: id, resourceId, details }], answer }
  })
}

/** OpenAI's error for an object that there is not. */
export function notFound(kind: string, id: string): ApiError {
  return new ApiError('object_not_found', { message: `No such ${kind}: '${id.slice(0, 100)}'.` })
}
