import type { CacheSettings } from '../config/sections/cache.ts'
import type { Claims } from '../storage/claims.ts'
import { guardStore } from '../storage/guarded-store.ts'
import { createLazyStore } from '../storage/memory/lazy-store.ts'
import { openStore } from '../storage/open-store.ts'
import type { Store } from '../storage/store.ts'
import type { Log } from '../telemetry/log.ts'
import { createDeadlines } from '../timing/deadlines.ts'

/** No request waits longer for a store. */
const WAIT_MS = 50

/**
 * Opens the store that answers are kept in; whatever happens to it later, no request fails or waits for it.
 *
 * `siblings`: claims that this process shares with others beside it; they count where the store has none that others see.
 *
 * Throws a `StoreError` where there is none to be opened.
 *
 * @example
 * const store = openCacheStore(config.settings.cache, log)
 */
export function openCacheStore({ store, bytesMax, entriesMax }: CacheSettings, log: Log, siblings?: Claims): Store {
  // What ends with the process goes by a clock that nobody puts forward or back.
  const isInMemory = store === undefined || store.reveal() === 'memory'
  const bounds = { bytesMax, entriesMax, now: isInMemory ? () => performance.now() : Date.now, log }
  // Without a cache, what extensions and an Idempotency-Key keep is kept in memory.
  const opened =
    store === undefined ? createLazyStore(() => openStore('memory', bounds)) : openStore(store.reveal(), bounds)
  const claims = opened.claims ?? siblings
  return guardStore(opened, {
    claims,
    waitMs: WAIT_MS,
    deadlines: createDeadlines(),
    log,
    now: () => performance.now(),
  })
}
