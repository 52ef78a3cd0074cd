import type { Duplex } from 'node:stream'
import { ApiError } from '../../openai/api-error.ts'
import { answerSocket } from '../../upstream/exact/answer-socket.ts'
import { proxyOf } from '../../upstream/exact/proxy-of.ts'
import { upstreamFailure } from '../../upstream/failure.ts'
import type { Arrival } from '../arrival.ts'
import { answerError } from '../error-handler.ts'
import type { HttpServerDeps } from '../http-server-deps.ts'
import type { RequestHead } from '../http1/request-head.ts'
import type { Upgrade } from '../upgrade.ts'
import { relayWebSocket } from './websocket-relay.ts'

/** A WebSocket's upgrade as it came: its head, its connection and whose that is, and what came behind the head. */
export interface ArrivedUpgrade {
  readonly head: RequestHead
  readonly socket: Duplex
  readonly rest: Uint8Array
  readonly from: string
}

/** Relays a WebSocket upgrade to the upstream, or refuses it like every other request. */
export function answerUpgrade(deps: HttpServerDeps, arrived: ArrivedUpgrade): void {
  const { socket } = arrived
  socket.on('error', () => socket.destroy())
  relay(deps, arrived).catch((cause: unknown) => {
    deps.log.error({ err: cause }, 'a WebSocket could not be served')
    socket.destroy()
  })
}

async function relay(deps: HttpServerDeps, arrived: ArrivedUpgrade): Promise<void> {
  const { head, socket, rest } = arrived
  let decision = await deps.app.upgrade(head.request, arrivalOf(arrived))
  for (;;) {
    if (decision.kind === 'refused') return answerSocket(decision.response, socket)
    const another = await relayOnce(deps, decision, socket, rest)
    if (another === undefined) return
    decision = another
  }
}

/** Relays to one upstream. Gives what is to be done in its place, where it has refused the server's key. */
async function relayOnce(
  deps: HttpServerDeps,
  decision: Extract<Upgrade, { kind: 'relay' }>,
  socket: Duplex,
  rest: Uint8Array,
): Promise<Upgrade | undefined> {
  const { exchange, url, target, headers, mask, reach, onSwitch, onRefusal } = decision
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
    memory: deps.app.memory,
    mask,
    onSwitch,
    onRefusal,
    proxyFor: (to) => proxyOf(reach, to, deps.proxyFor),
    ca: reach?.tls?.ca,
  })
  exchange.timeToFirstByteMs = outcome.timeToFirstByteMs
  exchange.status = outcome.status
  const error = upstreamFailure(outcome.cause)
  if (!outcome.answered) {
    const another = await decision.onUnanswered(error)
    if (another !== undefined) return another
  }
  if (outcome.kind !== 'failed') exchange.end({ kind: outcome.kind }, outcome.bytesOut)
  else if (outcome.answered) exchange.end({ kind: 'failed', cause: error }, outcome.bytesOut)
  else await answerSocket(answerError(error, exchange, deps.log), socket)
  return undefined
}

function arrivalOf({ head: { target, isHttp10 }, socket, from }: ArrivedUpgrade): Arrival {
  const abort = new AbortController()
  socket.once('close', () => abort.abort(new ApiError('client_closed')))
  return { target, isHttp10, abort, body: undefined, from }
}
