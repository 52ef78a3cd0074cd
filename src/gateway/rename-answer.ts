import type { RenameModel } from '../answers/report-model.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import { holdsContent } from '../openai/resources.ts'
import type { OutgoingBody } from '../requests/outgoing-body.ts'
import type { PreparedRequest } from '../requests/prepared-request.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import type { Deployment, Route } from '../routing/targets/router.ts'

/**
 * Whether the answer to a request may have to give the caller's name for the model, so that it has to be readable.
 *
 * @example
 * const request = { …, isRenamed: isRenamed(exchange, outgoing, route, snapshot) }
 */
export function isRenamed(exchange: Exchange, outgoing: OutgoingBody, route: Route, snapshot: Snapshot): boolean {
  if (outgoing.model !== undefined) return route.model?.reportModel === 'alias'
  if (snapshot.aliasOf === undefined) return false
  const endpoint = endpointOf(exchange.requestTarget)
  return !holdsContent(endpoint) && endpoint.split('/', 1)[0] !== 'models'
}

/**
 * Makes what gives the name that the answer to a request is to have for its model (`report_model: alias`): the one that the
 * request names; of an object that was made before, such as a response, the one that it was made under, or the only one that
 * leads to its model. For requests that `isRenamed`.
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
