import type { Exchange } from '../exchange/exchange.ts'
import { isEventStream } from '../formats/http/media-types.ts'
import { addRateHeaders } from './rate-headers.ts'

/**
 * Adds this server's headers to an upstream's: ids, headers that keep a stream from being held back, whether to try again, and what
 * the limits of the caller's key leave to it.
 *
 * @example
 * addOwnHeaders(headers, exchange, settings.debugHeaders)
 */
export function addOwnHeaders(headers: Headers, exchange: Exchange, hasDebugHeaders: boolean): void {
  exchange.upstreamRequestId = headers.get('x-request-id') ?? undefined
  if (exchange.upstreamRequestId === undefined) {
    headers.set('x-request-id', exchange.id)
    exchange.upstreamRequestId = headers.get('request-id') ?? undefined
  }
  // Anthropic's SDKs read their request's id there.
  if (exchange.endpoint?.protocol === 'anthropic' && !headers.has('request-id')) headers.set('request-id', exchange.id)
  if (exchange.clientRequestId !== undefined) headers.set('x-client-request-id', exchange.clientRequestId)
  if (isEventStream(headers.get('content-type'))) {
    // nginx and others in front hold an event stream back unless they are told not to.
    if (!headers.has('cache-control')) headers.set('cache-control', 'no-cache')
    if (!headers.has('x-accel-buffering')) headers.set('x-accel-buffering', 'no')
  }
  if (exchange.shouldRetry === false) headers.set('x-should-retry', 'false')
  if (exchange.requestRate !== undefined || exchange.tokenRate !== undefined) addRateHeaders(headers, exchange)
  if (hasDebugHeaders) addDebugHeaders(headers, exchange)
}

/**
 * Adds the headers for debugging: an exchange's times, its attempts, the last upstream that was asked.
 *
 * @example
 * if (settings.debugHeaders) addDebugHeaders(response.headers, exchange)
 */
export function addDebugHeaders(headers: Headers, exchange: Exchange): void {
  const upstreamMs = exchange.upstreamMs ?? 0
  const ownMs = performance.now() - exchange.startedAt - upstreamMs
  headers.append('server-timing', `nexcode;dur=${ownMs.toFixed(2)}, upstream;dur=${upstreamMs.toFixed(2)}`)
  headers.set('x-nexcode-request-id', exchange.id)
  headers.set('x-nexcode-principal', exchange.principalName)
  if (exchange.upstream !== undefined) headers.set('x-nexcode-upstream', exchange.upstream)
  headers.set('x-nexcode-attempts', String(exchange.attempts))
  if (exchange.params !== '') headers.set('x-nexcode-params', exchange.params)
}
