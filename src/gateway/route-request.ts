import type { Exchange } from '../exchange/exchange.ts'
import { makesBatch } from '../openai/batch-inputs.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import { endpointPath } from '../openai/endpoint-path.ts'
import { type AskForFile, type BatchDeps, type BatchRequest, checkBatch } from '../requests/check-batch.ts'
import { checkInner } from '../requests/check-inner.ts'
import { checkShape } from '../requests/check-shape.ts'
import { mayBringCalls } from '../requests/judge-inner.ts'
import type { OutgoingBody } from '../requests/outgoing-body.ts'
import { PreparedRequest } from '../requests/prepared-request.ts'
import { readHeaders } from '../requests/read-headers.ts'
import { startClocks } from '../routing/attempts/exchange-clocks.ts'
import type { RememberedIds } from '../routing/remembered-ids.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import type { Route } from '../routing/targets/router.ts'
import { type AskTargetsDeps, askTargets } from './ask-targets.ts'
import { chooseRoute } from './choose-route.ts'
import type { Generation } from './generation.ts'

/** The dependencies of `routeRequest`. */
export interface RouteRequestDeps extends AskTargetsDeps, BatchDeps {
  readonly ids: RememberedIds
}

/**
 * Chooses where a request goes, and checks what can be judged only then: its form, the models within it, a batch's file. At once, where
 * nothing has to be asked for.
 *
 * Throws, or rejects with, an `ApiError` where it is refused.
 *
 * @example
 * const route = await routeRequest(exchange, outgoing, generation, deps)
 */
export function routeRequest(
  exchange: Exchange,
  outgoing: OutgoingBody,
  generation: Generation,
  deps: RouteRequestDeps,
): Route | Promise<Route> {
  const check = (route: Route): Route | Promise<Route> => {
    checkShape(exchange, outgoing, route)
    if (!generation.restricts) return route
    return checkRestricted({ exchange, outgoing, route, snapshot: generation }, fileAsker(generation, deps), deps)
  }
  const choosing = chooseRoute(exchange.requestTarget, outgoing, generation, deps.ids)
  return choosing instanceof Promise ? choosing.then(check) : check(choosing)
}

/** Makes the function that asks a route's targets for a file that a request names. */
function fileAsker(generation: Generation, deps: RouteRequestDeps): AskForFile {
  const { timeouts } = deps
  return async (exchange, outgoing, route) => {
    const clocks = startClocks(exchange, route, generation.settings, deps)
    const prepared = {
      exchange,
      outgoing,
      route,
      objects: undefined,
      snapshot: generation,
      clocks,
      timeouts,
    }
    const request = new PreparedRequest(prepared)
    const answer = await askTargets(request, deps)
    if (request.deployment === undefined) throw new Error('A file came from nowhere.')
    return { answer, deployment: request.deployment }
  }
}

/**
 * Checks a request that rules or models restrict, once its route is known: the models in other places than its own, in its body and
 * headers, and the file of a batch that it makes. Gives the route, which leads to the upstream of that file if there is one.
 *
 * Throws, or rejects with, an `ApiError` where the request is refused.
 *
 * @example
 * const route = snapshot.restricts ? await checkRestricted(request, ask, deps) : wanted
 */
function checkRestricted(request: BatchRequest, ask: AskForFile, deps: BatchDeps): Route | Promise<Route> {
  const { exchange, outgoing, route, snapshot } = request
  checkInner(outgoing.inner, route, snapshot)
  checkInner(readHeaders(exchange, snapshot), route, snapshot)
  return makesRuledBatch(exchange, snapshot) ? checkBatch(request, ask, deps) : route
}

/** Whether a request makes a batch of a file, and rules or models restrict the calls in it. */
function makesRuledBatch(exchange: Exchange, snapshot: Snapshot): boolean {
  if (exchange.request.method !== 'POST' || !makesBatch(endpointPath(endpointOf(exchange.requestTarget)))) return false
  return mayBringCalls(exchange, snapshot)
}
