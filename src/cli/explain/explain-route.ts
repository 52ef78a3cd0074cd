import type { ModelSettings } from '../../config/sections/models.ts'
import type { Principal } from '../../exchange/principal.ts'
import { STATEFUL_RESOURCES } from '../../openai/stateful-resources.ts'
import { fitBody } from '../../requests/fit-body.ts'
import type { OutgoingBody } from '../../requests/outgoing-body.ts'
import type { DeploymentAddress } from '../../routing/deployment-address.ts'
import type { Snapshot } from '../../routing/snapshot.ts'
import { affinityOf } from '../../routing/targets/affinity.ts'
import type { Deployment, Route } from '../../routing/targets/router.ts'
import type { ExplainedRoute } from './explanation.ts'

/** A request whose route is known. */
export interface RoutedRequest {
  readonly method: string
  readonly principal: Principal['kind']
  /** The caller's request target. */
  readonly target: string
  /** The path below `/v1/`. */
  readonly endpoint: string
  readonly route: Route
  readonly outgoing: OutgoingBody
  /** Addresses a deployment. Throws an `ApiError` when the caller may not spend its key. */
  readonly addressOf: (deployment: Deployment, model: string | undefined) => DeploymentAddress
}

/** Parameters of a URL whose values may be secrets. */
const SECRET_PARAMETER = /([?&][^=&]*(?:key|token|secret|password|sig|auth)[^=&]*=)[^&]*/gi

/**
 * Explains where a request would go, and what would be sent there, without sending it. Rejects with what `addressOf` throws.
 *
 * @example
 * const explained = await explainRoute({ method, principal, endpoint, route, outgoing, addressOf }, snapshot)
 */
export async function explainRoute(routed: RoutedRequest, snapshot: Snapshot): Promise<ExplainedRoute> {
  const { route, outgoing, method } = routed
  const { model, resilience } = route
  const affinity = model?.strategy === 'affinity' ? affinityOf(outgoing.value) : undefined
  const deployments = route.order({ affinity })
  const targets = deployments.map(async (deployment) => {
    const name = outgoing.modelFor(deployment)
    const fitted = fitBody(outgoing, deployment, name, routed.target, snapshot)
    const body = await (fitted?.body ?? outgoing.bodyFor(name))
    const address = routed.addressOf(deployment, name === null ? undefined : (name ?? outgoing.model))
    const url = (address.url.origin + address.target).replace(SECRET_PARAMETER, '$1…')
    return {
      target: deployment.label,
      method,
      url,
      key: describeKey(deployment, address, routed.principal),
      body: body === null ? undefined : await new Response(body).text(),
      isChanged: fitted !== undefined || outgoing.isChangedFor(name),
    }
  })
  return {
    decidedBy: decider(routed, snapshot),
    choice: deployments.length === 1 ? undefined : describeChoice(model, affinity !== undefined),
    attempts: resilience.retry.attempts,
    retryOn: resilience.retry.on.map(String),
    targets: await Promise.all(targets),
  }
}

function decider({ endpoint, route, outgoing }: RoutedRequest, { settings, remembersIds }: Snapshot): string {
  const resource = endpoint.split('/', 1)[0] ?? ''
  const isPinned = remembersIds && STATEFUL_RESOURCES.has(resource) && settings.pins[resource] !== undefined
  if (isPinned) return `pins.${resource}`
  if (route.model !== undefined) return `models.${route.model.name}`
  if (settings.models.length === 0) return 'the default upstream'
  return outgoing.model === undefined
    ? 'the default upstream, since the request names no model'
    : 'the default upstream, since no entry of models fits'
}

/** Describes how the first of several deployments is chosen; the others follow when it fails. */
function describeChoice(model: ModelSettings | undefined, hasAffinity: boolean): string {
  if (model === undefined) return 'its keys take turns'
  const { strategy, targets } = model
  if (strategy === 'weighted')
    return `one by weight (${targets.map(({ weight }) => weight).join(' : ')}), then the others`
  if (strategy === 'round_robin') return 'each first in turn, then the others'
  if (strategy === 'least_busy') return 'the least busy first, then the others'
  if (strategy !== 'affinity') return 'in this order'
  return hasAffinity
    ? 'in this order for this conversation (affinity)'
    : 'any first: nothing to tell a conversation by (affinity)'
}

function describeKey(
  { upstream, keyIndex }: Deployment,
  { spentKey: secret }: DeploymentAddress,
  principal: Principal['kind'],
): string {
  const which = upstream.keys.length > 1 ? `, ${keyIndex + 1} of ${upstream.keys.length}` : ''
  if (secret !== undefined) return `the server's own${which}, in ${upstream.keyHeader}`
  const isCallers = principal === 'caller' && (upstream.auth === 'caller' || upstream.auth === 'either')
  return isCallers ? "the caller's own" : 'none'
}
