import type { RenameModel } from '../answers/report-model.ts'
import type { PreparedRequest } from '../requests/prepared-request.ts'
import type { Deployment } from '../routing/targets/deployment.ts'

/**
 * Makes the function that gives the model's name for the answer to a request (`report_model: alias`): the name in the request; for
 * an object that was made before, such as a response, the name that it was made under, or the only name that leads to its model.
 * For requests with `isRenamed`.
 *
 * @example
 * const renameModel = request.isRenamed ? renamingFor(request, deployment) : undefined
 */
export function renamingFor(request: PreparedRequest, deployment: Deployment | undefined): RenameModel {
  const { outgoing, route, snapshot } = request
  const own = outgoing.model ?? route.alias
  const { aliasOf } = snapshot
  return (model, isItem) => {
    if (!isItem && own !== undefined) return own
    return outgoing.model !== undefined || deployment === undefined
      ? undefined
      : aliasOf?.(deployment.upstream.name, model)
  }
}
