import { createCacheSource } from '../cache/cache-source.ts'
import { createIdempotencySource } from '../cache/idempotency-source.ts'
import { createProcessIdempotency, type ProcessIdempotency } from '../cache/process-idempotency.ts'
import type { StageSources } from '../cache/stage-source.ts'
import { areSameConfigs } from '../config/open-secrets.ts'
import type { CacheSettings } from '../config/sections/cache.ts'
import type { Settings } from '../config/settings.ts'
import type { ReadLimits } from '../exchange/collect-bytes.ts'
import { type Chain, createChain, NO_EXTENSIONS } from '../extensions/chain.ts'
import type { LoadedExtension } from '../extensions/load/load-extensions.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import type { Store } from '../storage/store.ts'
import type { Log } from '../telemetry/log.ts'
import type { Deadlines, Sleep } from '../timing/deadlines.ts'

/** The parts that outlive a reload when their settings have not changed: the platform makes them, or making them takes time. */
export interface LastingParts {
  /** The user's own logic. */
  readonly chain: Chain
  /** Sources of answers other than the upstream; undefined: nothing is kept. */
  readonly stageSources: StageSources | undefined
  /** The idempotency of this process. */
  readonly idempotency: ProcessIdempotency
  /** The store that other processes and nodes share; undefined: there is none. */
  readonly sharedStore: Store | undefined
}

/** The settings and parts that a request goes by. */
export type Generation = Snapshot & LastingParts

/** The dependencies of `MakeParts`. */
export interface PartsDeps {
  readonly log: Log
  readonly sha256: (data: string | Uint8Array) => Uint8Array
  readonly openStore?: (cache: CacheSettings) => Store
  readonly deadlines: Deadlines
  readonly sleep: Sleep
  /** Milliseconds, monotonic. */
  readonly now: () => number
  /** How JSON bodies are read. */
  readonly reading: ReadLimits
}

/** Makes the parts for some settings; parts of `previous` whose settings are the same go on. Throws where a store can't be opened. */
export type MakeParts = (
  settings: Settings,
  extensions: readonly LoadedExtension[] | undefined,
  previous?: LastingParts,
) => LastingParts

/** How long requests that began before a reload may still use the store that they began with. */
const OLD_STORE_MS = 60_000

/**
 * Makes the function that makes the lasting parts of some settings (kept answers, extensions), and takes over unchanged ones.
 *
 * @example
 * const makeParts = createPartsMaker({ log, sha256, openStore, deadlines, sleep, now, reading })
 * let parts = makeParts(settings, extensions)
 */
export function createPartsMaker(deps: PartsDeps): MakeParts {
  let made: readonly unknown[] = []
  let formerWindowMs = 0
  const idempotency = createProcessIdempotency(deps)
  const pending = new Set<Promise<void>>()
  return (settings, extensions = [], previous) => {
    const { cache } = settings
    const { windowMs } = settings.idempotency
    const wanted = [cache, windowMs]
    const isSame = previous !== undefined && areSameConfigs(wanted, made)
    const stageSources = isSame ? previous.stageSources : openSources(settings, idempotency, deps)
    made = wanted
    const former = previous?.stageSources
    if (!isSame && former !== undefined) {
      // With a store in memory, claims shared with others are kept elsewhere, and outlive it.
      const askedForMs = former.store.name === 'memory' ? 0 : formerWindowMs
      deps.deadlines.start(Math.max(OLD_STORE_MS, askedForMs), () => void former.close())
    }
    formerWindowMs = windowMs
    const sharedStore = cache.store === undefined || cache.store.reveal() === 'memory' ? undefined : stageSources?.store
    const chain = makeChain(extensions, stageSources?.store, { ...deps, pending })
    return { stageSources, idempotency, sharedStore, chain }
  }
}

/** Opens the store of some settings, and makes the sources of answers on it. */
function openSources(settings: Settings, idempotency: ProcessIdempotency, deps: PartsDeps): StageSources | undefined {
  if (deps.openStore === undefined) return undefined
  const store = deps.openStore(settings.cache)
  idempotency.use(store, settings)
  const { now, deadlines, sleep, sha256: digest, reading } = deps
  const cache = createCacheSource({ store, now, deadlines, sleep, digest, settings, memory: reading.memory })
  return {
    idempotency: createIdempotencySource({ idempotency, now, deadlines, sleep, digest }),
    cache,
    store,
    async close() {
      await cache.idle()
      await store.close()
    },
  }
}

function makeChain(
  extensions: readonly LoadedExtension[],
  store: Store | undefined,
  { log, deadlines, reading: limits, pending }: PartsDeps & { readonly pending: Set<Promise<void>> },
): Chain {
  if (store === undefined) return NO_EXTENSIONS
  return createChain(extensions, { deadlines, log, store, limits, pending })
}
