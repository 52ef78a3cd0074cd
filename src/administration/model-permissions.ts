import { adminRoute, idOf } from './admin-route.ts'
import { MODEL_FIELDS, modelsFrom } from './limit-fields.ts'
import { closedFields } from './pages.ts'
import { changeProject, findProject } from './project-record.ts'

const PERMISSIONS = '/organization/projects/{project_id}/model_permissions'

/** The operations on the models that a project may use. Without a policy nothing is denied. */
export const MODEL_PERMISSION_ROUTES = [
  adminRoute({
    method: 'GET',
    path: PERMISSIONS,
    async answer(call, deps) {
      const { models = { mode: 'deny_list', models: [] } } = (await findProject(deps, idOf(call, 'project_id'))).limits
      return { object: 'project.model_permissions', mode: models.mode, model_ids: models.models }
    },
  }),
  adminRoute({
    method: 'POST',
    path: PERMISSIONS,
    body: closedFields(MODEL_FIELDS),
    answer: ({ body, ...call }, deps) =>
      changeProject(deps, call, (project) => ({
        after: { ...project, limits: { ...project.limits, models: modelsFrom(body) } },
        requested: { model_permissions: body },
        answer: { object: 'project.model_permissions', ...body },
      })),
  }),
  adminRoute({
    method: 'DELETE',
    path: PERMISSIONS,
    answer: (call, deps) =>
      changeProject(deps, call, (project) => {
        const { models, ...limits } = project.limits
        return {
          after: { ...project, limits },
          requested: { model_permissions: null },
          answer: { object: 'project.model_permissions.deleted', deleted: models !== undefined },
        }
      }),
  }),
]
