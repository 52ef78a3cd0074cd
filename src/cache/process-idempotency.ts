import type { Settings } from '../config/settings.ts'
import type { Sha256 } from '../formats/bytes/digest.ts'
import { ApiError } from '../openai/api-error.ts'
import type { ErrorKind } from '../openai/error-catalogue.ts'
import { isUnsent } from '../routing/attempts/failure-of.ts'
import type { Claims } from '../storage/claims.ts'
import { createMemoryClaims } from '../storage/memory/memory-claims.ts'
import type { Store } from '../storage/store.ts'
import type { Deadlines, Sleep } from '../timing/deadlines.ts'
import { createIdempotency, type Idempotency } from './idempotency/idempotency.ts'
import type { SharedStores } from './idempotency/take-claim.ts'
import type { Memory } from './single-flight/kept-chunks.ts'
import { createSingleFlight } from './single-flight/single-flight.ts'

/** The idempotency of a process: it outlives every reload. */
export interface ProcessIdempotency extends Idempotency {
  /** The stores whose claims other processes see, as of now. */
  readonly stores: () => SharedStores
  /** Gives later requests another store and other settings. Claims in the former store still count for as long as their window was. */
  readonly use: (store: Store, settings: Settings) => void
}

/** The dependencies of the idempotency of a process. */
interface ProcessIdempotencyDeps {
  readonly deadlines: Deadlines
  readonly sleep: Sleep
  /** Milliseconds, monotonic. */
  readonly now: () => number
  readonly sha256: Sha256
  /** The answers of calls under way count towards this memory. */
  readonly reading: { readonly memory: Memory }
}

/** Errors after which the upstream may be at work all the same. */
const SENT: ReadonlySet<ErrorKind> = new Set([
  ...(['upstream_unreachable', 'upstream_invalid_response', 'upstream_timeout', 'client_deadline'] as const),
  ...(['client_closed', 'out_of_connections'] as const),
])

/**
 * Makes idempotency for a process. There has to be one only: a second one would not know which calls the first has started.
 *
 * @example
 * const idempotency = createProcessIdempotency({ deadlines, sleep, now, sha256, reading })
 * idempotency.use(store, settings)
 */
export function createProcessIdempotency({
  deadlines,
  sleep,
  now,
  sha256,
  reading,
}: ProcessIdempotencyDeps): ProcessIdempotency {
  let settings: Settings | undefined
  let current: Claims | undefined
  let former: readonly { readonly claims: Claims; readonly until: number }[] = []
  const memory = createMemoryClaims({ bytesMax: () => settings?.cache.bytesMax ?? 0, now })
  return {
    ...createIdempotency({
      ...{ deadlines, sleep, now, sha256, memory, clock: Date.now },
      calls: createSingleFlight({ now, keptBytesMax: 0, memory: reading.memory }),
      mayBeMade: (cause) => cause instanceof ApiError && SENT.has(cause.kind) && !isUnsent(cause),
    }),
    stores() {
      if (former.length > 0) former = former.filter(({ until }) => until > now())
      return { current, former: former.map(({ claims }) => claims) }
    },
    use(store, next) {
      if (current !== undefined && current !== store.claims && settings !== undefined) {
        former = [...former, { claims: current, until: now() + settings.idempotency.windowMs }]
      }
      current = store.claims
      settings = next
      if (next.idempotency.windowMs > 0) void current?.ready?.()
    },
  }
}
