import { collect } from './body/read-bytes.ts'
import type { Exchange } from './exchange.ts'
import { ApiError } from './openai/api-error.ts'
import type { JsonEndpoint } from './openai/endpoints.ts'
import { noteBody } from './stream/body-note.ts'
import { errorEvent } from './stream/error-event.ts'
import { hideSecret, isEncoded } from './stream/hide-secret.ts'
import type { Outcome } from './stream/outcome.ts'
import { keepAlive } from './stream/sse-ping.ts'
import { passThrough, Tap } from './stream/tap.ts'
import type { Deadline, Deadlines } from './timing/deadlines.ts'
import { upstreamFailure } from './upstream/failure.ts'
import { removeHopByHop } from './upstream/headers.ts'

/** What the way back to the caller needs. */
export interface DeliverDeps {
  readonly deadlines: Deadlines
  /** Between two chunks of the upstream's; 0: none. */
  readonly streamIdleMs: number
  readonly ssePingMs: number
  readonly debugHeaders: boolean
  /** What `x-nexcode-upstream` says: the upstream's host. */
  readonly upstreamName: string
}

/** What is complete before its status is sent, so that a cut one can still be a 502, is not larger than this. */
const WHOLE_BYTES_MAX = 1024 * 1024
const JSON_TYPE = /^application\/(json|[\w.+-]+\+json)/
const SMALL_BYTES_MAX = 64 * 1024

/**
 * Makes the caller's response of the upstream's answer: the same status, end-to-end headers and bytes.
 *
 * It is the answer itself wherever nothing else has to be shown, with a note beside it of how its body is to be read.
 *
 * `secret` is the server's key, where this call spent it: an error answer that echoes it is masked.
 * Throws `upstream_invalid_response` for a web page or a redirect where JSON was asked for, or a status that HTTP
 * does not have, and the upstream's failure where a body that has to be whole breaks off.
 */
export function deliver(
  exchange: Exchange,
  endpoint: JsonEndpoint | undefined,
  answer: Response,
  secret: string | undefined,
  deps: DeliverDeps,
): Response | Promise<Response> {
  const { headers, status } = answer
  const mediaType = headers.get('content-type')?.toLowerCase() ?? ''
  refuseWrongKind(exchange, endpoint, answer, mediaType)
  removeHopByHop(headers)
  addOwnHeaders(headers, exchange, mediaType, deps)
  const echoed = status >= 400 ? secret : undefined
  const isWhole = isSmallJson(mediaType, headers) || (echoed !== undefined && isEncoded(headers))
  // No client waits for the bytes that such a status can't have (RFC 9110 §15.3.5, §15.3.6).
  if (status === 204 || status === 205) headers.delete('content-length')
  exchange.status = status
  exchange.isDelivered = true
  if (!hasBody(exchange, answer)) return new Response(null, answer)
  if (isWhole) return deliverWhole(exchange, answer, echoed, deps)
  const { body } = answer
  if (body === null) return new Response(null, answer)
  const isEventStream = mediaType.startsWith('text/event-stream')
  const tap = tapOf(exchange, headers, isEventStream && endpoint !== undefined, deps)
  const isPinged = isEventStream && isOpenEnded(headers) && deps.ssePingMs > 0
  if (echoed === undefined && !isPinged) return noteBody(answer, { tap })
  const tapped = passThrough(body, tap)
  const shown = isPinged ? keepAlive(tapped, deps.ssePingMs, deps.deadlines) : tapped
  return echoed === undefined ? new Response(shown, answer) : masked(shown, answer, echoed)
}

async function masked(
  body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer>,
  answer: Response,
  secret: string,
): Promise<Response> {
  const shown = await hideSecret(body, answer.headers, secret)
  return new Response(shown, answer)
}

function hasBody(exchange: Exchange, { status }: Response): boolean {
  return exchange.request.method !== 'HEAD' && status !== 204 && status !== 205 && status !== 304
}

/** What watches a body that passes through, and reports the exchange's end. */
function tapOf(exchange: Exchange, headers: Headers, isCompletion: boolean, deps: DeliverDeps): Tap {
  const farewell = (tail: Uint8Array, cause: unknown): Uint8Array | undefined =>
    errorEvent(tail, causeOf(exchange, cause))
  exchange.isTapped = true
  return new Tap({
    ...watch(exchange, deps),
    onEnd: (outcome, bytes) => exchange.end(outcome, bytes),
    ...(isCompletion && isOpenEnded(headers) && { farewell }),
  })
}

/** In an encoded stream, or one whose length has been told, there is no room for an event of ours. */
function isOpenEnded(headers: Headers): boolean {
  return !headers.has('content-encoding') && !headers.has('content-length')
}

/** The response when all of its body has come; fails with the upstream's failure where it breaks off. */
async function deliverWhole(
  exchange: Exchange,
  answer: Response,
  secret: string | undefined,
  deps: DeliverDeps,
): Promise<Response> {
  const isSmall = Number(answer.headers.get('content-length') ?? Number.POSITIVE_INFINITY) <= SMALL_BYTES_MAX
  const { idle, onFirstChunk } = watch(exchange, deps)
  try {
    const whole = isSmall
      ? new Uint8Array(await answer.arrayBuffer())
      : await collectWatched(answer.body, { idle, onFirstChunk })
    if (isSmall) onFirstChunk()
    return secret === undefined ? noteBody(answer, { whole }) : await masked(whole, answer, secret)
  } catch (thrown) {
    throw thrown instanceof ApiError ? thrown : upstreamFailure(causeOf(exchange, thrown))
  } finally {
    idle.clear()
  }
}

/** Collects a body that is watched chunk by chunk: it may take long, if only it goes on. */
async function collectWatched(
  body: ReadableStream<Uint8Array> | null,
  watching: { readonly idle: Deadline; readonly onFirstChunk: () => void },
): Promise<Uint8Array<ArrayBuffer>> {
  if (body === null) return new Uint8Array()
  let broken: unknown
  const onEnd = (outcome: Outcome): void => {
    if (outcome.kind === 'failed') broken = outcome.cause
  }
  try {
    return await collect(passThrough(body, new Tap({ ...watching, onEnd })), WHOLE_BYTES_MAX)
  } catch (thrown) {
    // A tapped body breaks without a reason, which its watcher has been told; what has one is the limit above.
    throw thrown === undefined ? broken : new ApiError('upstream_invalid_response', { cause: thrown })
  }
}

/** What every body of an answer is watched for. */
function watch(exchange: Exchange, deps: DeliverDeps): { idle: Deadline; onFirstChunk: () => void } {
  return {
    idle: deps.deadlines.start(deps.streamIdleMs, () => exchange.abort.abort(new ApiError('upstream_timeout'))),
    onFirstChunk() {
      exchange.timeToFirstByteMs = performance.now() - exchange.startedAt
    },
  }
}

/** A broken body is only the last thing seen: what broke it is the abort's reason, where there is one. */
function causeOf({ abort }: Exchange, seen: unknown): unknown {
  return abort.signal.aborted ? abort.signal.reason : seen
}

function isSmallJson(mediaType: string, headers: Headers): boolean {
  const length = headers.get('content-length')
  return length !== null && Number(length) <= WHOLE_BYTES_MAX && JSON_TYPE.test(mediaType)
}

/** A page or a redirect where an API answer belongs means that the base URL is not an API's. */
function refuseWrongKind(
  exchange: Exchange,
  endpoint: JsonEndpoint | undefined,
  answer: Response,
  mediaType: string,
): void {
  const wantsJson =
    endpoint !== undefined || exchange.request.headers.get('accept')?.includes('application/json') === true
  const isPage = answer.ok && mediaType.startsWith('text/html') && wantsJson
  const isRedirect = answer.status >= 300 && answer.status < 400 && endpoint !== undefined
  const isNoStatus = answer.status < 200 || answer.status > 599
  if (!isPage && !isRedirect && !isNoStatus) return
  const cause = isPage ? 'a text/html page' : `a ${answer.status}${isRedirect ? ' redirect' : ''}`
  throw new ApiError('upstream_invalid_response', { cause: `upstream answered with ${cause}` })
}

function addOwnHeaders(headers: Headers, exchange: Exchange, mediaType: string, deps: DeliverDeps): void {
  exchange.upstreamRequestId = headers.get('x-request-id') ?? undefined
  if (exchange.upstreamRequestId === undefined) headers.set('x-request-id', exchange.id)
  if (exchange.clientRequestId !== undefined) headers.set('x-client-request-id', exchange.clientRequestId)
  if (mediaType.startsWith('text/event-stream')) {
    // nginx and others in front hold an event stream back unless they are told not to.
    if (!headers.has('cache-control')) headers.set('cache-control', 'no-cache')
    if (!headers.has('x-accel-buffering')) headers.set('x-accel-buffering', 'no')
  }
  if (!deps.debugHeaders) return
  const upstreamMs = exchange.upstreamMs ?? 0
  const ownMs = performance.now() - exchange.startedAt - upstreamMs
  headers.append('server-timing', `nexcode;dur=${ownMs.toFixed(2)}, upstream;dur=${upstreamMs.toFixed(2)}`)
  headers.set('x-nexcode-request-id', exchange.id)
  headers.set('x-nexcode-upstream', deps.upstreamName)
  headers.set('x-nexcode-attempts', String(exchange.attempts))
}
