import type { Settings } from '../config/settings.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { isJsonObject } from '../formats/json/json.ts'
import { ApiError } from '../openai/api-error.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import type { ErrorKind } from '../openai/error-catalogue.ts'
import { startsWork } from '../openai/works-on.ts'
import type { OutgoingBody } from '../requests/outgoing-body.ts'
import { replayAnswer } from './answers/replay-answer.ts'
import { comparableBody } from './idempotency/comparable-body.ts'
import { idempotencyNameOf } from './idempotency/idempotency.ts'
import { scopeOf } from './keys/scope.ts'
import { keyInScope } from './keys/scoped-key.ts'
import type { Once } from './once.ts'
import type { ReuseDeps, Reused, ReuseRequest } from './reuse-request.ts'
import { awaitResult, startLeaderCall } from './single-flight/leader-call.ts'

/** What answering once needs. */
export interface AnswerOnceDeps extends ReuseDeps {
  readonly once: Once
}

/** Asked again, the answer would be the same; and SDKs try again after a 409. */
const FINAL: ReadonlySet<ErrorKind> = new Set([
  'idempotency_conflict',
  'idempotency_outcome_unknown',
  'idempotency_answer_not_kept',
])
const NOTHING = new Uint8Array()

/**
 * Whether a request is to be made once: a POST with an `Idempotency-Key`, where these are looked at.
 *
 * @example
 * if (isOnce(exchange, settings)) return answerOnce(request, deps)
 */
export function isOnce({ request }: Exchange, { idempotency }: Settings): boolean {
  return idempotency.windowMs > 0 && request.method === 'POST' && request.headers.has('idempotency-key')
}

/**
 * Answers a request with an `Idempotency-Key`: the upstream is asked once, and the cache not at all. Rejects as asking does, and with
 * the errors of `Idempotency.claim`.
 *
 * @example
 * const reused = await answerOnce(request, deps)
 */
export async function answerOnce(request: ReuseRequest, deps: AnswerOnceDeps): Promise<Reused> {
  const { exchange, outgoing, settings } = request
  const { principal } = exchange
  const { headers } = exchange.request
  const name = idempotencyNameOf(headers) ?? ''
  const scope = scopeOf({ principal, headers }, { scope: 'principal' }, deps.digest)
  // What the caller sent: the rules may be other ones when it tries again.
  const { received } = outgoing
  const isRead = received === null || received instanceof Uint8Array
  const comparing = received instanceof Uint8Array ? comparableBody(received, headers.get('content-type')) : NOTHING
  const body = comparing instanceof Promise ? await comparing : comparing
  const unread = isRead ? '' : `unread, ${headers.get('content-length')} bytes`
  const naming = keyInScope(scope, request, body, unread, deps.digest)
  const fingerprint = naming instanceof Promise ? await naming : naming
  const isBackground = startsWork(endpointOf(exchange.requestTarget), outgoing.value, sentOf(outgoing))
  const runsOn = settings.idempotency.onDisconnect === 'drain' || isBackground
  const { signal } = exchange.abort
  try {
    const { role, answer: joining } = await deps.once.idempotency.claim(
      { scope, name, fingerprint, endpoint: endpointOf(exchange.requestTarget), isBackground },
      (abort) => startLeaderCall(request, { abort, runsOn }, deps),
      {
        ...{ signal, runsOn, places: deps.once.places() },
        ...{ windowMs: settings.idempotency.windowMs, keptBytesMax: settings.cache.answerBytesMax },
      },
    )
    const { answer, note } = await awaitResult(joining, exchange)
    const { deployment, kept } = note
    const reused = { deployment, isWatched: true, served: undefined, key: undefined }
    if (kept === undefined) return { ...reused, answer, idempotent: role === 'follower' ? 'joined' : undefined }
    return { ...reused, answer: replayAnswer(kept.answer, settings.cache.pace, deps), idempotent: kept.how }
  } catch (thrown) {
    if (thrown instanceof ApiError && FINAL.has(thrown.kind)) exchange.shouldRetry = false
    throw thrown
  }
}

/** What goes upstream, where its parsed copy does not tell that: a rule has changed it, or there is none. */
function sentOf(outgoing: OutgoingBody): Uint8Array | undefined {
  if (isJsonObject(outgoing.value) && !outgoing.isChangedFor(undefined)) return undefined
  const body = outgoing.textFor(undefined) ?? outgoing.received
  return body instanceof Uint8Array ? body : undefined
}
