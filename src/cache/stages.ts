import type { Settings } from '../config/settings.ts'
import type { BodilessRequest } from '../exchange/arrival.ts'
import type { Ask, AskStage, PreparedRequest } from '../requests/prepared-request.ts'
import type { StageSource, StageSources } from './stage-source.ts'

/**
 * Makes the stage that makes requests with an `Idempotency-Key` once; undefined: the settings turn that off.
 *
 * @example
 * const stage = createIdempotencyStage(stageSources, settings)
 */
export function createIdempotencyStage(
  { idempotency: source }: StageSources,
  settings: Settings,
): AskStage | undefined {
  if (settings.idempotency.windowMs === 0) return undefined
  return {
    name: 'idempotency',
    bodyNeeded: (exchange) => (hasIdempotencyKey(exchange.request) ? source.bodyNeeded(exchange) : undefined),
    run(request, next) {
      if (!hasIdempotencyKey(request.exchange.request)) return next(request)
      request.hasIdempotencyKey = true
      return answerFrom(source, request, next)
    },
  }
}

/**
 * Makes the stage that answers from the cache, or from what is under way for others, and keeps answers; undefined: there is no cache.
 *
 * @example
 * const stage = createCacheStage(stageSources, settings)
 */
export function createCacheStage({ cache: source }: StageSources, settings: Settings): AskStage | undefined {
  if (settings.cache.store === undefined) return undefined
  // A reload makes another stage: what was known of a request followed from the former settings.
  const hits = source.createHits()
  const learning: Pick<StageSource, 'answer'> = { answer: (request, next) => source.answer(request, next, hits) }
  return {
    name: 'cache',
    bodyNeeded: (exchange) => source.bodyNeeded(exchange),
    // A request that is made once has the store of its own kind.
    run: (request, next) => (request.hasIdempotencyKey ? next(request) : answerFrom(learning, request, next)),
    recall: (exchange) => source.recall(exchange, settings, hits),
  }
}

/** Whether a request is made once: a POST with an `Idempotency-Key`. */
function hasIdempotencyKey({ method, headers }: BodilessRequest): boolean {
  return method === 'POST' && headers.has('idempotency-key')
}

function answerFrom(source: Pick<StageSource, 'answer'>, request: PreparedRequest, next: Ask): Promise<Response> {
  const { route, clocks } = request
  if (clocks === undefined) return source.answer(request, next)
  // A request that waits for another one's call has the clocks that its own call would have.
  const [first] = route.deployments
  if (first !== undefined) clocks.onDeployment(first)
  return source.answer(request, next).then((answer) => {
    if (request.deployment !== undefined) clocks.onDeployment(request.deployment)
    return answer
  })
}
