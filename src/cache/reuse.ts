import type { Settings } from '../config/settings.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { Compared } from '../requests/pass-body.ts'
import type { Store } from '../storage/store.ts'
import { createIdempotencyStage, type IdempotencyStageDeps } from './answer-once.ts'
import { type CacheStageDeps, createCacheStage } from './cache-stage.ts'
import type { AnswerStage, AskNext, Reused, ReuseRequest } from './reuse-request.ts'

/** The stages that may answer a request without asking for it alone, for the flow of today. */
export interface Reuse {
  /** Whether one of them takes part in a request. */
  readonly isFor: (exchange: Exchange, settings: Settings) => boolean
  /** Which bodies have to be read whole first. */
  readonly comparesBody: (exchange: Exchange, settings: Settings) => Compared
  /** Answers a request by the stage that takes part in it, or by `forward`. Rejects as they do. */
  readonly answer: (request: ReuseRequest & { readonly forward: AskNext }) => Promise<Reused>
  readonly store: Store
  /** Resolves when no call of the cache is under way any more, and the store is closed. */
  readonly close: () => Promise<void>
}

/**
 * Makes the two stages: idempotency, and the cache behind it. A request with an `Idempotency-Key` never comes to the cache.
 *
 * @example
 * const reuse = createReuse({ store, once, now, deadlines, sleep, digest, settings, memory })
 * const reused = await reuse.answer({ exchange, outgoing, route, settings, forward, streamIdleMsOf, totalMsOf })
 */
export function createReuse(deps: CacheStageDeps & IdempotencyStageDeps): Reuse {
  const { store } = deps
  const idempotency = createIdempotencyStage(deps)
  const cache = createCacheStage(deps)
  const stageFor = (exchange: Exchange, settings: Settings): AnswerStage | undefined => {
    if (idempotency.isFor(exchange, settings)) return idempotency
    return cache.isFor(exchange, settings) ? cache : undefined
  }
  return {
    store,
    async close() {
      await cache.idle()
      await store.close()
    },
    isFor: (exchange, settings) => stageFor(exchange, settings) !== undefined,
    comparesBody: (exchange, settings) => stageFor(exchange, settings)?.bodyNeeded(exchange) ?? 'none',
    answer(request) {
      const { exchange, settings, forward } = request
      return stageFor(exchange, settings)?.answer(request, forward) ?? passOn(exchange, forward)
    },
  }
}

async function passOn(exchange: Exchange, forward: AskNext): Promise<Reused> {
  return { ...(await forward(exchange)), isWatched: false, served: undefined, key: undefined }
}
