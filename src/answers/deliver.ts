import { answerEndOf, type WatchedEnd } from '../exchange/answer-end.ts'
import { collect, type ReadLimits } from '../exchange/collect-bytes.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { Outcome } from '../exchange/outcome.ts'
import { ApiError } from '../openai/api-error.ts'
import { holdsContent } from '../openai/contents.ts'
import { endpointOf } from '../openai/endpoint-of.ts'
import type { JsonEndpoint } from '../openai/endpoints.ts'
import type { Deadline, Deadlines } from '../timing/deadlines.ts'
import { upstreamFailure } from '../upstream/failure.ts'
import { removeHopByHop } from '../upstream/headers.ts'
import type { AnswerIds } from './answer-ids.ts'
import { noteBody, silentMs, standalone, wholeOf } from './body-note.ts'
import { errorEvent } from './error-event.ts'
import { holdEnd } from './hold-end.ts'
import { addOwnHeaders } from './own-headers.ts'
import { passThrough } from './pass-through.ts'
import type { RenameModel } from './report-model.ts'
import { hasRoom, isJsonWithin, SHORT_BYTES_MAX } from './short-answer.ts'
import { type ShownNames, showNames } from './show-names.ts'
import { keepAlive } from './sse-ping.ts'
import { Tap } from './tap.ts'

/** What the way back to the caller needs. */
export interface DeliverDeps {
  readonly deadlines: Deadlines
  readonly ssePingMs: number
  /** What is held of answers counts here. */
  readonly reading: ReadLimits
}

/** What the way back has to know of the way there. */
export interface Via {
  /** The answer comes from an upstream now, and not from what is kept. */
  readonly isUpstreams: boolean
  /** Between two chunks of the upstream's; 0: none. */
  readonly streamIdleMs: number
  readonly debugHeaders: boolean
  /** Gives the names that the answer is to have for its models; undefined: the upstream's, byte for byte. */
  readonly renameModel: RenameModel | undefined
  /** Makes what looks for the ids of objects in a good answer, where these have to be remembered. */
  readonly objectsIn: ((headers: Headers) => AnswerIds | undefined) | undefined
}

/** What is complete before its status is sent, so that a cut one can still be a 502, is not larger than this. */
const WHOLE_BYTES_MAX = 1024 * 1024

/**
 * Makes the caller's response of the upstream's answer: the same status, end-to-end headers and bytes.
 *
 * It is the answer itself wherever nothing else has to be shown, with a note beside it of how its body is to be read.
 *
 * Throws `upstream_invalid_response` for a web page or a redirect where JSON was asked for, or a status that HTTP
 * does not have, and the upstream's failure where a body that has to be whole breaks off.
 */
export function deliver(
  exchange: Exchange,
  endpoint: JsonEndpoint | undefined,
  answer: Response,
  via: Via,
  deps: DeliverDeps,
): Response | Promise<Response> {
  const { headers, status } = answer
  const mediaType = headers.get('content-type')?.toLowerCase() ?? ''
  refuseWrongKind(exchange, endpoint, answer)
  const isEventStream = mediaType.startsWith('text/event-stream')
  const { deadlines } = deps
  const isOpen = isEventStream || !headers.has('content-length')
  // Of its framing the headers tell only as they came.
  const end = isOpen ? answerEndOf(exchange, answer, { isUpstreams: via.isUpstreams, deadlines }) : undefined
  removeHopByHop(headers)
  addOwnHeaders(headers, exchange, via.debugHeaders)
  const names = answer.ok && via.renameModel !== undefined ? showNames(headers, via.renameModel) : undefined
  const isInCode = names?.isEncoded === true
  // No client waits for the bytes that such a status can't have (RFC 9110 §15.3.5, §15.3.6).
  if (status === 204 || status === 205) headers.delete('content-length')
  exchange.status = status
  exchange.isDelivered = true
  const objects = status < 300 ? via.objectsIn?.(headers) : undefined
  if (!hasBody(exchange, answer)) return new Response(null, answer)
  const isRead = wholeOf(answer) !== undefined
  // What has been read already still has to be renamed or looked into where the rest would be.
  if (isRead && names === undefined && objects === undefined) {
    exchange.timeToFirstByteMs = performance.now() - exchange.startedAt
    return answer
  }
  const isWhole =
    !isInCode && (isRead || (isJsonWithin(headers, WHOLE_BYTES_MAX) && hasRoom(headers, exchange, deps.reading)))
  if (isWhole) return deliverWhole(exchange, answer, via, names, objects, deps)
  const { body } = isRead ? standalone(answer) : answer
  if (body === null) return new Response(null, answer)
  if (isEventStream) exchange.stream = true
  const watching = { ...watch(exchange, answer, via, objects, deps), end }
  const tap = tapOf(exchange, headers, isEventStream && endpoint !== undefined, watching)
  const isPinged = isEventStream && isOpenEnded(headers) && deps.ssePingMs > 0
  const isHeld = objects?.isLate === true
  if (!isPinged && names === undefined && !isHeld) return noteBody(answer, { tap })
  let shown = passThrough(body, tap)
  if (names !== undefined) shown = names.stream(shown)
  if (isHeld) shown = holdEnd(shown, objects.end)
  if (isPinged) shown = keepAlive(shown, deps.ssePingMs, deps.deadlines)
  const response = new Response(shown, answer)
  // Whoever reads what has been made of it has to know as well when it is there in full.
  const shownEnd = answerEndOf(exchange, response, { isUpstreams: false, deadlines })
  return shownEnd === undefined ? response : noteBody(response, { tap: new Tap({ end: shownEnd, onEnd: nothing }) })
}

function nothing(): void {}

function hasBody(exchange: Exchange, { status }: Response): boolean {
  return exchange.request.method !== 'HEAD' && status !== 204 && status !== 205 && status !== 304
}

/** What watches a body that passes through, and reports the exchange's end. */
function tapOf(
  exchange: Exchange,
  headers: Headers,
  isCompletion: boolean,
  watching: Watching & { readonly end: WatchedEnd | undefined },
): Tap {
  const finalBytesFor = (tail: Uint8Array, cause: unknown): Uint8Array | undefined =>
    errorEvent(tail, causeOf(exchange, cause))
  exchange.isTapped = true
  return new Tap({
    ...watching,
    onEnd: (outcome, bytes) => exchange.end(outcome, bytes),
    ...(isCompletion && isOpenEnded(headers) && { finalBytesFor }),
  })
}

/** In an encoded stream, or one whose length has been told, there is no room for an event of ours. */
function isOpenEnded(headers: Headers): boolean {
  return !headers.has('content-encoding') && !headers.has('content-length')
}

/** The response when all of its body has come; fails with the upstream's failure where it breaks off. */
async function deliverWhole(
  exchange: Exchange,
  given: Response,
  via: Via,
  names: ShownNames | undefined,
  objects: AnswerIds | undefined,
  deps: DeliverDeps,
): Promise<Response> {
  const answer = standalone(given)
  const { headers } = answer
  const bytesMax = wholeOf(given) === undefined ? WHOLE_BYTES_MAX : Number.POSITIVE_INFINITY
  const isSmall = Number(headers.get('content-length') ?? Number.POSITIVE_INFINITY) <= SHORT_BYTES_MAX
  const watching = watch(exchange, given, via, objects, deps)
  try {
    const whole = isSmall
      ? new Uint8Array(await answer.arrayBuffer())
      : await collectWatched(answer.body, watching, bytesMax)
    if (isSmall) {
      watching.onFirstChunk()
      watching.onChunk?.(whole)
    }
    if (objects?.isLate === true) await objects.end()
    if (names === undefined) return noteBody(answer, { whole })
    const named = names.whole(whole)
    headers.set('content-length', String(named.byteLength))
    return noteBody(answer, { whole: named })
  } catch (thrown) {
    throw thrown instanceof ApiError ? thrown : upstreamFailure(causeOf(exchange, thrown))
  } finally {
    watching.idle.clear()
  }
}

/** Collects a body that is watched chunk by chunk: it may take long, if only it goes on. */
async function collectWatched(
  body: ReadableStream<Uint8Array> | null,
  watching: Watching,
  bytesMax: number,
): Promise<Uint8Array<ArrayBuffer>> {
  if (body === null) return new Uint8Array()
  let broken: unknown
  const onEnd = (outcome: Outcome): void => {
    if (outcome.kind === 'failed') broken = outcome.cause
  }
  try {
    return await collect(passThrough(body, new Tap({ ...watching, onEnd })), bytesMax)
  } catch (thrown) {
    // A tapped body breaks without a reason, which its watcher has been told; what has one is the limit above.
    throw thrown === undefined ? broken : new ApiError('upstream_invalid_response', { cause: thrown })
  }
}

interface Watching {
  readonly idle: Deadline
  readonly onFirstChunk: () => void
  readonly onChunk?: (chunk: Uint8Array) => void
}

/** What every body of an answer is watched for. */
function watch(
  exchange: Exchange,
  answer: Response,
  { streamIdleMs }: Via,
  objects: AnswerIds | undefined,
  deps: DeliverDeps,
): Watching {
  const timeOut = (): void => exchange.abort.abort(new ApiError('upstream_timeout'))
  return {
    idle: deps.deadlines.start(streamIdleMs, timeOut, silentMs(answer)),
    onFirstChunk() {
      exchange.timeToFirstByteMs = performance.now() - exchange.startedAt
    },
    ...(objects !== undefined && { onChunk: objects.add }),
  }
}

/** A broken body is only the last thing seen: what broke it is the abort's reason, where there is one. */
function causeOf({ abort }: Exchange, seen: unknown): unknown {
  return abort.signal.aborted ? abort.signal.reason : seen
}

/**
 * Says what is wrong with the kind of an answer: a page or a redirect where an API's answer belongs means that the base URL
 * is not an API's. The content of a file may be a page. undefined: nothing.
 *
 * @example
 * const isFailure = wrongKindOf(exchange, endpoint, answer) !== undefined
 */
export function wrongKindOf(
  { request, requestTarget: target }: Exchange,
  endpoint: JsonEndpoint | undefined,
  { ok, status, headers }: Response,
): string | undefined {
  if (status < 200 || status > 599) return `a ${status}`
  if (status >= 300 && status < 400 && endpoint !== undefined) return `a ${status} redirect`
  if (!ok || headers.get('content-type')?.toLowerCase().startsWith('text/html') !== true) return undefined
  const wantsJson = endpoint !== undefined || request.headers.get('accept')?.includes('application/json') === true
  return wantsJson && !holdsContent(endpointOf(target)) ? 'a text/html page' : undefined
}

/** Throws `upstream_invalid_response` for an answer of the wrong kind. */
export function refuseWrongKind(exchange: Exchange, endpoint: JsonEndpoint | undefined, answer: Response): void {
  const found = wrongKindOf(exchange, endpoint, answer)
  if (found === undefined) return
  throw new ApiError('upstream_invalid_response', { cause: `upstream answered with ${found}` })
}
