import type { Duplex } from 'node:stream'
import type { Arrival } from '../http/arrival.ts'
import { answerError } from '../http/error-handler.ts'
import { ApiError } from '../openai/api-error.ts'
import { upstreamFailure } from '../upstream/failure.ts'
import { answerSocket } from './answer-socket.ts'
import type { HttpServerDeps } from './http-server-deps.ts'
import type { RequestHead } from './http1/request-head.ts'
import { proxyOf } from './proxy-of.ts'
import { relayWebSocket } from './websocket/websocket-relay.ts'

/** Relays a WebSocket upgrade to the upstream, or refuses it like every other request. */
export function answerUpgrade(deps: HttpServerDeps, head: RequestHead, socket: Duplex, rest: Uint8Array): void {
  socket.on('error', () => socket.destroy())
  relay(deps, head, socket, rest).catch((cause: unknown) => {
    deps.log.error({ err: cause }, 'a WebSocket could not be served')
    socket.destroy()
  })
}

async function relay(deps: HttpServerDeps, head: RequestHead, socket: Duplex, rest: Uint8Array): Promise<void> {
  const decision = await deps.app.upgrade(head.request, arrivalOf(head, socket))
  if (decision.kind === 'refused') return answerSocket(decision.response, socket)
  const { exchange, url, target, headers, secret, reach } = decision
  const { timeouts } = deps.config
  const outcome = await relayWebSocket({
    client: socket,
    head: rest,
    url,
    target,
    headers: [...headers],
    timeouts: { firstByteMs: decision.firstByteMs ?? timeouts.firstByteMs, idleMs: timeouts.writeIdleMs },
    responseHeaders: [['x-request-id', exchange.id]],
    deadlines: deps.app.deadlines,
    secret,
    proxyFor: (to) => proxyOf(reach, to, deps.proxyFor),
    ca: reach?.tls?.ca,
  })
  decision.onAnswer(outcome.answered ? outcome.status : undefined, outcome.timeToFirstByteMs ?? 0)
  exchange.timeToFirstByteMs = outcome.timeToFirstByteMs
  exchange.status = outcome.status
  if (outcome.kind !== 'failed') return exchange.end({ kind: outcome.kind }, outcome.bytesOut)
  const error = upstreamFailure(outcome.cause)
  if (!outcome.answered) return answerSocket(answerError(error, exchange, deps.log), socket)
  exchange.end({ kind: 'failed', cause: error }, outcome.bytesOut)
}

function arrivalOf({ target }: RequestHead, socket: Duplex): Arrival {
  const abort = new AbortController()
  socket.once('close', () => abort.abort(new ApiError('client_closed')))
  return { target, abort, body: undefined }
}
