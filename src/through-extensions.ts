import type { Principal } from './auth/authorize.ts'
import { withoutToken } from './auth/credentials.ts'
import type { Exchange } from './exchange.ts'
import type { Last, Outgoing } from './extend/chain-deps.ts'
import { type Fork, forkExchange } from './fork-exchange.ts'
import type { LiveParts } from './live-parts.ts'
import { endpointOf } from './openai/endpoint-of.ts'
import { CHAT_COMPLETIONS, COMPLETIONS, type JsonEndpoint } from './openai/endpoints.ts'
import { bodyNoteOf, noteBody } from './stream/body-note.ts'
import { Tap } from './stream/tap.ts'

/** What stands behind the extensions. */
export type Serve = (exchange: Exchange, endpoint: JsonEndpoint | undefined) => Promise<Response>

/**
 * Has the extensions answer a request. Each time that one goes on with it, that is a part of the exchange of its own; the exchange
 * ends with the body that the caller gets.
 *
 * Rejects with an extension's own error, `extension_failed`, or whatever stands behind them rejects with.
 *
 * @example
 * const response = await throughExtensions(exchange, principal, { chain }, serve)
 */
export async function throughExtensions(
  exchange: Exchange,
  principal: Principal,
  { chain }: Pick<LiveParts, 'chain'>,
  serve: Serve,
): Promise<Response> {
  const forks: Fork[] = []
  const last =
    (isTold: boolean): Last =>
    (outgoing) =>
      goOn(exchange, outgoing, serve, isTold ? forks : undefined)
  const response = await chain.run(
    {
      exchange,
      shownTarget: withoutToken(exchange.target, principal),
      principal: { kind: principal.kind, id: principal.kind === 'token' ? principal.id : undefined },
      call: last(false),
    },
    last(true),
  )
  return hand(response, exchange, forks)
}

async function goOn(
  exchange: Exchange,
  outgoing: Outgoing,
  serve: Serve,
  forks: Fork[] | undefined,
): Promise<Response> {
  const { request, target, body, json } = outgoing
  const fork = forkExchange(exchange, { request, target, body, json })
  try {
    const response = await serve(fork, endpointFor(request.method, target))
    if (!fork.isTapped) fork.end({ kind: 'complete' })
    return response
  } catch (cause) {
    fork.end({ kind: 'failed', cause })
    throw cause
  } finally {
    // What `context.call` asks beside it is another call's affair.
    if (forks !== undefined) fork.tell(exchange)
    forks?.push(fork)
  }
}

/** Hands an answer on: whatever an extension has made of it, the exchange ends with its last byte. */
function hand(response: Response, exchange: Exchange, forks: readonly Fork[]): Response {
  exchange.status = response.status
  exchange.isDelivered = response.headers.has('x-request-id')
  const note = bodyNoteOf(response)
  if (note !== undefined && 'whole' in note) return response
  if (note === undefined && response.body === null) return response
  exchange.isTapped = true
  const end: Exchange['end'] = (outcome, bytes) => {
    for (const fork of forks) fork.tell(exchange)
    exchange.status = response.status
    exchange.end(outcome, bytes)
  }
  if (note === undefined) return noteBody(response, { tap: new Tap({ onEnd: end }) })
  note.tap.follow(end)
  return response
}

function endpointFor(method: string, target: string): JsonEndpoint | undefined {
  if (method !== 'POST') return undefined
  const path = `/${endpointOf(target)}`
  return [CHAT_COMPLETIONS, COMPLETIONS].find((one) => one.path === path)
}
