import { ApiError } from '../../openai/api-error.ts'
import type { RequestBody } from './request-body.ts'
import type { RequestHead } from './request-head.ts'

/** One request on a connection and its answer, from the head's arrival until the last byte has left. */
export interface Turn {
  readonly head: RequestHead
  readonly body: RequestBody
  /** Aborted where the client leaves, its body turns out to be malformed, or the server breaks it off. */
  readonly abort: AbortController
  /** Whether the head of the answer has been written. */
  isAnswered: boolean
}

/**
 * A standard `Request` of a turn, with its body as bytes where all of it has come, else as a stream.
 *
 * @example
 * const response = await app.fetch(requestOf(turn))
 */
export function requestOf({ head, body, abort }: Turn): Request {
  const { method, headers } = head
  const url = routingUrl(head)
  if (head.bodyBytes === 0) return new Request(url, { method, headers, signal: abort.signal })
  const whole = body.takeWhole()
  if (whole !== undefined) return new Request(url, { method, headers, signal: abort.signal, body: whole })
  const init: RequestInit & { readonly duplex: 'half' } = { method, headers, body: body.stream(), duplex: 'half' }
  return new Request(url, { ...init, signal: abort.signal })
}

/**
 * A URL to route by. What is not fit for one is refused by the guard, which reads the raw target and the Host.
 * Over TLS it is `http` too: Elysia takes the first slash from the seventh character on for the path's.
 */
export function routingUrl({ target, headers }: RequestHead): string {
  const host = headers.get('host')
  const url = `http://${host}${target}`
  return host !== null && target.startsWith('/') && URL.canParse(url) ? url : 'http://unknown.invalid/'
}

/** Whether the client lets the connection go on behind this request (RFC 9112 §9.3). */
export function keepsAlive({ isHttp10, headers, method }: RequestHead): boolean {
  if (method === 'CONNECT') return false
  const connection = headers.get('connection')
  if (connection === null) return !isHttp10
  const options = connection.toLowerCase()
  return !options.includes('close') && (!isHttp10 || options.includes('keep-alive'))
}

/** Whether a request asks for a WebSocket (RFC 6455 §4.2.1). */
export function wantsWebSocket({ method, bodyBytes, headers }: RequestHead): boolean {
  if (method !== 'GET' || bodyBytes !== 0) return false
  if (headers.get('upgrade')?.toLowerCase() !== 'websocket') return false
  return headers.get('connection')?.toLowerCase().includes('upgrade') === true
}

/** Ends a turn with a reason, wherever it is: in its body, upstream, or in its answer. */
export function breakTurn({ body, abort }: Turn, reason: ApiError): void {
  body.fail(reason)
  if (!abort.signal.aborted) abort.abort(reason)
}

/** Ends a turn whose client is gone. */
export function leaveTurn(turn: Turn): void {
  breakTurn(turn, new ApiError('client_closed'))
}
