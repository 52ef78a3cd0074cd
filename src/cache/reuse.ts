import type { Settings } from '../config/settings.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import { parseJson } from '../requests/parse-json.ts'
import type { Compared } from '../requests/pass-body.ts'
import type { Store } from '../storage/store.ts'
import { answerFromCache, type KeptDeps } from './answer-from-cache.ts'
import { type AnswerOnceDeps, answerOnce, isOnce } from './answer-once.ts'
import type { Served } from './cache-headers.ts'
import { isJudgedByBody, type Judgement, judgeRequest } from './cacheable.ts'
import { createScopedKeys } from './keys/scoped-key.ts'
import type { FlightNote, Reused, ReuseRequest } from './reuse-request.ts'
import { createSingleFlight } from './single-flight/single-flight.ts'

/** Kept answers, and those under way that several wait for. */
export interface Reuse {
  /** Whether a request has anything to do with it. */
  readonly isFor: (exchange: Exchange, settings: Settings) => boolean
  /** Which bodies that depends on, so that all of them has to be there first. */
  readonly comparesBody: (exchange: Exchange, settings: Settings) => Compared
  /** Answers a request from what is kept or under way, or by asking. Rejects as asking does, as `answerOnce` does, and with `only_if_cached`. */
  readonly answer: (request: ReuseRequest) => Promise<Reused>
  readonly store: Store
  /** Resolves when nothing is under way any more for the cache, and the store is closed. */
  readonly close: () => Promise<void>
}

const NOTHING = new Uint8Array()

/**
 * Makes what answers requests from kept answers and those under way.
 *
 * @example
 * const reuse = createReuse({ store, once, now, deadlines, sleep, digest, settings, memory })
 * const reused = await reuse.answer({ exchange, principal, outgoing, route, settings, forward, streamIdleMsOf })
 */
export function createReuse(deps: AnswerOnceDeps): Reuse {
  const { store, now, digest, settings, memory } = deps
  const flights = createSingleFlight<FlightNote>({ now, keptBytesMax: settings.cache.answerBytesMax, memory })
  const cached: KeptDeps = { ...deps, flights }
  const nameOf = createScopedKeys(digest)
  return {
    store,
    async close() {
      await cached.flights.idle()
      await store.close()
    },
    isFor: (exchange, settings) => settings.cache.store !== undefined || isOnce(exchange, settings),
    comparesBody(exchange, settings) {
      if (isOnce(exchange, settings)) return 'any'
      if (settings.cache.store === undefined) return 'none'
      return isJudgedByBody(exchange.request.method, endpointOf(exchange.requestTarget)) ? 'told' : 'none'
    },
    async answer(request) {
      const { exchange, outgoing, settings } = request
      if (isOnce(exchange, settings)) return answerOnce(request, deps)
      const going = outgoing.bodyFor(undefined)
      const body = going instanceof Promise ? await going : going
      const isWhole = body === null || body instanceof Uint8Array
      if (settings.cache.store === undefined) return direct(request, undefined)
      const judging = judge(request, isWhole ? body : undefined)
      const judgement = judging instanceof Promise ? await judging : judging
      if (judgement.kind === 'bypass' || !isWhole) return direct(request, bypassOf(judgement))
      const naming = nameOf(request, body ?? NOTHING)
      const { key, scope } = naming instanceof Promise ? await naming : naming
      return answerFromCache({ request, key, scope, control: judgement.control }, cached)
    },
  }
}

/** It is what goes upstream that counts: the rules may have made another request of the caller's. */
function judge(
  { exchange, outgoing, settings }: ReuseRequest,
  body: Uint8Array | null | undefined,
): Judgement | Promise<Judgement> {
  const { method, headers } = exchange.request
  const isChanged = body instanceof Uint8Array && outgoing.isChangedFor(undefined)
  const endpoint = endpointOf(exchange.requestTarget)
  const judgeValue = (value: unknown): Judgement =>
    judgeRequest({ method, endpoint, body: body === undefined ? undefined : value, headers }, settings.cache)
  if (!isChanged) return judgeValue(outgoing.value)
  const parsing = parseJson(body)
  return parsing instanceof Promise ? parsing.then(({ value }) => judgeValue(value)) : judgeValue(parsing.value)
}

function bypassOf(judgement: Judgement): Served {
  return { word: 'BYPASS', ...(judgement.kind === 'bypass' && { detail: judgement.why }) }
}

async function direct({ exchange, forward }: ReuseRequest, served: Served | undefined): Promise<Reused> {
  return { ...(await forward(exchange)), isWatched: false, served, key: undefined }
}
