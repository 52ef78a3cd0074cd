import type { Store } from '../storage/store.ts'
import { createIdempotencySource, type IdempotencySourceDeps } from './answer-once.ts'
import { type CacheSourceDeps, createCacheSource } from './cache-source.ts'
import type { ReuseSource } from './reuse-source.ts'

/** Stored answers, and calls under way that several requests wait for. They outlive a reload that changes nothing about them. */
export interface Reuse {
  readonly idempotency: ReuseSource
  readonly cache: ReuseSource
  readonly store: Store
  /** Resolves when no call of the cache is under way any more, and the store is closed. */
  readonly close: () => Promise<void>
}

/**
 * Makes the sources of both stages, on one store.
 *
 * @example
 * const reuse = createReuse({ store, once, now, deadlines, sleep, digest, settings, memory })
 * const { answer, served } = await reuse.cache.answer(request, next)
 */
export function createReuse(deps: CacheSourceDeps & IdempotencySourceDeps): Reuse {
  const { store } = deps
  const cache = createCacheSource(deps)
  return {
    idempotency: createIdempotencySource(deps),
    cache,
    store,
    async close() {
      await cache.idle()
      await store.close()
    },
  }
}
