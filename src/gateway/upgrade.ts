import type { Exchange } from '../exchange/exchange.ts'
import { createAttachment } from '../formats/attachment.ts'
import type { CallerLimits } from '../metering/caller-limits.ts'
import type { Metering } from '../metering/metering.ts'
import type { MeteredSession } from '../metering/session/metered-session.ts'
import { ApiError } from '../openai/api-error.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import { checkInner } from '../requests/check-inner.ts'
import { bodyAsIs } from '../requests/outgoing-body.ts'
import { readHeaders } from '../requests/read-headers.ts'
import { ownLimit, type TimeLimits } from '../routing/attempts/exchange-clocks.ts'
import {
  type AddressDeps,
  addressDeployment,
  type DeploymentAddress,
  payerOf,
  wantedFrom,
} from '../routing/deployment-address.ts'
import type { RememberedIds } from '../routing/remembered-ids.ts'
import type { Deployment } from '../routing/targets/deployment.ts'
import type { Route } from '../routing/targets/router.ts'
import { checkUpgrade, isCallInFrames } from './check-upgrade.ts'
import { chooseRoute } from './choose-route.ts'
import type { Generation } from './generation.ts'
import { limitedGeneration } from './limited-generation.ts'
import {
  lacksWebSocket,
  type RefusedUpgrade,
  type UpgradeWatch,
  type WatchDeps,
  watchUpgrade,
} from './upgrade-watch.ts'

/** The target of an upgrade, and the watch on it. */
export interface Relay extends DeploymentAddress, UpgradeWatch<Relay> {
  readonly exchange: Exchange
  /** Its own wait for the upstream's answer, where it differs from the default; 0: none. */
  readonly firstByteMs: number | undefined
  /** Judges and counts the responses of the session; undefined: nobody does. */
  readonly session: MeteredSession | undefined
}

/** The dependencies of upgrades. */
export interface UpgradeDeps extends AddressDeps, WatchDeps {
  readonly timeouts: TimeLimits
  readonly ids: RememberedIds
  /** Limits, money and books of callers; undefined: there is no ledger. */
  readonly metering: Metering | undefined
}

const relays = createAttachment<Response, Relay>('relay')

/**
 * The relay that an answer to an upgrade stands for; undefined: it is an answer like any other, which refuses the upgrade.
 *
 * @example
 * const relay = relayOf(await flow(exchange))
 */
export function relayOf(answer: Response): Relay | undefined {
  return relays.get(answer)
}

/**
 * The flow of a WebSocket upgrade behind all stages: the route and the credentials of every other request, with one attempt only, save
 * where the server's key is refused. The model is the query's. Gives an answer that stands for the relay (`relayOf`).
 *
 * @example
 * const answer = await upgrade(exchange, inForce, deps)
 */
export async function upgrade(exchange: Exchange, inForce: Generation, deps: UpgradeDeps): Promise<Response> {
  const isCall = isCallInFrames(endpointOf(exchange.requestTarget))
  const limits = admit(exchange, isCall, deps)
  const generation = limits === undefined ? inForce : limitedGeneration(inForce, limits)
  // What a caller's own limits say of calls is said of each frame.
  const model = checkUpgrade(exchange, isCall ? inForce : generation)
  if (generation.settings.hasFile) exchange.tries = []
  const route = await chooseRoute(exchange.requestTarget, { ...bodyAsIs(null), model }, generation, deps.ids)
  if (generation.restricts) checkInner(readHeaders(exchange, generation, true), route, generation)
  await enterSession(exchange, isCall, model, route.deployments, deps)
  const deployments = route.order({ payerOf: ({ upstream }) => payerOf(exchange.principal, upstream) })
  const answer = new Response(null)
  relays.set(answer, await relayTo({ exchange, model, generation, inForce, route, deployments }, 0, deps))
  return answer
}

/** An upgrade, and where it may go, in this order. */
interface UpgradeRoute {
  readonly exchange: Exchange
  readonly model: string | undefined
  /** The settings as they hold for the caller, and for all. */
  readonly generation: Generation
  readonly inForce: Generation
  readonly route: Route
  readonly deployments: readonly Deployment[]
}

/** Addresses the upgrade to the deployment of that number; where this server's key is refused there, to the next one. */
async function relayTo(ways: UpgradeRoute, number: number, deps: UpgradeDeps): Promise<Relay> {
  const { exchange, model, generation, route, deployments } = ways
  const deployment = deployments[number]
  if (deployment === undefined) throw new ApiError('upstream_unavailable')
  const wanted = wantedFrom(exchange, deployment.model ?? model)
  const address = addressDeployment(exchange, deployment, wanted, generation, deps)
  const release = await deployment.limiter.enter(exchange.abort.signal)
  if (release !== undefined) exchange.atEnd(release)
  exchange.attempts += 1
  const firstByteMs = ownLimit('firstByteMs', route, deployment)
  const another = async (): Promise<Relay | undefined> => {
    // Targets whose key rests by now are passed over.
    const isReady = ({ health, upstream }: Deployment): boolean =>
      health.isAvailable(payerOf(exchange.principal, upstream))
    const next = deployments.findIndex((one, at) => at > number && isReady(one))
    return next === -1 ? undefined : await relayTo(ways, next, deps)
  }
  const watch = watchUpgrade(exchange, deployment, address, another, deps)
  const isCall = isCallInFrames(endpointOf(exchange.requestTarget))
  const onRefusal = isCall ? postedInstead(watch.onRefusal) : watch.onRefusal
  const session = deps.metering?.session({
    ...{ exchange, deployment, route, model, timeouts: deps.timeouts },
    protocol: isCall ? 'responses' : 'realtime',
    settingsFor: (limits) => (limits === undefined ? ways.inForce : limitedGeneration(ways.inForce, limits)),
  })
  return { ...address, exchange, firstByteMs, session, ...watch, onRefusal }
}

/** The limits of an upgrade's caller, who may use its endpoint. Where calls are in the frames, a refusal is one of the WebSocket. */
function admit(exchange: Exchange, isCall: boolean, { metering }: UpgradeDeps): CallerLimits | undefined {
  try {
    return metering?.admit(exchange)
  } catch (thrown) {
    throw isCall ? postInstead(thrown) : thrown
  }
}

/** Lets the session be opened by its caller's limits, as `admit` does. */
async function enterSession(
  exchange: Exchange,
  isCall: boolean,
  model: string | undefined,
  deployments: readonly Deployment[],
  { metering }: UpgradeDeps,
): Promise<void> {
  try {
    await metering?.enterSession(exchange, model, deployments)
  } catch (thrown) {
    throw isCall ? postInstead(thrown) : thrown
  }
}

/** Has a call posted whose caller may not make it now: the answer to the POST says why, in the form that clients know. */
function postInstead(thrown: unknown): unknown {
  if (!(thrown instanceof ApiError)) return thrown
  const { message, headers } = thrown
  return new ApiError('websocket_not_relayed', { message, headers, cause: thrown })
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
