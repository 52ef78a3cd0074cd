import type { IncomingBody } from '../../exchange/exchange.ts'
import { ApiError } from '../../openai/api-error.ts'
import type { RequestHead } from './request-head.ts'

/** The body of a turn: read by whoever serves it, fed by the connection. */
export interface TurnBody extends IncomingBody {
  /** Whether somebody has begun to read it, and goes on. */
  readonly isBeingRead: boolean
  /** Takes bytes of the connection, and returns those behind the body, if any. Throws `malformed_request`. */
  feed(bytes: Buffer): Buffer | undefined
  /** To be called when something was fed. */
  settle(): void
  /** It will never be complete: whoever reads it is told. */
  fail(cause: unknown): void
  /** Nobody wants the rest. */
  drop(): void
  /** Calls back when nothing more of it will come. */
  onceOver(callback: () => void): void
}

/** One request on a connection and its answer, from the head's arrival until the last byte has left. */
export interface Turn {
  readonly head: RequestHead
  readonly body: TurnBody
  /** Whose connection it came by. */
  readonly from: string
  /** Aborted where the client leaves, its body turns out to be malformed, or the server breaks it off. */
  readonly abort: AbortController
  /** Whether the connection ends with this answer. */
  isLast: boolean
  /** Whether the head of the answer has been written. */
  isAnswered: boolean
  /** Asked where the client leaves: whether the answer goes on to its end all the same, since the client has all that it asked for. */
  onLeave?: (() => boolean) | undefined
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

/** Whether a client waits to be told to send its body (RFC 9110 §10.1.1). */
export function expectsContinue({ head, isAnswered }: Turn): boolean {
  if (isAnswered || head.isHttp10) return false
  return head.request.headers.get('expect')?.toLowerCase() === '100-continue'
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

/** Ends a turn whose client is gone, at once or behind what is still read for it. */
export function leaveTurn(turn: Turn): void {
  const reason = new ApiError('client_closed')
  if (turn.onLeave?.() === true) turn.body.fail(reason)
  else breakTurn(turn, reason)
}
