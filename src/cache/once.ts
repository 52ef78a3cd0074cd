import type { Settings } from '../config/settings.ts'
import type { Sha256 } from '../formats/bytes/digest.ts'
import { ApiError } from '../openai/api-error.ts'
import type { ErrorKind } from '../openai/error-catalogue.ts'
import { isUnsent } from '../routing/attempts/failure-of.ts'
import type { Claims } from '../storage/claims.ts'
import { createMemoryClaims } from '../storage/memory/memory-claims.ts'
import type { Store } from '../storage/store.ts'
import type { Deadlines } from '../timing/deadlines.ts'
import type { Sleep } from '../timing/sleep.ts'
import { createIdempotency, type Idempotency } from './idempotency/idempotency.ts'
import type { TakePlaces } from './idempotency/take-claim.ts'
import type { FlightNote } from './reuse-request.ts'
import type { Memory } from './single-flight/kept-chunks.ts'
import { createSingleFlight } from './single-flight/single-flight.ts'

/** What makes requests once: of a process, whatever is reloaded meanwhile. */
export interface Once {
  readonly idempotency: Idempotency<FlightNote>
  /** Where others see claims now. */
  readonly places: () => Omit<TakePlaces, 'memory'>
  /** Has what comes from now on go by other settings, and another store; what is in the former one counts for as long as it was kept for. */
  readonly use: (store: Store, settings: Settings) => void
}

/** What making it needs. */
export interface OnceDeps {
  readonly deadlines: Deadlines
  readonly sleep: Sleep
  /** Milliseconds, monotonic. */
  readonly now: () => number
  readonly sha256: Sha256
  /** How much may be held. */
  readonly reading: { readonly memory: Memory }
}

/** Errors behind which an upstream may be at work all the same. */
const SENT: ReadonlySet<ErrorKind> = new Set([
  ...(['upstream_unreachable', 'upstream_invalid_response', 'upstream_timeout', 'client_deadline'] as const),
  ...(['client_closed', 'out_of_connections'] as const),
])

/**
 * Makes what makes requests of one `Idempotency-Key` once. It has to be one for a process: a second one would not know what the
 * first has begun.
 *
 * @example
 * const once = createOnce({ deadlines, sleep, now, sha256, reading })
 * once.use(store, settings)
 */
export function createOnce({ deadlines, sleep, now, sha256, reading }: OnceDeps): Once {
  let settings: Settings | undefined
  let current: Claims | undefined
  let former: readonly { readonly claims: Claims; readonly until: number }[] = []
  const memory = createMemoryClaims({ bytesMax: () => settings?.cache.bytesMax ?? 0, now })
  const idempotency = createIdempotency<FlightNote>({
    ...{ deadlines, sleep, now, sha256, memory, clock: Date.now },
    flights: createSingleFlight({ now, keptBytesMax: 0, memory: reading.memory }),
    mayBeMade: (cause) => cause instanceof ApiError && SENT.has(cause.kind) && !isUnsent(cause),
    noteKept: (kept, how) => ({
      deployment: undefined,
      shouldRetry: undefined,
      kept: { answer: kept, how },
    }),
  })
  return {
    idempotency,
    places() {
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
