import { ignoreRejection } from '../formats/ignore-rejection.ts'
import { ApiError } from '../openai/api-error.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import { whyUnusable } from './answers/freshness.ts'
import { replayAnswer } from './answers/replay-answer.ts'
import { isHeadStorable } from './answers/storable.ts'
import { decodeAnswer, encodeAnswer, type StoredAnswer, type TimedChunk } from './answers/stored-answer.ts'
import { isInFull, isWholeAnswer } from './answers/whole-answer.ts'
import type { Served } from './cache-headers.ts'
import { storedHeaders } from './cache-headers.ts'
import type { Scope } from './keys/scope.ts'
import type { RequestControl } from './request-control.ts'
import type { FlightNote, ReuseDeps, Reused, ReuseRequest } from './reuse-request.ts'
import { awaitResult, startLeaderCall } from './single-flight/leader-call.ts'
import type { SingleFlight } from './single-flight/single-flight.ts'

/** What answering from the cache needs. */
export interface KeptDeps extends ReuseDeps {
  readonly flights: SingleFlight<FlightNote>
}

/** What an upstream says of a key, and not of a request (RFC 9110 §15.5.2, §15.5.3; RFC 6585 §4). */
const OF_ONE_ACCOUNT: ReadonlySet<number> = new Set([401, 402, 403, 429])

/** A request that the cache is for. */
export interface CacheableRequest {
  readonly request: ReuseRequest
  readonly key: string
  readonly scope: Scope
  readonly control: RequestControl
}

/**
 * Answers from what is kept, or from what is under way for others of the same scope, or by asking; what is asked is kept
 * when it is complete. Rejects with `only_if_cached` where nobody is to be asked.
 */
export async function answerFromCache(cacheable: CacheableRequest, deps: KeptDeps): Promise<Reused> {
  const { request, key, control } = cacheable
  let found = await look(cacheable, deps)
  // One that has just ended may be a failure, which nobody who comes later gets.
  for (
    let judged = deps.flights.judged(key);
    judged !== undefined && isMissing(found);
    judged = deps.flights.judged(key)
  ) {
    await judged
    found = await look(cacheable, deps)
  }
  if (typeof found === 'object') {
    const answer = replayAnswer(found, request.settings.cache.pace, deps)
    const served: Served = { word: 'HIT', storedAt: found.storedAt, ttlMs: found.ttlMs }
    return { answer, deployment: undefined, isWatched: true, served, key }
  }
  if (control.onlyIfCached) {
    // Asked again, the cache would say the same.
    request.exchange.shouldRetry = false
    throw new ApiError('only_if_cached')
  }
  const endpoint = endpointOf(request.exchange.requestTarget)
  // Who wants no kept answer wants none of before its own time either.
  const flightKey = found === 'request' ? `${key} ${request.exchange.id}` : key
  const { role, answer: joining } = deps.flights.join(
    flightKey,
    (abort) => startLeaderCall(request, { abort, runsOn: false }, deps),
    {
      signal: request.exchange.abort.signal,
      runsOn: false,
      isInFull: ({ headers }, chunks) => isInFull(endpoint, headers, chunks),
      isGood: (answer, chunks) => !mayKeep(cacheable, answer) || isWholeAnswer(endpoint, answer.headers, chunks),
      onComplete: (answer, chunks, isGood) =>
        isGood && mayKeep(cacheable, answer) ? keep(cacheable, answer, chunks, deps) : undefined,
    },
  )
  const { answer, note } = await awaitResult(joining, request.exchange)
  const { deployment } = note
  if (role === 'follower' && OF_ONE_ACCOUNT.has(answer.status) && request.settings.cache.scope === 'shared') {
    // What one caller's key was told is no answer to another's.
    void ignoreRejection(answer.body?.cancel())
    return {
      ...(await request.forward(request.exchange)),
      isWatched: false,
      served: { word: 'MISS', why: 'miss', isStored: false },
      key,
    }
  }
  const isStored = mayKeep(cacheable, answer)
  const served: Served =
    role === 'follower'
      ? { word: 'COALESCED' }
      : found === 'request'
        ? { word: 'REFRESH', isStored }
        : { word: 'MISS', why: found, isStored }
  return { answer, deployment, isWatched: true, served, key }
}

/** What is kept under a key and will do, or why there is nothing. */
type Found = StoredAnswer | 'miss' | 'stale' | 'request'

async function look({ key, control }: CacheableRequest, { store }: KeptDeps): Promise<Found> {
  if (!control.mayLook) return 'request'
  const got = store.get(key)
  const bytes = got instanceof Promise ? await got : got
  const decoding = bytes === undefined ? undefined : decodeAnswer(bytes)
  const kept = decoding instanceof Promise ? await decoding : decoding
  if (kept === undefined) return 'miss'
  return whyUnusable(kept, control, Date.now()) ?? kept
}

function isMissing(found: Found): boolean {
  return found === 'miss' || found === 'stale'
}

function mayKeep({ request, control }: CacheableRequest, answer: Response): boolean {
  return control.mayStore && isHeadStorable(answer, { isShared: request.settings.cache.scope === 'shared' })
}

function keep(
  { key, scope, control }: CacheableRequest,
  { status, headers }: Response,
  chunks: readonly TimedChunk[],
  { store }: KeptDeps,
): void | Promise<void> {
  const { ttlMs } = control
  const kept = { status, headers: storedHeaders(headers), chunks, storedAt: Date.now(), ttlMs }
  const set = (bytes: Uint8Array): void | Promise<void> => store.set(key, bytes, { ttlMs, scope })
  const encoding = encodeAnswer(kept)
  return encoding instanceof Promise ? encoding.then(set) : set(encoding)
}
