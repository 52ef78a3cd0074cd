import type { Served } from '../cache/cache-headers.ts'
import { cacheKey, variantOf } from '../cache/cache-key.ts'
import { type Judgement, judgeRequest } from '../cache/cacheable.ts'
import { createFlights } from '../cache/flight.ts'
import { createIdempotency, idempotencyNameOf } from '../cache/idempotency.ts'
import { type Scope, scopeOf } from '../cache/scope.ts'
import type { Sha256 } from '../cache/sha256.ts'
import type { Settings } from '../config/settings.ts'
import type { Exchange } from '../exchange.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import type { Route } from '../router/router.ts'
import type { Store } from '../store/store.ts'
import { answerFromCache, type KeptDeps } from './answer-from-cache.ts'
import { flyOut } from './fly-out.ts'
import { playKept } from './play-kept.ts'
import type { FlightNote, ReuseDeps, Reused, ReuseRequest } from './reuse-request.ts'

/** Kept answers, and those under way that several wait for. */
export interface Reuse {
  /** Whether a request has anything to do with it. */
  readonly isFor: (exchange: Exchange, settings: Settings) => boolean
  /** Answers a request from what is kept or under way, or by asking. Rejects as asking does, and with `idempotency_conflict`, `only_if_cached`. */
  readonly answer: (request: ReuseRequest) => Promise<Reused>
  readonly store: Store
  readonly close: () => Promise<void>
}

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
  const idempotency = createIdempotency<FlightNote>({
    flights: createFlights<FlightNote>(flightDeps),
    store,
    windowMs: initial.idempotencyMs,
    clock: Date.now,
    sha256: digest,
  })

  /** The answer to an `Idempotency-Key`: the upstream is asked once, and the cache not at all. */
  const claim = async (request: ReuseRequest, name: string, body: Uint8Array): Promise<Reused> => {
    const { exchange, principal, settings } = request
    const scope = scopeOf({ principal, headers: exchange.request.headers }, { scope: 'principal' }, digest)
    const parts = { scope, body, settings, name }
    const fingerprint = keyOf(request, parts.scope, body, '', digest)
    const claimed = await idempotency.claim(
      { scope, name, fingerprint, endpoint: endpointOf(exchange.target) },
      (signal) => flyOut(request, signal, deps),
      { signal: exchange.abort.signal, runsOn: settings.onDisconnect === 'drain' },
    )
    if (claimed.role === 'replay') {
      const answer = playKept(claimed.answer, settings.cache.pace, deps)
      return { answer, lane: undefined, secret: undefined, served: undefined, key: undefined }
    }
    const { answer, note } = await claimed.answer
    return { answer, ...note, served: undefined, key: undefined }
  }

  return {
    store,
    close: async () => store.close(),
    isFor: ({ request }, settings) =>
      settings.cache.store !== undefined || (settings.idempotencyMs > 0 && request.headers.has('idempotency-key')),
    async answer(request) {
      const { exchange, draft, settings, principal } = request
      const body = draft.bodyFor(undefined)
      const isWhole = body === null || body instanceof Uint8Array
      const name = settings.idempotencyMs > 0 ? idempotencyNameOf(exchange.request.headers) : undefined
      if (name !== undefined && isWhole && exchange.request.method === 'POST') {
        return claim(request, name, body ?? new Uint8Array())
      }
      if (settings.cache.store === undefined) return direct(request, undefined)
      const judgement = judge(request, isWhole)
      if (judgement.kind === 'bypass' || !isWhole) return direct(request, bypassOf(judgement))
      const scope = scopeOf({ principal, headers: exchange.request.headers }, settings.cache, digest)
      const key = keyOf(request, scope, body ?? new Uint8Array(), identityOf(request.route), digest)
      return answerFromCache({ request, key, scope, control: judgement.control }, cached)
    },
  }
}

function judge({ exchange, draft, settings }: ReuseRequest, isWhole: boolean): Judgement {
  const { method, headers } = exchange.request
  const endpoint = endpointOf(exchange.target)
  return judgeRequest({ method, endpoint, body: isWhole ? draft.value : undefined, headers }, settings.cache)
}

function bypassOf(judgement: Judgement): Served {
  return { word: 'BYPASS', ...(judgement.kind === 'bypass' && { detail: judgement.why }) }
}

async function direct({ exchange, forward }: ReuseRequest, served: Served | undefined): Promise<Reused> {
  return { ...(await forward(exchange)), served, key: undefined }
}

function keyOf({ exchange }: ReuseRequest, scope: Scope, body: Uint8Array, upstream: string, digest: Sha256): string {
  const { request, target } = exchange
  const at = target.indexOf('?')
  const query = at === -1 ? '' : target.slice(at + 1)
  const path = `/v1/${endpointOf(target)}`
  return cacheKey(
    { scope, upstream, method: request.method, path, query, body, extra: variantOf(request.headers) },
    digest,
  )
}

/** What tells apart who answers: the targets of a route, wherever they are. */
function identityOf({ model, lanes }: Route): string {
  return JSON.stringify([
    model?.name,
    ...lanes.map(({ upstream, model: own }) => [upstream.name, upstream.baseUrl, own]),
  ])
}
