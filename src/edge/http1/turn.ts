import { ApiError } from '../../openai/api-error.ts'
import type { RequestBody } from './request-body.ts'
import type { RequestHead } from './request-head.ts'

/** One request on a connection and its answer, from the head's arrival until the last byte has left. */
export interface Turn {
  readonly head: RequestHead
  readonly body: RequestBody
  /** Aborted where the client leaves, its body turns out to be malformed, or the server breaks it off. */
  readonly abort: AbortController
  /** Whether the connection ends with this answer. */
  isLast: boolean
  /** Whether the head of the answer has been written. */
  isAnswered: boolean
}

/**
 * A standard `Request` of a turn, complete with its body and a signal.
 *
 * @example
 * const response = await openai.fetch(requestOf(turn))
 */
export function requestOf({ head, body, abort }: Turn): Request {
  const { signal } = abort
  if (head.bodyBytes === 0) return new Request(head.request, { signal })
  const init: RequestInit & { readonly duplex: 'half' } = { body: body.stream(), duplex: 'half', signal }
  return new Request(head.request, init)
}

/** Whether the client lets the connection go on behind this request (RFC 9112 §9.3). */
export function keepsAlive({ isHttp10, request, method }: RequestHead): boolean {
  if (method === 'CONNECT') return false
  const connection = request.headers.get('connection')
  if (connection === null) return !isHttp10
  const options = connection.toLowerCase()
  return !options.includes('close') && (!isHttp10 || options.includes('keep-alive'))
}

/** Whether a request asks for a WebSocket (RFC 6455 §4.2.1). */
export function wantsWebSocket({ method, bodyBytes, request }: RequestHead): boolean {
  if (method !== 'GET' || bodyBytes !== 0) return false
  if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') return false
  return request.headers.get('connection')?.toLowerCase().includes('upgrade') === true
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
