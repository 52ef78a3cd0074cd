import type { Served } from '../cache/cache-headers.ts'
import { isJudgedByBody, type Judgement, judgeRequest } from '../cache/cacheable.ts'
import { createFlights } from '../cache/flight.ts'
import { createIdempotency, idempotencyNameOf } from '../cache/idempotency.ts'
import { scopeOf } from '../cache/scope.ts'
import type { Settings } from '../config/settings.ts'
import type { Exchange } from '../exchange.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import type { Store } from '../store/store.ts'
import { answerFromCache, type KeptDeps } from './answer-from-cache.ts'
import { awaitFlight } from './await-flight.ts'
import { createCacheNames, keyIn } from './cache-names.ts'
import { flyOut } from './fly-out.ts'
import { playKept } from './play-kept.ts'
import type { FlightNote, ReuseDeps, Reused, ReuseRequest } from './reuse-request.ts'

/** Kept answers, and those under way that several wait for. */
export interface Reuse {
  /** Whether a request has anything to do with it. */
  readonly isFor: (exchange: Exchange, settings: Settings) => boolean
  /** Whether that depends on the request's body, so that all of it has to be there first. */
  readonly comparesBody: (exchange: Exchange, settings: Settings) => boolean
  /** Answers a request from what is kept or under way, or by asking. Rejects as asking does, and with `idempotency_conflict`, `only_if_cached`. */
  readonly answer: (request: ReuseRequest) => Promise<Reused>
  readonly store: Store
  /** Resolves when nothing is under way any more, and the store is closed. */
  readonly close: () => Promise<void>
}

const NOTHING = new Uint8Array()

/**
 * Makes what answers requests from kept answers and those under way.
 *
 * @example
 * const reuse = createReuse({ store, now, deadlines, sleep, digest, settings })
 * const reused = await reuse.answer({ exchange, principal, draft, route, settings, forward, streamIdleMsOf })
 */
export function createReuse(deps: ReuseDeps): Reuse {
  const { store, now, digest, settings: initial } = deps
  const flightDeps = { now, keptBytesMax: initial.cache.answerBytesMax }
  const cached: KeptDeps = { ...deps, flights: createFlights<FlightNote>(flightDeps) }
  const claims = createFlights<FlightNote>(flightDeps)
  const nameOf = createCacheNames(digest)
  const idempotency = createIdempotency<FlightNote>({
    flights: claims,
    store,
    windowMs: initial.idempotencyMs,
    clock: Date.now,
    sha256: digest,
  })

  /** The answer to an `Idempotency-Key`: the upstream is asked once, and the cache not at all. */
  const claim = async (request: ReuseRequest, name: string, body: Uint8Array): Promise<Reused> => {
    const { exchange, principal, settings } = request
    const scope = scopeOf({ principal, headers: exchange.request.headers }, { scope: 'principal' }, digest)
    const fingerprint = keyIn(scope, request, body, '', digest)
    const runsOn = settings.onDisconnect === 'drain'
    const claimed = await idempotency.claim(
      { scope, name, fingerprint, endpoint: endpointOf(exchange.target) },
      (abort) => flyOut(request, { abort, runsOn }, deps),
      { signal: exchange.abort.signal, runsOn },
    )
    if (claimed.role === 'replay') {
      const answer = playKept(claimed.answer, settings.cache.pace, deps)
      const unasked = { lane: undefined, served: undefined, key: undefined }
      return { answer, ...unasked, isWatched: true, idempotent: 'replayed' }
    }
    const { answer, note } = await awaitFlight(claimed.answer, exchange)
    const { lane } = note
    const idempotent = claimed.role === 'follower' ? 'joined' : undefined
    return { answer, lane, isWatched: true, served: undefined, key: undefined, idempotent }
  }

  return {
    store,
    async close() {
      // What runs on without its client is to be kept, too.
      await Promise.all([cached.flights.idle(), claims.idle()])
      await store.close()
    },
    isFor: (exchange, settings) => settings.cache.store !== undefined || isIdempotent(exchange, settings),
    comparesBody: (exchange, settings) =>
      isIdempotent(exchange, settings) ||
      (settings.cache.store !== undefined && isJudgedByBody(exchange.request.method, endpointOf(exchange.target))),
    async answer(request) {
      const { exchange, draft, settings } = request
      const body = draft.bodyFor(undefined)
      const isWhole = body === null || body instanceof Uint8Array
      const name = isIdempotent(exchange, settings) ? idempotencyNameOf(exchange.request.headers) : undefined
      if (name !== undefined && isWhole) {
        return claim(request, name, body ?? NOTHING)
      }
      if (settings.cache.store === undefined) return direct(request, undefined)
      const judgement = judge(request, isWhole ? body : undefined)
      if (judgement.kind === 'bypass' || !isWhole) return direct(request, bypassOf(judgement))
      const { key, scope } = nameOf(request, body ?? NOTHING)
      return answerFromCache({ request, key, scope, control: judgement.control }, cached)
    },
  }
}

function isIdempotent({ request }: Exchange, { idempotencyMs }: Settings): boolean {
  return idempotencyMs > 0 && request.method === 'POST' && request.headers.has('idempotency-key')
}

/** It is what goes upstream that counts: the rules may have made another request of the caller's. */
function judge({ exchange, draft, settings }: ReuseRequest, body: Uint8Array | null | undefined): Judgement {
  const { method, headers } = exchange.request
  const isChanged = body instanceof Uint8Array && draft.isChangedFor(undefined)
  const value: unknown = isChanged ? JSON.parse(new TextDecoder().decode(body)) : draft.value
  const endpoint = endpointOf(exchange.target)
  return judgeRequest({ method, endpoint, body: body === undefined ? undefined : value, headers }, settings.cache)
}

function bypassOf(judgement: Judgement): Served {
  return { word: 'BYPASS', ...(judgement.kind === 'bypass' && { detail: judgement.why }) }
}

async function direct({ exchange, forward }: ReuseRequest, served: Served | undefined): Promise<Reused> {
  return { ...(await forward(exchange)), isWatched: false, served, key: undefined }
}
