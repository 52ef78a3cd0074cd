import { withoutToken } from '../access/credentials.ts'
import { bodyNoteOf, noteBody, standalone } from '../answers/body-note.ts'
import { Tap } from '../answers/tap.ts'
import type { Recording } from '../cassettes/open-recording.ts'
import { tapeAnswer } from '../cassettes/tape-answer.ts'
import { answerEndOf } from '../exchange/answer-end.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { Outcome } from '../exchange/outcome.ts'
import type { Forward, ForwardedRequest } from '../extensions/chain-request.ts'
import { assertBytes } from '../formats/bytes/assert-bytes.ts'
import { ApiError } from '../openai/api-error.ts'
import { endpointFor } from '../openai/endpoints.ts'
import type { Deadlines } from '../timing/deadlines.ts'
import { followAbort } from '../timing/follow-abort.ts'
import type { LastingParts } from './generation.ts'

/** What stands behind the extensions. */
export type Serve = (exchange: Exchange) => Promise<Response>

/** The extensions, and what is to hear the answer that the caller gets. */
export interface Through extends Pick<LastingParts, 'chain'> {
  readonly taped: Recording | undefined
  readonly deadlines: Deadlines
}

/**
 * Has the extensions answer a request. Each time that one goes on with it, that is a part of the exchange of its own; the exchange
 * ends with the body that the caller gets.
 *
 * Rejects with an extension's own error, `extension_failed`, or whatever stands behind them rejects with.
 *
 * @example
 * const response = await throughExtensions(exchange, { chain, taped, deadlines }, serve)
 */
export async function throughExtensions(
  exchange: Exchange,
  { chain, taped, deadlines }: Through,
  serve: Serve,
): Promise<Response> {
  const { principal } = exchange
  const children: Exchange[] = []
  const last =
    (isTold: boolean): Forward =>
    (outgoing) =>
      goOn(exchange, outgoing, serve, isTold ? children : undefined)
  let response: Response
  try {
    response = await chain.run(
      {
        exchange,
        shownTarget: withoutToken(exchange.requestTarget, principal),
        principal: Object.freeze({ kind: principal.kind, id: principal.kind === 'local' ? undefined : principal.id }),
        call: last(false),
      },
      last(true),
    )
  } catch (thrown) {
    // Also of what is under way still, where the caller has left.
    for (const child of children) child.report()
    throw reasonFor(thrown, children)
  }
  // What is kept is what the caller gets: a replay runs no extension.
  const end = answerEndOf(exchange, response, { isUpstreams: false, deadlines })
  return hand(
    taped === undefined ? response : tapeAnswer(standalone(response), taped, end),
    exchange,
    children,
    deadlines,
  )
}

async function goOn(
  exchange: Exchange,
  outgoing: ForwardedRequest,
  serve: Serve,
  children: Exchange[] | undefined,
): Promise<Response> {
  const { request, target, body, json } = outgoing
  // A call that is given up, such as for its silence, may be made again; none outlives the exchange.
  const { abort, stop } = followAbort(exchange.abort.signal)
  const child = exchange.child({
    request,
    requestTarget: target,
    endpoint: endpointFor(request.method, target),
    body,
    json,
    abort,
  })
  child.atEnd(stop)
  children?.push(child)
  try {
    const response = await serve(child)
    if (!child.isTapped) child.end({ kind: 'complete' })
    return response
  } catch (cause) {
    child.end({ kind: 'failed', cause })
    throw cause instanceof ApiError ? cause.copy() : cause
  } finally {
    // What `context.call` asks beside it is another call's affair.
    if (children !== undefined) child.report()
  }
}

/** Hands an answer on: whatever an extension has made of it, the exchange ends with its last byte. */
function hand(response: Response, exchange: Exchange, children: readonly Exchange[], deadlines: Deadlines): Response {
  exchange.status = response.status
  exchange.isDelivered = response.headers.has('x-request-id')
  const note = bodyNoteOf(response)
  if (note !== undefined && 'whole' in note) return response
  if (note === undefined && response.body === null) return response
  exchange.isTapped = true
  const end: Exchange['end'] = (outcome, bytes) => {
    for (const child of children) child.report()
    exchange.status = response.status
    exchange.end(blamed(outcome, children), bytes)
  }
  if (note === undefined) {
    const answerEnd = answerEndOf(exchange, response, { isUpstreams: false, deadlines })
    return noteBody(response, { tap: new Tap({ onChunk: assertBytes, onEnd: end, end: answerEnd }) })
  }
  note.tap.follow(end)
  return response
}

/** What breaks a stream here is a part that has failed, or else an extension's doing: its own stream has thrown, or gave what is no bytes. */
function blamed(outcome: Outcome, children: readonly Exchange[]): Outcome {
  if (outcome.kind !== 'failed') return outcome
  const { cause } = outcome
  const isOurs = cause instanceof ApiError
  return failureIn(children) ?? { kind: 'failed', cause: isOurs ? cause : new ApiError('extension_failed', { cause }) }
}

/** Whoever read an answer that broke off knows no more than that: why it did, the part that it was of does. */
function reasonFor(thrown: unknown, children: readonly Exchange[]): unknown {
  if (!(thrown instanceof ApiError) || thrown.kind !== 'upstream_unreachable') return thrown
  const cause = failureIn(children)?.cause
  return cause instanceof ApiError ? cause : thrown
}

function failureIn(children: readonly Exchange[]): (Outcome & { readonly kind: 'failed' }) | undefined {
  const outcome = children.findLast((child) => child.outcome?.kind === 'failed')?.outcome
  return outcome?.kind === 'failed' ? outcome : undefined
}
