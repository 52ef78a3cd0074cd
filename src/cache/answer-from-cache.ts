import { ignoreRejection } from '../formats/ignore-rejection.ts'
import { ApiError } from '../openai/api-error.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import type { PreparedRequest } from '../requests/prepared-request.ts'
import type { Store } from '../storage/store.ts'
import type { Deadlines } from '../timing/deadlines.ts'
import type { PaceDeps, TimedChunk } from '../timing/paced-stream.ts'
import { whyUnusable } from './answers/freshness.ts'
import { replayAnswer } from './answers/replay-answer.ts'
import { isHeadStorable } from './answers/storable.ts'
import { decodeAnswer, encodeAnswer, type StoredAnswer } from './answers/stored-answer.ts'
import { storedHeaders } from './answers/stored-headers.ts'
import { isInFull, isWholeAnswer } from './answers/whole-answer.ts'
import type { CacheStatus } from './cache-headers.ts'
import type { Scope } from './keys/scope.ts'
import type { RequestControl } from './request-control.ts'
import type { AskNext, Reused } from './reuse-request.ts'
import { awaitResult } from './single-flight/call-result.ts'
import { startLeaderCall } from './single-flight/leader-call.ts'
import type { SingleFlight } from './single-flight/single-flight.ts'

/** What a lookup needs. */
export interface CacheLookupDeps extends PaceDeps {
  /** Where answers are stored; its failures are nobody else's. */
  readonly store: Store
  readonly calls: SingleFlight
  readonly deadlines: Deadlines
}

/** Statuses by which an upstream judges a key, and not a request (RFC 9110 §15.5.2, §15.5.3; RFC 6585 §4). */
const KEY_STATUSES: ReadonlySet<number> = new Set([401, 402, 403, 429])

/** A request that the cache may answer. */
export interface CacheLookup {
  readonly request: PreparedRequest
  readonly key: string
  readonly scope: Scope
  readonly control: RequestControl
  readonly next: AskNext
}

/**
 * Answers from the store, from an equal call of the same scope that is under way, or by asking; an answer that is asked for is stored when
 * it is complete. Rejects with `only_if_cached` where the request forbids to ask.
 *
 * @example
 * return answerFromCache({ request, key, scope, control, next }, { store, calls, now, deadlines, sleep })
 */
export async function answerFromCache(lookup: CacheLookup, deps: CacheLookupDeps): Promise<Reused> {
  const { request, key, control, next } = lookup
  let found = await look(lookup, deps)
  // An answer that has just ended may report a failure, which no request gets that comes later.
  for (let judged = deps.calls.judged(key); judged !== undefined && isMissing(found); judged = deps.calls.judged(key)) {
    await judged
    found = await look(lookup, deps)
  }
  if (typeof found === 'object') {
    const answer = replayAnswer(found, request.settings.cache.pace, deps)
    const served: CacheStatus = { word: 'HIT', storedAt: found.storedAt, ttlMs: found.ttlMs }
    return { answer, deployment: undefined, isWatched: true, served, key }
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
  const { answer, deployment } = await awaitResult(pending, request.exchange)
  if (role === 'follower' && KEY_STATUSES.has(answer.status) && request.settings.cache.scope === 'shared') {
    // The verdict on one caller's key is no answer to another caller.
    void ignoreRejection(answer.body?.cancel())
    return {
      ...(await next(request.exchange)),
      isWatched: false,
      served: { word: 'MISS', why: 'miss', isStored: false },
      key,
    }
  }
  const isStored = mayStore(lookup, answer)
  const served: CacheStatus =
    role === 'follower'
      ? { word: 'COALESCED' }
      : found === 'request'
        ? { word: 'REFRESH', isStored }
        : { word: 'MISS', why: found, isStored }
  return { answer, deployment, isWatched: true, served, key }
}

/** The stored answer of a key that will do, or why there is none. */
type Found = StoredAnswer | 'miss' | 'stale' | 'request'

async function look({ key, control }: CacheLookup, { store }: CacheLookupDeps): Promise<Found> {
  if (!control.mayLook) return 'request'
  const got = store.get(key)
  const bytes = got instanceof Promise ? await got : got
  const decoding = bytes === undefined ? undefined : decodeAnswer(bytes)
  const stored = decoding instanceof Promise ? await decoding : decoding
  if (stored === undefined) return 'miss'
  return whyUnusable(stored, control, Date.now()) ?? stored
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
