import type { Exchange } from '../exchange/exchange.ts'
import { makesBatch } from '../openai/batch-inputs.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import { endpointPath } from '../openai/endpoint-path.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import type { Route } from '../routing/targets/router.ts'
import { type AskForFile, type BatchDeps, type BatchRequest, checkBatch } from './check-batch.ts'
import { checkInner } from './check-inner.ts'
import { mayBringCalls } from './judge-inner.ts'
import { readHeaders } from './read-headers.ts'

/**
 * Checks a request that rules or models restrict, once its route is known: the models in other places than its own, in its body and
 * headers, and the file of a batch that it makes. Gives the route, which leads to the upstream of that file if there is one.
 *
 * Throws, or rejects with, an `ApiError` where the request is refused.
 *
 * @example
 * const route = snapshot.restricts ? await checkRestricted(request, ask, deps) : wanted
 */
export function checkRestricted(request: BatchRequest, ask: AskForFile, deps: BatchDeps): Route | Promise<Route> {
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
