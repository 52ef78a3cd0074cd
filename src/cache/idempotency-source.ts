import type { Sha256 } from '../formats/bytes/digest.ts'
import { isJsonObject } from '../formats/json/json.ts'
import { ApiError } from '../openai/api-error.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import type { ErrorKind } from '../openai/error-catalogue.ts'
import { startsWork } from '../openai/works-on.ts'
import { type OutgoingBody, outlineOf } from '../requests/outgoing-body.ts'
import type { Ask, PreparedRequest } from '../requests/prepared-request.ts'
import type { Deadlines, Sleep } from '../timing/deadlines.ts'
import { replayAnswer } from './answers/replay-answer.ts'
import { comparableBody } from './idempotency/comparable-body.ts'
import { scopeOf } from './keys/scope.ts'
import { keyInScope } from './keys/scoped-key.ts'
import type { ProcessIdempotency } from './process-idempotency.ts'
import { awaitResult } from './single-flight/call-result.ts'
import { startLeaderCall } from './single-flight/leader-call.ts'
import type { StageSource } from './stage-source.ts'

/** The dependencies of the answers to requests with an `Idempotency-Key`. */
export interface IdempotencySourceDeps {
  readonly idempotency: ProcessIdempotency
  readonly digest: Sha256
  /** Milliseconds, monotonic. */
  readonly now: () => number
  readonly deadlines: Deadlines
  readonly sleep: Sleep
}

/** Errors that a retry would get again. SDKs would try again after a 409. */
const FINAL: ReadonlySet<ErrorKind> = new Set([
  'idempotency_conflict',
  'idempotency_outcome_unknown',
  'idempotency_answer_not_kept',
])
const NOTHING = new Uint8Array()

/**
 * Makes the source of the answers to requests with an `Idempotency-Key`. For those of one key the upstream is asked once: a retry joins the
 * call that is under way, or gets its stored answer.
 *
 * @example
 * const source = createIdempotencySource({ idempotency, digest, now, deadlines, sleep })
 * const answer = await source.answer(request, next)
 */
export function createIdempotencySource(deps: IdempotencySourceDeps): StageSource {
  return { bodyNeeded: () => 'any', answer: (request, next) => answerByKey(request, next, deps) }
}

/** Rejects as `next` does, and with the errors of `Idempotency.claim`. */
async function answerByKey(request: PreparedRequest, next: Ask, deps: IdempotencySourceDeps): Promise<Response> {
  const { exchange, outgoing, settings } = request
  const { principal } = exchange
  const { headers } = exchange.request
  const name = idempotencyNameOf(headers) ?? ''
  const scope = scopeOf({ principal, headers }, { scope: 'principal' }, deps.digest)
  // Retries are compared as the caller sent them: the rules may have changed in between.
  const { received } = outgoing
  const isRead = received === null || received instanceof Uint8Array
  const comparing = received instanceof Uint8Array ? comparableBody(received, headers.get('content-type')) : NOTHING
  const body = comparing instanceof Promise ? await comparing : comparing
  const unread = isRead ? '' : `unread, ${headers.get('content-length')} bytes`
  const keying = keyInScope(scope, request, body, unread, deps.digest)
  const fingerprint = keying instanceof Promise ? await keying : keying
  const endpoint = endpointOf(exchange.requestTarget)
  const isBackground = startsWork(endpoint, outlineOf(outgoing), sentBytesOf(outgoing))
  const runsOn = settings.idempotency.onDisconnect === 'drain' || isBackground
  const { signal } = exchange.abort
  try {
    const { role, answer: pending } = await deps.idempotency.claim(
      { scope, name, fingerprint, endpoint, isBackground },
      (abort) => startLeaderCall(request, next, { abort, runsOn }, deps),
      {
        ...{ signal, runsOn, stores: deps.idempotency.stores() },
        ...{ windowMs: settings.idempotency.windowMs, keptBytesMax: settings.cache.answerBytesMax },
      },
    )
    const { answer, deployment, stored } = await awaitResult(pending, exchange)
    request.deployment = deployment
    request.isWatched = true
    const how = stored === undefined ? (role === 'follower' ? 'joined' : undefined) : stored.how
    if (how !== undefined) {
      request.mark = (marked) => {
        marked.set('idempotent-replayed', 'true')
        exchange.idempotent = how
      }
    }
    return stored === undefined ? answer : replayAnswer(stored.answer, settings.cache.pace, deps)
  } catch (thrown) {
    if (thrown instanceof ApiError && FINAL.has(thrown.kind)) exchange.shouldRetry = false
    throw thrown
  }
}

/**
 * Reads a request's `Idempotency-Key`; undefined: it has none. A value that came twice, as through two proxies, counts once.
 *
 * Throws `invalid_idempotency_key` where it is empty: its sender relies on it.
 *
 * @example
 * const name = idempotencyNameOf(exchange.request.headers)
 */
export function idempotencyNameOf(headers: Headers): string | undefined {
  const value = headers.get('idempotency-key')
  if (value === null) return undefined
  const text = value.trim()
  const half = (text.length - 2) / 2
  // Repeated headers are joined by a comma and a space.
  const isTwice = text.slice(half, half + 2) === ', ' && text.slice(0, half) === text.slice(half + 2)
  const name = isTwice ? text.slice(0, half) : text
  if (name === '' || name === ',') throw new ApiError('invalid_idempotency_key')
  return name
}

/** The bytes that go upstream, where the parsed copy does not tell them: a rule has changed the body, or there is no copy. */
function sentBytesOf(outgoing: OutgoingBody): Uint8Array | undefined {
  if (isJsonObject(outlineOf(outgoing)) && !outgoing.isChangedFor(undefined)) return undefined
  const body = outgoing.textFor(undefined) ?? outgoing.received
  return body instanceof Uint8Array ? body : undefined
}
