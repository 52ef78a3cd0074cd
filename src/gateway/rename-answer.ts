import type { RenameModel } from '../answers/report-model.ts'
import type { PreparedRequest } from '../requests/prepared-request.ts'
import type { Deployment } from '../routing/targets/router.ts'

/**
 * Makes what gives the name that the answer to a request is to have for its model (`report_model: alias`): the one that the
 * request names; of an object that was made before, such as a response, the one that it was made under, or the only one that
 * leads to its model. For requests with `isRenamed`.
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
