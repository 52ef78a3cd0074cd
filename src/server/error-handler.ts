import { Elysia } from 'elysia'
import { noteBody } from '../answers/body-note.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { ApiError } from '../openai/api-error.ts'
import { isRetriedInVain } from '../openai/error-entry.ts'
import type { Log } from '../telemetry/log.ts'
import { SERVED_METHODS } from './guard.ts'
import { PAGE_HEADERS, renderErrorPage, wantsPage } from './pages/small-page.ts'
import { exchangeOf, NO_ROUTE } from './request-context.ts'
import { OPENAPI_PATH } from './routes/documentation.ts'
import { hasVersionTwice, isServed, unknownUrl } from './routes/openai.ts'
import { routeNameOf } from './routes/route-name.ts'

/**
 * Renders whatever a route throws. Used first: an error handler covers only the routes added after it.
 *
 * @example
 * new Elysia().use(errorHandler(log)).use(routes)
 */
export const errorHandler = (log: Log) =>
  // Taken apart: Elysia reads a hook's source, and in a minified one it takes a context of one letter for one that is
  // changed; then it makes every response anew, without its reason phrase.
  new Elysia({ name: 'nexcode/error-handler', seed: log }).onError({ as: 'global' }, ({ error, request }) =>
    answerError(error, exchangeOf(request), log),
  )

/**
 * Ends an exchange with an error. What is no `ApiError` is a defect of ours: it answers as `internal_error`, and
 * its stack goes to the log.
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
  // The log names the route also of what was refused at the door; a target that may be read in two ways has none.
  if (exchange.endpointName === NO_ROUTE && error.kind !== 'invalid_target') {
    exchange.endpointName = routeNameOf(exchange.request.method, exchange.requestTarget) ?? NO_ROUTE
  }
  // An answer of the upstream's that was on its way is wanted no more.
  if (exchange.attempts > 0) exchange.abort.abort(error)
  const { status } = error.entry
  const { code, message } = error.body.error
  const text = isPage ? renderErrorPage({ status, code, message }) : JSON.stringify(error.body)
  const body = new TextEncoder().encode(text)
  // A caller's mistake is answered completely; what we or the upstream could not do has failed.
  const hasLeft = error.kind === 'client_closed'
  const isAnswered = error.entry.fault === 'caller' && !hasLeft
  exchange.end(isAnswered ? { kind: 'complete' } : { kind: 'failed', cause: error }, hasLeft ? 0 : body.byteLength)
  const response = renderError(error, body, exchange)
  if (isPage) for (const [name, value] of Object.entries(PAGE_HEADERS)) response.headers.set(name, value)
  return response
}

const PLAIN_HTTP = [
  ['upgrade', 'HTTP/1.1'],
  ['connection', 'upgrade'],
] as const

/**
 * A person who has mistyped an address is told so, and so is everybody whose client has put `/v1` in front twice; neither is asked
 * for a key first: there is nothing that it would open.
 */
function errorOf(thrown: unknown, isPage: boolean, { request, requestTarget: target }: Exchange): ApiError {
  if (!(thrown instanceof ApiError)) return new ApiError('internal_error', { cause: thrown })
  if (thrown.entry.status !== 401) return thrown
  const isMistyped = isPage && !isServed(target) && !target.startsWith(OPENAPI_PATH)
  return isMistyped || hasVersionTwice(target) ? unknownUrl(request.method, target) : thrown
}

/** The one place where the catalogue becomes a response. */
function renderError(
  { entry, kind, retryAfterSeconds }: ApiError,
  body: Uint8Array<ArrayBuffer>,
  exchange: Exchange,
): Response {
  const headers = new Headers({
    'content-type': 'application/json; charset=utf-8',
    // Complete at its last byte: a client that is still sending need not wait for the connection's end.
    'content-length': String(body.byteLength),
    'x-request-id': exchange.id,
  })
  if (retryAfterSeconds !== undefined) headers.set('retry-after', String(retryAfterSeconds))
  // Also where a later attempt's answer broke off: who has tried again here must not have the SDK try all of it again.
  const isSpent = exchange.shouldRetry === false || exchange.attempts > 1
  if (isSpent || isRetriedInVain(entry)) headers.set('x-should-retry', 'false')
  if (entry.status === 401) headers.set('www-authenticate', 'Bearer')
  // Where the framing is in doubt, what follows on the connection is in doubt too (RFC 9112 §6.3).
  if (kind === 'malformed_request') headers.set('connection', 'close')
  // What is to be spoken in place of the protocol that was asked for (RFC 9110 §15.5.22).
  if (entry.status === 426) for (const [name, value] of PLAIN_HTTP) headers.set(name, value)
  if (entry.status === 405) headers.set('allow', [...SERVED_METHODS].join(', '))
  return noteBody(new Response(body, { status: entry.status, headers }), { whole: body })
}
