import { ApiError } from '../openai/api-error.ts'
import { adminRoute, idOf } from './admin-route.ts'
import { keyObjects } from './key-object.ts'
import { findProjectKey } from './listed-keys.ts'
import { notFound } from './project-record.ts'
import { spendOf } from './spend-so-far.ts'

/**
 * The look of a caller at its own key: limits, and what is spent and left in each window, of the key, of its project and of all together. The
 * project's id may be `me`, too: a key need not know it.
 */
export const OWN_KEY_ROUTE = adminRoute({
  method: 'GET',
  path: '/organization/projects/{project_id}/api_keys/me',
  isForCallers: true,
  async answer({ caller, ...call }, deps) {
    if (caller.kind === 'admin') throw new ApiError('not_a_callers_key')
    const { project, organization } = caller.entry
    const asked = idOf(call, 'project_id')
    if (project === undefined || (asked !== 'me' && asked !== project.id)) throw notFound('project', asked)
    const key = await findProjectKey(deps, project.id, caller.id)
    const { timeZone } = project
    const [[shown], ofProject, ofAll] = await Promise.all([
      keyObjects([key], project, deps),
      spendOf({ scope: { projectId: project.id }, limits: project.limits, timeZone }, deps),
      organization === undefined
        ? []
        : spendOf({ scope: {}, limits: organization.limits, timeZone: organization.timeZone }, deps),
    ])
    return {
      ...shown,
      project: { id: project.id, name: project.name, spend: ofProject },
      organization: { spend: ofAll },
    }
  },
})
