import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { answerError } from '../http/error-handler.ts'
import { ApiError } from '../openai/api-error.ts'
import { upstreamFailure } from '../upstream/failure.ts'
import type { HttpServerDeps } from './http-server-deps.ts'
import { answerSocket } from './raw-answer.ts'
import { toRequest } from './to-request.ts'
import { relayWebSocket } from './websocket/websocket-relay.ts'

/** Relays a WebSocket upgrade to the upstream, or refuses it like every other request. */
export function answerUpgrade(deps: HttpServerDeps, message: IncomingMessage, socket: Duplex, head: Uint8Array): void {
  socket.on('error', () => socket.destroy())
  if (message.headers.upgrade?.toLowerCase() !== 'websocket') {
    // A server may ignore an upgrade it does not know (RFC 9110 §7.8), but this socket has left the HTTP server.
    answerConnect(deps, message, socket)
    return
  }
  relay(deps, message, socket, head).catch((cause: unknown) => {
    deps.log.error({ err: cause }, 'a WebSocket could not be served')
    socket.destroy()
  })
}

/** Answers what came for a bare socket through the app, which refuses a CONNECT, and ends the connection. */
export function answerConnect(deps: HttpServerDeps, message: IncomingMessage, socket: Duplex): void {
  socket.on('error', () => socket.destroy())
  const answer = async (): Promise<void> =>
    answerSocket(await deps.app.fetch(bareRequest(deps, message, socket)), socket)
  answer().catch((cause: unknown) => {
    deps.log.error({ err: cause }, 'a request could not be served')
    socket.destroy()
  })
}

async function relay(deps: HttpServerDeps, message: IncomingMessage, socket: Duplex, head: Uint8Array): Promise<void> {
  const decision = deps.app.upgrade(bareRequest(deps, message, socket))
  if (decision.kind === 'refused') return answerSocket(decision.response, socket)
  const { exchange, url, target, headers, secret } = decision
  exchange.attempts = 1
  const { firstByteMs, writeIdleMs } = deps.config.timeouts
  const outcome = await relayWebSocket({
    client: socket,
    head,
    url,
    target,
    headers: [...headers],
    timeouts: { firstByteMs, idleMs: writeIdleMs },
    responseHeaders: [['x-request-id', exchange.id]],
    deadlines: deps.app.deadlines,
    secret,
    proxyFor: deps.proxyFor,
  })
  exchange.timeToFirstByteMs = outcome.timeToFirstByteMs
  exchange.status = outcome.status
  if (outcome.kind !== 'failed') return exchange.end({ kind: outcome.kind }, outcome.bytesOut)
  const error = upstreamFailure(outcome.cause)
  if (!outcome.answered) return answerSocket(answerError(error, exchange, deps.log), socket)
  exchange.end({ kind: 'failed', cause: error }, outcome.bytesOut)
}

function bareRequest({ app, config }: HttpServerDeps, message: IncomingMessage, socket: Duplex): Request {
  const abort = new AbortController()
  socket.once('close', () => abort.abort(new ApiError('client_closed')))
  return toRequest(message, {
    abort,
    deadlines: app.deadlines,
    uploadIdleMs: config.timeouts.uploadIdleMs,
  })
}
