import type { Authorize } from '../access/authorize.ts'
import { spendsOwnKey } from '../access/credentials.ts'
import type { Arrival } from '../exchange/arrival.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { beginUpgrade, lacksWebSocket, type RefusedUpgrade, type UpgradeWatch } from '../gateway/begin-upgrade.ts'
import { chooseRoute } from '../gateway/choose-route.ts'
import type { Generation } from '../gateway/generation.ts'
import type { PipelineDeps } from '../gateway/handle.ts'
import { callerOf } from '../gateway/take-place.ts'
import { ApiError } from '../openai/api-error.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import { readTarget } from '../openai/read-target.ts'
import type { RequestFacts } from '../params/rules.ts'
import { checkInner } from '../requests/check-inner.ts'
import { bodyAsIs } from '../requests/outgoing-body.ts'
import { readCall } from '../requests/read-call.ts'
import { readHeaders } from '../requests/read-headers.ts'
import { factsOf } from '../requests/request-facts.ts'
import { ownLimit } from '../routing/attempts/limit-time.ts'
import { addressDeployment, type DeploymentAddress, wantedFrom } from '../routing/deployment-address.ts'
import type { Account } from '../routing/targets/call-report.ts'
import type { Deployment, Route } from '../routing/targets/router.ts'
import type { Log } from '../telemetry/log.ts'
import { answerError } from './error-handler.ts'
import { guardRequest } from './guard.ts'
import { isServed, routeOf, unknownUrl } from './routes/openai.ts'

/** What becomes of an upgrade request: it goes upstream, or is refused. */
export type Upgrade =
  | (DeploymentAddress &
      UpgradeWatch<Upgrade> & {
        readonly kind: 'relay'
        readonly exchange: Exchange
        /** Its own wait for the upstream's answer, where it is not everybody's; 0: none. */
        readonly firstByteMs: number | undefined
      })
  | { readonly kind: 'refused'; readonly response: Response }

/** What deciding on an upgrade needs. */
export interface UpgradeDeps {
  readonly open: (request: Request, arrival: Arrival) => Exchange
  readonly authorize: Authorize
  readonly pipeline: PipelineDeps
  readonly log: Log
}

/**
 * Makes the decision on WebSocket upgrades: the same guard, door, route and credentials as for every other request, but one
 * attempt only, save where the server's key is refused. The model is the query's.
 *
 * What is said on a WebSocket is not read here, so a parameter rule can't be applied to it: one that matches refuses it. A
 * WebSocket whose frames are calls with a model in each (`/v1/responses`) is answered 426 wherever something here has a say in
 * calls: its clients then post them, and all of it applies.
 *
 * @example
 * const upgrade = createUpgrade({ open, authorize, pipeline, log })
 */
export function createUpgrade(deps: UpgradeDeps): (request: Request, arrival: Arrival) => Promise<Upgrade> {
  return async (request, arrival) => {
    const exchange = deps.open(request, arrival)
    exchange.endpointName = routeOf(exchange.requestTarget)
    exchange.stream = true
    exchange.isUpgrade = true
    return await orRefuse(exchange, () => decide(exchange, deps), deps)
  }
}

async function orRefuse(exchange: Exchange, decide: () => Promise<Upgrade>, { log }: UpgradeDeps): Promise<Upgrade> {
  try {
    return await decide()
  } catch (thrown) {
    return { kind: 'refused', response: answerError(thrown, exchange, log) }
  }
}

async function decide(exchange: Exchange, deps: UpgradeDeps): Promise<Upgrade> {
  const { authorize, pipeline } = deps
  const { request, requestTarget: target } = exchange
  guardRequest(request.method, target, request.headers)
  exchange.principal = authorize(exchange)
  if (!isServed(target)) throw unknownUrl(request.method, target)
  const generation = pipeline.generation()
  if (generation.restricts) readCall(exchange, generation)
  const model = generation.settings.hasFile ? namedIn(exchange) : undefined
  const facts = factsOf(exchange, model)
  if (isCallInFrames(facts.endpoint) && hasSayInCalls(facts, generation, pipeline))
    throw new ApiError('websocket_not_relayed')
  if (pipeline.cassettes?.play?.isClosed === true) {
    throw new ApiError('no_cassette', { message: 'No cassette fits a WebSocket: these are not recorded.' })
  }
  exchange.atEnd(pipeline.admission.admit(callerOf(exchange), exchange.startedAt))
  if (generation.mayLoop) pipeline.loops.watch(exchange)
  if (generation.settings.hasFile) exchange.tries = []
  exchange.model = model
  if (generation.settings.unknownModels === 'refuse' && !isModelKnown(facts)) throw modelNotTold()
  if (isModelKnown(facts) ? generation.rules.match(facts) !== undefined : generation.rules.mayMatch(facts)) {
    throw new ApiError('rules_not_applicable', {
      message: 'This server has rules for the parameters of this request, and they cannot be applied to a WebSocket.',
    })
  }
  const route = await chooseRoute(exchange.requestTarget, { ...bodyAsIs(null), model }, generation, pipeline.ids)
  if (generation.restricts) checkInner(readHeaders(exchange, generation, true), route, generation)
  const accountOf = (deployment: Deployment): Account =>
    spendsOwnKey(exchange.principal, deployment.upstream) ? 'caller' : 'server'
  return relayTo({ exchange, model, generation, route, deployments: route.order({ accountOf }), accountOf }, 0, deps)
}

/** An upgrade, and where it may go, in this order. */
interface Going {
  readonly exchange: Exchange
  readonly model: string | undefined
  readonly generation: Generation
  readonly route: Route
  readonly deployments: readonly Deployment[]
  readonly accountOf: (deployment: Deployment) => Account
}

/** Addresses the upgrade to the deployment of that number; where this server's key is refused there, to the next one. */
async function relayTo(going: Going, number: number, deps: UpgradeDeps): Promise<Upgrade> {
  const { exchange, model, generation, route, deployments, accountOf } = going
  const { requestTarget: target, abort } = exchange
  const deployment = deployments[number]
  if (deployment === undefined) throw new ApiError('upstream_unavailable')
  const address = addressDeployment(
    exchange,
    deployment,
    wantedFrom(exchange, deployment.model ?? model),
    generation,
    deps.pipeline,
  )
  const release = await deployment.limiter.enter(abort.signal)
  if (release !== undefined) exchange.atEnd(release)
  exchange.attempts += 1
  const firstByteMs = ownLimit('firstByteMs', route, deployment)
  const another = async (): Promise<Upgrade | undefined> => {
    // Those whose key rests by now are passed over.
    const next = deployments.findIndex((one, at) => at > number && one.health.isAvailable(accountOf(one)))
    return next === -1 ? undefined : await orRefuse(exchange, () => relayTo(going, next, deps), deps)
  }
  const watch = beginUpgrade(exchange, deployment, address, another, deps.pipeline)
  const onRefusal = isCallInFrames(endpointOf(target)) ? postedInstead(watch.onRefusal) : watch.onRefusal
  return { ...address, kind: 'relay', exchange, firstByteMs, ...watch, onRefusal }
}

/** The model that the URL names, be it only for the log. */
function namedIn({ named, requestTarget: target }: Exchange): string | undefined {
  const read = named ?? readTarget(target).named
  return read === 'unclear' ? undefined : read?.model
}

/** Has calls posted that no WebSocket is offered for upstream: behind its own status Codex would try for seconds, or give up. */
function postedInstead(tell: (refusal: RefusedUpgrade) => Promise<void>): (refusal: RefusedUpgrade) => Promise<void> {
  return async (refusal) => {
    await tell(refusal)
    if (!lacksWebSocket(refusal)) return
    throw new ApiError('websocket_not_relayed', {
      message: `The upstream offers no WebSocket here: it answered ${refusal.status}. Send the call as a POST over HTTP.`,
    })
  }
}

/** Whether the frames of a WebSocket are calls that could as well be posted, each with a model of its own. */
function isCallInFrames(endpoint: string): boolean {
  return endpoint === 'responses' || endpoint.startsWith('responses/')
}

/** Whether something here looks into such calls, or decides by them, so that none may pass unseen. */
function hasSayInCalls(
  facts: RequestFacts,
  { settings, rules, chain }: Generation,
  { cassettes }: PipelineDeps,
): boolean {
  const { models, unknownModels } = settings
  if (models.length > 0 || unknownModels === 'refuse' || !chain.isEmpty || cassettes !== undefined) return true
  return rules.mayMatch(facts)
}

/** What is said on a WebSocket may name any model, but in a realtime session, whose URL names it. */
function isModelKnown({ model, endpoint }: RequestFacts): boolean {
  return model !== undefined && endpoint === 'realtime'
}

function modelNotTold(): ApiError {
  return new ApiError('rules_not_applicable', {
    message:
      'This server decides on the models that may be used, and the URL of this WebSocket does not tell its model.',
    param: 'model',
  })
}
