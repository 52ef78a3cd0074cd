import { Elysia } from 'elysia'
import { noteBody } from '../answers/body-note.ts'
import { type Exchange, NO_ENDPOINT_NAME } from '../exchange/exchange.ts'
import { ApiError } from '../openai/api-error.ts'
import { endpointFor } from '../openai/endpoints.ts'
import { isRetriedInVain } from '../openai/error-entry.ts'
import { anthropicErrorOf, protocolOf } from '../openai/protocol.ts'
import type { Log } from '../telemetry/log.ts'
import { SERVED_METHODS } from './guard.ts'
import { PAGE_HEADERS, renderErrorPage, wantsPage } from './pages/small-page.ts'
import { exchangeOf } from './request-context.ts'
import { OPENAPI_PATH } from './routes/documentation.ts'
import { LIVENESS, READINESS } from './routes/health.ts'
import { hasVersionTwice, isServed, passthroughName, unknownUrl } from './routes/openai.ts'

/**
 * Makes the plugin that renders the errors of routes. To be used first: an error handler covers only routes that are added after it.
 *
 * @example
 * new Elysia().use(errorHandler(log)).use(routes)
 */
export const errorHandler = (log: Log) =>
  // The context is destructured because Elysia reads a hook's source: in minified code it takes a context of one letter for one that
  // the hook changes, and then makes every response anew, without its reason phrase.
  new Elysia({ name: 'nexcode/error-handler', seed: log }).onError({ as: 'global' }, ({ error, request }) =>
    answerError(error, exchangeOf(request), log),
  )

/**
 * Ends an exchange with an error, and gives its response. Anything thrown but an `ApiError` is a defect of ours: the answer is
 * `internal_error`, and the stack goes to the log.
 *
 * @example
 * catch (thrown) { return answerError(thrown, exchange, log) }
 */
export function answerError(thrown: unknown, exchange: Exchange, log: Log): Response {
  const isPage = wantsPage(exchange.request)
  const error = errorOf(thrown, isPage, exchange)
  if (error.kind === 'internal_error') log.error({ request_id: exchange.id, err: error.cause }, 'internal error')
  exchange.status = error.entry.status
  exchange.error = error
  // The log also names the route of a request that was refused early; a target that can be read in two ways has none.
  if (exchange.endpointName === NO_ENDPOINT_NAME && error.kind !== 'invalid_target') {
    exchange.endpointName = endpointNameOf(exchange.request.method, exchange.requestTarget) ?? NO_ENDPOINT_NAME
  }
  // An upstream's answer that was on its way is not wanted any more.
  if (exchange.attempts > 0) exchange.abort.abort(error)
  const { status } = error.entry
  const { code, message } = error.body.error
  const isAnthropic = protocolOf(exchange.requestTarget, exchange.received) === 'anthropic'
  const shown = isAnthropic ? anthropicErrorOf(error, exchange.id) : error.body
  const text = isPage ? renderErrorPage({ status, code, message }) : JSON.stringify(shown)
  const body = new TextEncoder().encode(text)
  // The answer to a caller's mistake is complete; a request that the server or the upstream could not serve has failed.
  const hasLeft = error.kind === 'client_closed'
  const isAnswered = error.entry.fault === 'caller' && !hasLeft
  exchange.end(isAnswered ? { kind: 'complete' } : { kind: 'failed', cause: error }, hasLeft ? 0 : body.byteLength)
  const response = renderError(error, body, exchange)
  if (isAnthropic) response.headers.set('request-id', exchange.id)
  if (isPage) for (const [name, value] of Object.entries(PAGE_HEADERS)) response.headers.set(name, value)
  return response
}

const PLAIN_HTTP = [
  ['upgrade', 'HTTP/1.1'],
  ['connection', 'upgrade'],
] as const

/**
 * Gives the error to answer with. A person who has mistyped an address, and a caller whose client has added `/v1` twice, get
 * `unknown_url` in place of a 401: a key would not help them.
 */
function errorOf(thrown: unknown, isPage: boolean, { request, requestTarget: target }: Exchange): ApiError {
  if (!(thrown instanceof ApiError)) return new ApiError('internal_error', { cause: thrown })
  if (thrown.entry.status !== 401) return thrown
  const isMistyped = isPage && !isServed(target) && !target.startsWith(OPENAPI_PATH)
  return isMistyped || hasVersionTwice(target) ? unknownUrl(request.method, target) : thrown
}

/** Renders an error of the catalogue as a response: nothing else does. */
function renderError(
  { entry, kind, retryAfterSeconds, headers: more }: ApiError,
  body: Uint8Array<ArrayBuffer>,
  exchange: Exchange,
): Response {
  const headers = new Headers({
    'content-type': 'application/json; charset=utf-8',
    // With a length the answer is complete at its last byte: a client that is still sending need not wait for the connection's end.
    'content-length': String(body.byteLength),
    'x-request-id': exchange.id,
  })
  if (retryAfterSeconds !== undefined) headers.set('retry-after', String(retryAfterSeconds))
  // After several attempts here, an SDK must not repeat all of them; also when a later attempt's answer broke off.
  const isSpent = exchange.shouldRetry === false || exchange.attempts > 1
  if (isSpent || isRetriedInVain(entry)) headers.set('x-should-retry', 'false')
  if (more !== undefined) for (const [name, value] of Object.entries(more)) headers.set(name, value)
  if (entry.status === 401) headers.set('www-authenticate', 'Bearer')
  // When the framing is in doubt, so are all bytes that follow on the connection (RFC 9112 §6.3).
  if (kind === 'malformed_request') headers.set('connection', 'close')
  // A 426 names the protocol to use instead (RFC 9110 §15.5.22).
  if (entry.status === 426) for (const [name, value] of PLAIN_HTTP) headers.set(name, value)
  if (entry.status === 405) headers.set('allow', [...SERVED_METHODS].join(', '))
  return noteBody(new Response(body, { status: entry.status, headers }), { whole: body })
}

/** This server's own paths, and their names in the log. */
const OWN: ReadonlyMap<string, string> = new Map([
  ...LIVENESS.map((path) => [path, 'health'] as const),
  ...READINESS.map((path) => [path, 'ready'] as const),
  ['/', 'home'],
  ['/favicon.ico', 'favicon'],
  ['/docs', 'docs'],
  [OPENAPI_PATH, 'openapi'],
])

/**
 * Names the endpoint of a request that was refused before it came to its route, for the log; undefined: there is no such endpoint.
 *
 * @example
 * exchange.endpointName = endpointNameOf('POST', '/v1/chat/completions') ?? NO_ENDPOINT_NAME // 'chat.completions'
 */
function endpointNameOf(method: string, target: string): string | undefined {
  const path = target.split('?', 1)[0] ?? ''
  return OWN.get(path) ?? endpointFor(method, target)?.name ?? (isServed(target) ? passthroughName(target) : undefined)
}
