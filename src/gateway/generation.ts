import { createOnce, type Once } from '../cache/once.ts'
import { createReuse, type Reuse } from '../cache/reuse.ts'
import { areSameConfigs } from '../config/open-secrets.ts'
import type { CacheSettings } from '../config/sections/cache.ts'
import type { Settings } from '../config/settings.ts'
import type { ReadLimits } from '../exchange/collect-bytes.ts'
import { type Chain, createChain, NO_EXTENSIONS } from '../extensions/chain.ts'
import type { LoadedExtension } from '../extensions/load/load-extensions.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import type { Store } from '../storage/store.ts'
import type { Log } from '../telemetry/log.ts'
import type { Deadlines } from '../timing/deadlines.ts'
import type { Sleep } from '../timing/sleep.ts'

/** The parts that outlive a reload when their settings have not changed: the platform makes them, or making them takes time. */
export interface LastingParts {
  /** The user's own logic. */
  readonly chain: Chain
  /** Kept answers, and those under way that several wait for; undefined: nothing is kept. */
  readonly reuse: Reuse | undefined
  /** Requests that are made once. */
  readonly once: Once
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
  const once = createOnce(deps)
  const pending = new Set<Promise<void>>()
  return (settings, extensions = [], previous) => {
    const { cache } = settings
    const { windowMs } = settings.idempotency
    const wanted = [cache, windowMs]
    const isSame = previous !== undefined && areSameConfigs(wanted, made)
    const reuse = isSame ? previous.reuse : openReuse(settings, once, deps)
    made = wanted
    const former = previous?.reuse
    if (!isSame && former !== undefined) {
      // With a store in memory, claims shared with others are kept elsewhere, and outlive it.
      const askedForMs = former.store.name === 'memory' ? 0 : formerWindowMs
      deps.deadlines.start(Math.max(OLD_STORE_MS, askedForMs), () => void former.close())
    }
    formerWindowMs = windowMs
    const sharedStore = cache.store === undefined || cache.store.reveal() === 'memory' ? undefined : reuse?.store
    return { reuse, once, sharedStore, chain: makeChain(extensions, reuse, { ...deps, pending }) }
  }
}

function openReuse(settings: Settings, once: Once, deps: PartsDeps): Reuse | undefined {
  if (deps.openStore === undefined) return undefined
  const store = deps.openStore(settings.cache)
  once.use(store, settings)
  const { now, deadlines, sleep, sha256: digest, reading } = deps
  return createReuse({ store, once, now, deadlines, sleep, digest, settings, memory: reading.memory })
}

function makeChain(
  extensions: readonly LoadedExtension[],
  reuse: Reuse | undefined,
  { log, deadlines, reading: limits, pending }: PartsDeps & { readonly pending: Set<Promise<void>> },
): Chain {
  if (reuse === undefined) return NO_EXTENSIONS
  return createChain(extensions, { deadlines, log, store: reuse.store, limits, pending })
}
