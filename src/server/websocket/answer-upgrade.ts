import type { Duplex } from 'node:stream'
import type { Config } from '../../config/config.ts'
import type { Arrival, BodilessRequest } from '../../exchange/arrival.ts'
import type { MemoryBudget } from '../../exchange/memory-budget.ts'
import { REASONS } from '../../formats/http/reasons.ts'
import { ApiError } from '../../openai/api-error.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Deadlines } from '../../timing/deadlines.ts'
import { type ProxyFor, proxyOf } from '../../upstream/exact/proxy-of.ts'
import { upstreamFailure } from '../../upstream/failure.ts'
import { answerError } from '../error-handler.ts'
import type { RequestHead } from '../http1/request-head.ts'
import type { Upgrade } from '../upgrade.ts'
import { relayWebSocket } from './websocket-relay.ts'

/** The dependencies of answering upgrades. */
export interface AnswerUpgradeDeps {
  readonly app: {
    readonly upgrade: (request: BodilessRequest, arrival: Arrival) => Promise<Upgrade>
    readonly deadlines: Deadlines
    readonly memory: MemoryBudget
  }
  readonly config: Pick<Config, 'timeouts' | 'limits'>
  readonly log: Log
  readonly proxyFor: ProxyFor | undefined
}

/** A WebSocket upgrade as it came. */
export interface ArrivedUpgrade {
  readonly head: RequestHead
  readonly socket: Duplex
  /** The bytes behind the head. */
  readonly rest: Uint8Array
  /** The caller's network, as far as its address tells. */
  readonly from: string
}

/**
 * Relays a WebSocket upgrade to the upstream, or refuses it like every other request. Never throws: a defect is logged and ends the
 * socket.
 */
export function answerUpgrade(deps: AnswerUpgradeDeps, arrived: ArrivedUpgrade): void {
  const { socket } = arrived
  socket.on('error', () => socket.destroy())
  relay(deps, arrived).catch((cause: unknown) => {
    deps.log.error({ err: cause }, 'a WebSocket could not be served')
    socket.destroy()
  })
}

async function relay(deps: AnswerUpgradeDeps, arrived: ArrivedUpgrade): Promise<void> {
  const { head, socket, rest } = arrived
  let decision = await deps.app.upgrade(head.request, arrivalOf(arrived))
  for (;;) {
    if (decision.kind === 'refused') return answerSocket(decision.response, socket)
    const another = await relayOnce(deps, decision, socket, rest)
    if (another === undefined) return
    decision = another
  }
}

/** Relays to one upstream. Gives the decision that takes its place where the upstream has refused the server's key. */
async function relayOnce(
  deps: AnswerUpgradeDeps,
  decision: Extract<Upgrade, { kind: 'relay' }>,
  socket: Duplex,
  rest: Uint8Array,
): Promise<Upgrade | undefined> {
  const { exchange, url, target, headers, mask, reach, onSwitch, onRefusal, session } = decision
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
    session,
    messageBytesMax: deps.config.limits.jsonBytesMax,
    proxyFor: (to) => proxyOf(reach, to, deps.proxyFor),
    ca: reach?.tls?.ca,
  })
  if (outcome.timeToFirstByteMs !== undefined) exchange.onFirstByte(outcome.timeToFirstByteMs)
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

/** Writes a response to the bare socket of an upgrade, and ends the socket. Never rejects. */
async function answerSocket(response: Response, socket: Duplex): Promise<void> {
  const body = new Uint8Array(await response.arrayBuffer())
  const lines = [`HTTP/1.1 ${response.status} ${REASONS[response.status] ?? ''}`]
  for (const [name, value] of response.headers) if (name !== 'content-length') lines.push(`${name}: ${value}`)
  lines.push(`content-length: ${body.byteLength}`, 'connection: close', '', '')
  if (socket.destroyed) return
  socket.write(lines.join('\r\n'))
  socket.end(body)
}
