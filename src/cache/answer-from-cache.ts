import { ignoreRejection } from '../formats/ignore-rejection.ts'
import { ApiError } from '../openai/api-error.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import { isLimitRefusal } from '../openai/limit-refusal.ts'
import type { Ask, PreparedRequest } from '../requests/prepared-request.ts'
import type { Deadlines } from '../timing/deadlines.ts'
import type { PaceDeps, TimedChunk } from '../timing/paced-stream.ts'
import { replayAnswer } from './answers/replay-answer.ts'
import { isHeadStorable } from './answers/storable.ts'
import { encodeAnswer } from './answers/stored-answer.ts'
import { storedHeaders } from './answers/stored-headers.ts'
import { isInFull, isWholeAnswer } from './answers/whole-answer.ts'
import { tellCacheStatus } from './cache-headers.ts'
import { type FindStoredDeps, type Found, findStored } from './find-stored.ts'
import type { Scope } from './keys/scope.ts'
import type { KnownHits } from './known-hits.ts'
import type { RequestControl } from './request-control.ts'
import { awaitResult, type CallResult } from './single-flight/call-result.ts'
import { startLeaderCall } from './single-flight/leader-call.ts'
import type { SingleFlight } from './single-flight/single-flight.ts'

/** The dependencies of a lookup. */
export interface CacheLookupDeps extends PaceDeps, FindStoredDeps {
  readonly calls: SingleFlight
  readonly deadlines: Deadlines
}

/** Statuses by which an upstream judges a key, and not a request (RFC 9110 §15.5.2, §15.5.3; RFC 6585 §4). */
const KEY_STATUSES: ReadonlySet<number> = new Set([401, 402, 403, 429])

/** A request that the cache may answer. */
export interface CacheLookup {
  /** Learns from a request that is a hit. */
  readonly hits: KnownHits
  readonly request: PreparedRequest
  readonly key: string
  readonly scope: Scope
  readonly control: RequestControl
  readonly next: Ask
}

/**
 * Answers from the store, from an equal call of the same scope that is under way, or by asking; an answer that is asked for is stored when
 * it is complete. Rejects with `only_if_cached` where the request forbids to ask.
 *
 * @example
 * return answerFromCache({ request, key, scope, control, next }, { store, decoded, calls, now, deadlines, sleep })
 */
export async function answerFromCache(lookup: CacheLookup, deps: CacheLookupDeps): Promise<Response> {
  const { request, key, control, next, hits } = lookup
  const looking = findStored(key, control, deps)
  let found = looking instanceof Promise ? await looking : looking
  // An answer that has just ended may report a failure, which no request gets that comes later.
  for (let judged = deps.calls.judged(key); judged !== undefined && isMissing(found); judged = deps.calls.judged(key)) {
    await judged
    found = await findStored(key, control, deps)
  }
  request.isWatched = true
  if (typeof found === 'object') {
    hits.learn(request, key, control)
    tellCacheStatus(request, { word: 'HIT', storedAt: found.storedAt, ttlMs: found.ttlMs }, key)
    return replayAnswer(found, request.settings.cache.pace, deps)
  }
  if (control.onlyIfCached) {
    // A retry would find the same.
    request.exchange.shouldRetry = false
    throw new ApiError('only_if_cached')
  }
  const endpoint = endpointOf(request.exchange.requestTarget)
  // A request that wants no stored answer wants none that was asked for before it came either.
  const callKey = found === 'request' ? `${key} ${request.exchange.id}` : key
  const { role, answer: pending } = deps.calls.join(
    callKey,
    (abort) => startLeaderCall(request, next, { abort, runsOn: false }, deps),
    {
      signal: request.exchange.abort.signal,
      runsOn: false,
      isInFull: ({ headers }, chunks) => isInFull(endpoint, headers, chunks),
      isGood: (answer, chunks) => !mayStore(lookup, answer) || isWholeAnswer(endpoint, answer.headers, chunks),
      onComplete: (answer, chunks, isGood) =>
        isGood && mayStore(lookup, answer) ? put(lookup, answer, chunks, deps) : undefined,
    },
  )
  const isShared = request.settings.cache.scope === 'shared'
  let result: CallResult
  try {
    result = await awaitResult(pending, request.exchange)
  } catch (cause) {
    // The limits of the one who asked for all are not the others': one of these asks next.
    if (role === 'follower' && isShared && isLimitRefusal(cause)) return answerFromCache(lookup, deps)
    throw cause
  }
  const { answer, deployment } = result
  if (role === 'follower' && KEY_STATUSES.has(answer.status) && isShared) {
    // The verdict on one caller's key is no answer to another caller.
    void ignoreRejection(answer.body?.cancel())
    request.isWatched = false
    tellCacheStatus(request, { word: 'MISS', why: 'miss', isStored: false }, key)
    return next(request)
  }
  request.deployment = deployment
  const isStored = mayStore(lookup, answer)
  if (role === 'follower') tellCacheStatus(request, { word: 'COALESCED' }, key)
  else if (found === 'request') tellCacheStatus(request, { word: 'REFRESH', isStored }, key)
  else tellCacheStatus(request, { word: 'MISS', why: found, isStored }, key)
  return answer
}

function isMissing(found: Found): boolean {
  return found === 'miss' || found === 'stale'
}

function mayStore({ request, control }: CacheLookup, answer: Response): boolean {
  return control.mayStore && isHeadStorable(answer, { isShared: request.settings.cache.scope === 'shared' })
}

function put(
  { key, scope, control }: CacheLookup,
  { status, headers }: Response,
  chunks: readonly TimedChunk[],
  { store }: CacheLookupDeps,
): void | Promise<void> {
  const { ttlMs } = control
  const stored = { status, headers: storedHeaders(headers), chunks, storedAt: Date.now(), ttlMs }
  const set = (bytes: Uint8Array): void | Promise<void> => store.set(key, bytes, { ttlMs, scope })
  const encoding = encodeAnswer(stored)
  return encoding instanceof Promise ? encoding.then(set) : set(encoding)
}
