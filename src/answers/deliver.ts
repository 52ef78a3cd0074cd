import { answerEndOf } from '../exchange/answer-end.ts'
import type { ReadLimits } from '../exchange/collect-bytes.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { causeOf } from '../exchange/outcome.ts'
import { isEventStream } from '../formats/http/media-types.ts'
import type { Protocol } from '../openai/protocol.ts'
import type { Deadlines } from '../timing/deadlines.ts'
import { removeHopByHop } from '../upstream/headers.ts'
import type { AnswerIds } from './answer-ids.ts'
import { isJsonWithin, refuseWrongKind } from './answer-kind.ts'
import { noteBody, rewrittenOf, standalone, wholeOf } from './body-note.ts'
import { deliverWhole, hasRoom, type Watching, WHOLE_BYTES_MAX, watchBody } from './deliver-whole.ts'
import { errorEvent, keepAlive } from './own-events.ts'
import { addOwnHeaders } from './own-headers.ts'
import { holdEnd, passThrough } from './pass-through.ts'
import { modelRewriterFor, type RenameModel } from './report-model.ts'
import { Tap, type TapWatch } from './tap.ts'
import { watchUsage } from './usage-reader.ts'

/** The parts of the server that delivering an answer needs. */
export interface DeliverDeps {
  readonly deadlines: Deadlines
  readonly ssePingMs: number
  /** The limits on held answers. */
  readonly reading: ReadLimits
}

/** The facts that delivering one answer depends on. */
export interface DeliverOptions {
  /** Whether the answer comes from an upstream now, and is not a stored one. */
  readonly isUpstreams: boolean
  /** The longest pause between two of the upstream's chunks, in ms; 0: no limit. */
  readonly streamIdleMs: number
  readonly debugHeaders: boolean
  /** Gives the names that the answer shows for its models; undefined: the upstream's names, byte for byte. */
  readonly renameModel: RenameModel | undefined
  /** Makes the search for ids of objects in a good answer; undefined: ids need not be remembered. */
  readonly objectsIn: ((headers: Headers) => AnswerIds | undefined) | undefined
}

/**
 * Makes the caller's response from the upstream's answer: the same status, end-to-end headers and bytes.
 *
 * The response is the answer itself unless something else has to be shown; a note beside it says how its body is to be read.
 *
 * Throws `upstream_invalid_response` for a web page or a redirect in place of JSON, and for a status that HTTP does not have.
 * Rejects with the upstream's failure if a body that has to be whole breaks off.
 */
export function deliver(
  exchange: Exchange,
  answer: Response,
  options: DeliverOptions,
  deps: DeliverDeps,
): Response | Promise<Response> {
  const { headers, status } = answer
  refuseWrongKind(exchange, answer)
  const isStream = isEventStream(headers.get('content-type'))
  const { deadlines } = deps
  const isOpen = isStream || !headers.has('content-length')
  // This comes before the hop-by-hop headers are removed, for they tell how the answer is framed.
  const end = isOpen ? answerEndOf(exchange, answer, { isUpstreams: options.isUpstreams, deadlines }) : undefined
  removeHopByHop(headers)
  addOwnHeaders(headers, exchange, options.debugHeaders)
  const names =
    answer.ok && options.renameModel !== undefined ? modelRewriterFor(headers, options.renameModel) : undefined
  const isInCode = names?.isEncoded === true
  // No client waits for the bytes of a status that can't have any (RFC 9110 §15.3.5, §15.3.6).
  if (status === 204 || status === 205) headers.delete('content-length')
  exchange.status = status
  exchange.isDelivered = true
  const objects = status < 300 ? options.objectsIn?.(headers) : undefined
  if (!hasBody(exchange, answer)) return new Response(null, answer)
  const read = wholeOf(answer)
  const isRead = read !== undefined
  // An answer that has been read is delivered as it is, unless models are to be renamed or ids to be found in it.
  if (isRead && names === undefined && objects === undefined) {
    exchange.onFirstByte()
    watchUsage(exchange, answer)?.(read)
    return answer
  }
  const isWhole =
    !isInCode && (isRead || (isJsonWithin(headers, WHOLE_BYTES_MAX) && hasRoom(headers, exchange, deps.reading)))
  const { streamIdleMs } = options
  if (isWhole) {
    return deliverWhole(exchange, answer, watchBody(exchange, answer, streamIdleMs, objects, deadlines), names, objects)
  }
  const { body } = isRead ? standalone(answer) : answer
  if (body === null) return new Response(null, answer)
  if (isStream) exchange.stream = true
  const rewritten = rewrittenOf(answer)
  const rewriting = rewritten?.rewriting
  const watching = { ...watchBody(exchange, answer, streamIdleMs, objects, deadlines), end, rewriting }
  const tap = tapOf(exchange, headers, isStream ? exchange.endpoint?.protocol : undefined, watching)
  const isPinged = isStream && isOpenEnded(headers) && deps.ssePingMs > 0
  const isHeld = objects?.isLate === true
  const source = rewritten?.source ?? body
  if (!isPinged && names === undefined && !isHeld) {
    return noteBody(rewritten === undefined ? answer : new Response(source, answer), { tap })
  }
  let shown = passThrough(source, tap)
  if (names !== undefined) shown = names.stream(shown)
  if (isHeld) shown = holdEnd(shown, objects.end)
  if (isPinged) shown = keepAlive(shown, deps.ssePingMs, deadlines)
  const response = new Response(shown, answer)
  // The reader of the changed body also has to know when the answer is complete.
  const shownEnd = answerEndOf(exchange, response, { isUpstreams: false, deadlines })
  return shownEnd === undefined ? response : noteBody(response, { tap: new Tap({ end: shownEnd, onEnd: nothing }) })
}

function nothing(): void {}

function hasBody(exchange: Exchange, { status }: Response): boolean {
  return exchange.request.method !== 'HEAD' && status !== 204 && status !== 205 && status !== 304
}

/** Makes the tap on a body that passes through; it ends the exchange. `protocol`: that of a stream that an event of ours may end. */
function tapOf(
  exchange: Exchange,
  headers: Headers,
  protocol: Protocol | undefined,
  watching: Watching & Pick<TapWatch, 'end' | 'rewriting'>,
): Tap {
  const finalBytesFor = (tail: Uint8Array, cause: unknown): Uint8Array | undefined =>
    protocol && errorEvent(tail, causeOf(exchange.abort.signal, cause), { protocol, id: exchange.id })
  exchange.isTapped = true
  return new Tap({
    ...watching,
    onEnd: (outcome, bytes) => exchange.end(outcome, bytes),
    ...(protocol !== undefined && isOpenEnded(headers) && { finalBytesFor }),
  })
}

/** Whether an event of ours fits: not in an encoded stream, nor in one of announced length. */
function isOpenEnded(headers: Headers): boolean {
  return !headers.has('content-encoding') && !headers.has('content-length')
}
