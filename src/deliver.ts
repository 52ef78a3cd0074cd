import { collect } from './body/read-bytes.ts'
import type { Exchange } from './exchange.ts'
import { ApiError } from './openai/api-error.ts'
import type { JsonEndpoint } from './openai/endpoints.ts'
import { errorEvent } from './stream/error-event.ts'
import { hideSecret } from './stream/hide-secret.ts'
import { keepAlive } from './stream/sse-ping.ts'
import { tap } from './stream/tap.ts'
import type { Deadlines } from './timing/deadlines.ts'
import { upstreamFailure } from './upstream/failure.ts'
import { responseHeaders } from './upstream/headers.ts'

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

/** A JSON answer up to this size is complete before its status is sent, so that a cut one can still be a 502. */
const WHOLE_BYTES_MAX = 1024 * 1024

/**
 * Makes the caller's response of the upstream's answer: the same status, end-to-end headers and bytes.
 *
 * `secret` is the server's key, where this call spent it: an error answer that echoes it is masked.
 * Throws `upstream_invalid_response` for a web page or a redirect where JSON was asked for, and the upstream's
 * failure where a small JSON answer breaks off.
 */
export async function deliver(
  exchange: Exchange,
  endpoint: JsonEndpoint | undefined,
  answer: Response,
  secret: string | undefined,
  deps: DeliverDeps,
): Promise<Response> {
  const mediaType = answer.headers.get('content-type') ?? ''
  refuseWrongKind(exchange, endpoint, answer, mediaType)
  const headers = responseHeaders(answer.headers)
  addOwnHeaders(headers, exchange, mediaType, deps)
  const body = await bodyOf(exchange, endpoint, answer, mediaType, deps)
  exchange.status = answer.status
  const init = { status: answer.status, statusText: answer.statusText, headers }
  const isError = answer.status >= 400
  return new Response(isError && secret !== undefined ? hideSecret(body, headers, secret) : body, init)
}

type Body = ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null

async function bodyOf(
  exchange: Exchange,
  endpoint: JsonEndpoint | undefined,
  answer: Response,
  mediaType: string,
  deps: DeliverDeps,
): Promise<Body> {
  if (answer.body === null || exchange.request.method === 'HEAD') return null
  const expire = (): void => exchange.abort.abort(new ApiError('upstream_timeout'))
  const idle = deps.deadlines.start(deps.streamIdleMs, expire)
  const onFirstChunk = (): void => {
    exchange.timeToFirstByteMs = performance.now() - exchange.startedAt
  }
  if (isSmallJson(mediaType, answer.headers)) {
    try {
      const bytes = await collect(answer.body, WHOLE_BYTES_MAX)
      onFirstChunk()
      return bytes
    } catch (cause) {
      throw upstreamFailure(exchange.abort.signal.aborted ? exchange.abort.signal.reason : cause)
    } finally {
      idle.clear()
    }
  }
  const isEventStream = mediaType.startsWith('text/event-stream')
  exchange.isTapped = true
  const tapped = tap(answer.body, {
    idle,
    onFirstChunk,
    onEnd: exchange.end,
    ...(isEventStream && endpoint !== undefined && { farewell: errorEvent }),
  })
  return isEventStream && deps.ssePingMs > 0 ? keepAlive(tapped, deps.ssePingMs, deps.deadlines) : tapped
}

function isSmallJson(mediaType: string, headers: Headers): boolean {
  const length = headers.get('content-length')
  return length !== null && Number(length) <= WHOLE_BYTES_MAX && /^application\/(json|[\w.+-]+\+json)/.test(mediaType)
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
  if (!isPage && !isRedirect) return
  const cause = isPage ? 'a text/html page' : `a ${answer.status} redirect`
  const error = new ApiError('upstream_invalid_response', { cause: `upstream answered with ${cause}` })
  exchange.abort.abort(error)
  throw error
}

function addOwnHeaders(headers: Headers, exchange: Exchange, mediaType: string, deps: DeliverDeps): void {
  if (!headers.has('x-request-id')) headers.set('x-request-id', exchange.id)
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
