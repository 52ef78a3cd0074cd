import type { Route } from '../routing/targets/router.ts'
import { type AskForFile, type BatchDeps, type BatchRequest, checkBatch, makesRuledBatch } from './check-batch.ts'
import { checkInner } from './check-inner.ts'
import { readHeaders } from './read-headers.ts'

/**
 * Checks what of a request can be judged only when it is known where it goes, where rules or models have a say: the models that it names
 * elsewhere than in its own place, and the file that a batch is to be made of. Gives where it goes then.
 *
 * Throws, or rejects with, an `ApiError` where it is refused.
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
