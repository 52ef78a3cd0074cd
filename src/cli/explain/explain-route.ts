import type { Config } from '../../config/config.ts'
import type { ModelSettings } from '../../config/sections/models.ts'
import type { Exchange } from '../../exchange/exchange.ts'
import { chooseRoute } from '../../gateway/choose-route.ts'
import { endpointOf } from '../../openai/endpoint-of.ts'
import { STATEFUL_RESOURCES } from '../../openai/resources.ts'
import { sha256 } from '../../process/sha256.ts'
import { checkInner } from '../../requests/check-inner.ts'
import { checkShape } from '../../requests/check-shape.ts'
import { fitBody } from '../../requests/fit-body.ts'
import type { OutgoingBody } from '../../requests/outgoing-body.ts'
import { readHeaders } from '../../requests/read-headers.ts'
import { addressDeployment, type DeploymentAddress, wantedFrom } from '../../routing/deployment-address.ts'
import { createRememberedIds } from '../../routing/remembered-ids.ts'
import type { Snapshot } from '../../routing/snapshot.ts'
import { affinityOf } from '../../routing/targets/affinity.ts'
import type { Deployment } from '../../routing/targets/deployment.ts'
import type { Route } from '../../routing/targets/router.ts'
import { createLoopGuard } from '../../upstream/loop-guard.ts'
import type { ExplainedRoute } from './explanation.ts'

/** Parameters of a URL whose values may be secrets. */
const SECRET_PARAMETER = /([?&][^=&]*(?:key|token|secret|password|sig|auth)[^=&]*=)[^&]*/gi

/**
 * Explains where a request would go, and what would be sent there, without sending it. Rejects with the `ApiError` that would refuse it.
 *
 * @example
 * const route = await explainRoute(exchange, outgoing, snapshot, config)
 */
export async function explainRoute(
  exchange: Exchange,
  outgoing: OutgoingBody,
  snapshot: Snapshot,
  { server, auth }: Config,
): Promise<ExplainedRoute> {
  const { requestTarget, principal } = exchange
  const { method } = exchange.request
  const route = await chooseRoute(requestTarget, outgoing, snapshot, createRememberedIds({ sha256 }))
  checkShape(exchange, outgoing, route)
  checkInner(outgoing.inner, route, snapshot)
  if (snapshot.restricts) checkInner(readHeaders(exchange, snapshot), route, snapshot)
  const deps = { mayBorrow: () => server.isLoopback && auth.lendsToLocal, userAgent: '', loops: createLoopGuard() }
  const { model, resilience } = route
  const affinity = model?.strategy === 'affinity' ? affinityOf(outgoing.value) : undefined
  const deployments = route.order({ affinity })
  const targets = deployments.map(async (deployment) => {
    const name = outgoing.modelFor(deployment)
    const fitted = fitBody(outgoing, deployment, name, requestTarget, snapshot)
    const body = await (fitted?.body ?? outgoing.bodyFor(name))
    const wanted = wantedFrom(exchange, name === null ? undefined : (name ?? outgoing.model))
    const address = addressDeployment(exchange, deployment, wanted, snapshot, deps)
    const url = (address.url.origin + address.target).replace(SECRET_PARAMETER, '$1…')
    return {
      target: deployment.label,
      method,
      url,
      key: describeKey(deployment, address, principal.kind),
      body: body === null ? undefined : await new Response(body).text(),
      isChanged: fitted !== undefined || outgoing.isChangedFor(name),
    }
  })
  return {
    decidedBy: decider(endpointOf(requestTarget), route, outgoing, snapshot),
    choice: deployments.length === 1 ? undefined : describeChoice(model, affinity !== undefined),
    attempts: resilience.retry.attempts,
    retryOn: resilience.retry.on.map(String),
    targets: await Promise.all(targets),
  }
}

function decider(endpoint: string, route: Route, outgoing: OutgoingBody, { settings, remembersIds }: Snapshot): string {
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
  { spentKey: secret, keyHeader }: DeploymentAddress,
  principal: Exchange['principal']['kind'],
): string {
  const which = upstream.keys.length > 1 ? `, ${keyIndex + 1} of ${upstream.keys.length}` : ''
  if (secret !== undefined) return `the server's own${which}, in ${keyHeader}`
  const isCallers = principal === 'caller' && (upstream.auth === 'caller' || upstream.auth === 'either')
  return isCallers ? "the caller's own" : 'none'
}
