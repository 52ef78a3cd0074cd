import type { CacheSettings } from '../config/sections/cache.ts'
import type { Claims } from '../storage/claims.ts'
import { guardStore } from '../storage/guarded-store.ts'
import { createLazyStore } from '../storage/memory/lazy-store.ts'
import { openStore } from '../storage/open-store.ts'
import type { Store } from '../storage/store.ts'
import type { Log } from '../telemetry/log.ts'
import { createDeadlines } from '../timing/deadlines.ts'

/** The longest that a request waits for a store that is not in this memory. */
const WAIT_MS = 50

/**
 * Opens the store of answers. If it fails later, no request fails for it or waits longer than 50 ms.
 *
 * `siblings` are claims that all workers share; they are used when the store has no shared claims of its own.
 *
 * Throws a `StoreError` when the store can't be opened.
 *
 * @example
 * const store = openCacheStore(config.settings.cache, log)
 */
export function openCacheStore({ store, bytesMax, entriesMax }: CacheSettings, log: Log, siblings?: Claims): Store {
  // A store that ends with the process uses a clock that nobody can set.
  const isInMemory = store === undefined || store.reveal() === 'memory'
  const bounds = { bytesMax, entriesMax, now: isInMemory ? () => performance.now() : Date.now, log }
  // Without a cache, extensions and `Idempotency-Key` use a store in memory, which is opened on first use.
  const opened =
    store === undefined ? createLazyStore(() => openStore('memory', bounds)) : openStore(store.reveal(), bounds)
  const claims = opened.claims ?? siblings
  return guardStore(opened, {
    claims,
    // This memory keeps nobody waiting: a call that takes long only tells that the machine is busy.
    waitMs: isInMemory ? Number.POSITIVE_INFINITY : WAIT_MS,
    deadlines: createDeadlines(),
    log,
    now: () => performance.now(),
  })
}
