import { type Authorize, principalName } from '../auth/authorize.ts'
import { chooseRoute } from '../choose-route.ts'
import { draftAsIs } from '../draft.ts'
import type { Exchange } from '../exchange.ts'
import { ownLimit } from '../failover/limit-time.ts'
import { addressLane, type LaneAddress } from '../lane-address.ts'
import type { Serving } from '../live-parts.ts'
import { ApiError } from '../openai/api-error.ts'
import type { PipelineDeps } from '../pipeline.ts'
import type { RequestFacts } from '../policy/rules.ts'
import { factsOf } from '../read-draft.ts'
import type { Lane } from '../router/router.ts'
import type { Log } from '../telemetry/log.ts'
import type { Arrival } from './arrival.ts'
import { answerError } from './error-handler.ts'
import { guardRequest } from './guard.ts'
import { assertOneQueryModel, queryModel, withQueryModel } from './query-model.ts'
import { isServed, routeOf, unknownUrl } from './routes/openai.ts'

/** What becomes of an upgrade request: it goes upstream, or is refused. */
export type Upgrade =
  | (LaneAddress & {
      readonly kind: 'relay'
      readonly exchange: Exchange
      /** Its own wait for the upstream's answer, where it is not everybody's; 0: none. */
      readonly firstByteMs: number | undefined
      /** To be told once how it went: the upstream's status, or undefined where there was none, and the time to it in ms. */
      readonly onAnswer: (status: number | undefined, ms: number) => void
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
 * attempt only. The model is the query's.
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
    exchange.route = routeOf(exchange.target)
    exchange.stream = true
    try {
      return await decide(exchange, deps)
    } catch (thrown) {
      return { kind: 'refused', response: answerError(thrown, exchange, deps.log) }
    }
  }
}

async function decide(exchange: Exchange, { authorize, pipeline }: UpgradeDeps): Promise<Upgrade> {
  const { request, target, abort } = exchange
  guardRequest(request.method, target, request.headers)
  const principal = authorize(request.headers)
  exchange.principal = principalName(principal)
  if (!isServed(target)) throw unknownUrl(request.method, target)
  const live = pipeline.live()
  const model = live.settings.hasFile ? queryModel(target) : undefined
  const facts = factsOf(exchange, principal, model)
  if (isCallInFrames(facts) && hasSayInCalls(facts, live, pipeline)) throw new ApiError('websocket_not_relayed')
  if (pipeline.cassettes?.play?.isClosed === true) {
    throw new ApiError('no_cassette', { message: 'No cassette fits a WebSocket: these are not recorded.' })
  }
  exchange.atEnd(pipeline.admission.admit())
  if (live.mayLoop) pipeline.loops.watch(exchange)
  if (live.settings.hasFile) exchange.tries = []
  exchange.model = model
  if (live.needsModel) assertOneQueryModel(target)
  if (live.settings.unknownModels === 'refuse' && !isModelKnown(facts)) throw modelNotTold()
  if (isModelKnown(facts) ? live.rules.match(facts) !== undefined : live.rules.mayMatch(facts)) {
    throw new ApiError('rules_not_applicable', {
      message: 'This server has rules for the parameters of this request, and they cannot be applied to a WebSocket.',
    })
  }
  const route = await chooseRoute(target, { ...draftAsIs(null), model }, live, pipeline.ids)
  const [lane] = route.order({})
  if (lane === undefined) throw new ApiError('upstream_unavailable')
  const wanted = lane.model === undefined ? target : withQueryModel(target, lane.model)
  const address = addressLane(exchange, principal, lane, { target: wanted, model: lane.model ?? model }, live, pipeline)
  const release = await lane.gate.enter(abort.signal)
  if (release !== undefined) exchange.atEnd(release)
  exchange.attempts = 1
  const firstByteMs = ownLimit('firstByteMs', route, lane)
  return { ...address, kind: 'relay', exchange, firstByteMs, onAnswer: begin(exchange, lane) }
}

/** Whether the frames of a WebSocket are calls that could as well be posted, each with a model of its own. */
function isCallInFrames({ endpoint }: RequestFacts): boolean {
  return endpoint === 'responses' || endpoint.startsWith('responses/')
}

/** Whether something here looks into such calls, or decides by them, so that none may pass unseen. */
function hasSayInCalls(facts: RequestFacts, { settings, rules, chain }: Serving, { cassettes }: PipelineDeps): boolean {
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

/** Begins the one attempt, and gives what tells its end. */
function begin(exchange: Exchange, { health, label }: Lane): (status: number | undefined, ms: number) => void {
  const attempt = health.begin()
  exchange.atEnd(() => attempt.ended())
  return (status, ms) => {
    if (status !== undefined) attempt.answered(status, ms)
    else if (exchange.abort.signal.aborted) attempt.abandoned()
    else attempt.failed()
    exchange.tries?.push({ target: label, status, ms: Math.round(ms), why: undefined })
  }
}
