import { withoutToken } from '../access/credentials.ts'
import { bodyNoteOf, noteBody } from '../answers/body-note.ts'
import { Tap } from '../answers/tap.ts'
import { answerEndOf } from '../exchange/answer-end.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { Outcome } from '../exchange/outcome.ts'
import { entryOf } from '../exchange/principal.ts'
import type { Handler, Stage } from '../exchange/stage.ts'
import { assertBytes } from '../formats/bytes/assert-bytes.ts'
import { ApiError } from '../openai/api-error.ts'
import { endpointFor } from '../openai/endpoints.ts'
import type { Deadlines } from '../timing/deadlines.ts'
import { followAbort } from '../timing/follow-abort.ts'
import type { Chain } from './chain.ts'
import type { Forward, ForwardedRequest } from './chain-request.ts'

/**
 * Makes the stage in which the extensions answer a request. Each time that one of them goes on with it, that is a child of the exchange;
 * the exchange ends with the body that the caller gets.
 *
 * It rejects with an extension's own error, `extension_failed`, or the error of a later stage.
 *
 * @example
 * const stage = createExtensionStage(chain, { deadlines })
 */
export function createExtensionStage(chain: Chain, { deadlines }: { readonly deadlines: Deadlines }): Stage {
  return {
    name: 'extensions',
    async run(exchange, next) {
      if (exchange.isUpgrade) {
        exchange.seesCalls = true
        return next(exchange)
      }
      const children: Exchange[] = []
      const forward =
        (isTold: boolean): Forward =>
        (outgoing) =>
          goOn(exchange, outgoing, next, isTold ? children : undefined)
      const { principal } = exchange
      let response: Response
      try {
        response = await chain.run(
          {
            exchange,
            shownTarget: withoutToken(exchange.requestTarget, principal),
            principal: Object.freeze({
              kind: principal.kind,
              id: principal.kind === 'local' ? undefined : principal.id,
              project: entryOf(principal)?.project?.id,
            }),
            call: forward(false),
          },
          forward(true),
        )
      } catch (thrown) {
        // Also the findings of children under way, where the caller has left.
        for (const child of children) child.report()
        throw reasonFor(thrown, children)
      }
      // The recording holds the answer that the caller gets: a replay runs no extension.
      return hand(exchange.onAnswer?.(response, false) ?? response, exchange, children, deadlines)
    },
  }
}

async function goOn(
  exchange: Exchange,
  outgoing: ForwardedRequest,
  next: Handler,
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
    const response = await next(child)
    if (!child.isTapped) child.end({ kind: 'complete' })
    return response
  } catch (cause) {
    child.end({ kind: 'failed', cause })
    throw cause instanceof ApiError ? cause.copy() : cause
  } finally {
    // A call made with `context.call` (no `children`) reports nothing: it is not the request's own.
    if (children !== undefined) child.report()
  }
}

/** Hands an answer on: the exchange ends with its last byte, also where an extension has changed it. */
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

/** Gives the outcome with the one to blame: a part that has failed, or else the extension, whose stream threw or gave no bytes. */
function blamed(outcome: Outcome, children: readonly Exchange[]): Outcome {
  if (outcome.kind !== 'failed') return outcome
  const { cause } = outcome
  const isOurs = cause instanceof ApiError
  return failureIn(children) ?? { kind: 'failed', cause: isOurs ? cause : new ApiError('extension_failed', { cause }) }
}

/** Gives the reason why an answer broke off. Its reader knows only that it did; the child exchange that it came from knows why. */
function reasonFor(thrown: unknown, children: readonly Exchange[]): unknown {
  if (!(thrown instanceof ApiError) || thrown.kind !== 'upstream_unreachable') return thrown
  const cause = failureIn(children)?.cause
  return cause instanceof ApiError ? cause : thrown
}

function failureIn(children: readonly Exchange[]): (Outcome & { readonly kind: 'failed' }) | undefined {
  const outcome = children.findLast((child) => child.outcome?.kind === 'failed')?.outcome
  return outcome?.kind === 'failed' ? outcome : undefined
}
