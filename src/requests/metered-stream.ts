import { noteRewriting, noteSilence, silentMs } from '../answers/body-note.ts'
import { rewriteStream } from '../answers/rewrite-stream.ts'
import { UsageCut } from '../answers/usage-cut.ts'
import { canDecode, decodeStream, isEncoded } from '../formats/bytes/decode-body.ts'
import { isEventStream } from '../formats/http/media-types.ts'
import { isJsonObject } from '../formats/json/json.ts'
import { SeenBytes } from '../openai/usage/seen-bytes.ts'
import { askUsage } from './asking-usage.ts'
import type { PreparedRequest } from './prepared-request.ts'

/**
 * Has a chat or text completion ask its upstream for the usage of its stream, where its caller has not: whatever target it goes to, if that can
 * be asked and does not tell it anyway. To be called before the asking; `hideAskedUsage` belongs to it.
 *
 * @example
 * if (settings.ledger.includeUsage) askForUsage(request)
 */
export function askForUsage(request: PreparedRequest): void {
  // Anthropic's messages always tell it.
  if (request.exchange.endpoint?.protocol !== 'openai') return
  if (!request.route.deployments.some((deployment) => request.asksUsage(deployment))) return
  request.askedUsage = askUsage(request.outgoing)
}

/**
 * Cuts the usage out of an answer again that was asked for by `askForUsage`, and tells the exchange's tally and its observers of it. An answer
 * that was not asked for it is given back as it is.
 *
 * @example
 * return hideAskedUsage(request, await ask(request))
 */
export function hideAskedUsage(request: PreparedRequest, answer: Response): Response {
  const { exchange, askedUsage, deployment } = request
  if (askedUsage === undefined || deployment === undefined || !request.asksUsage(deployment)) return answer
  const { body, headers } = answer
  const codings = headers.get('content-encoding')
  if (body === null || !answer.ok || !isEventStream(headers.get('content-type')) || !canDecode(codings)) return answer
  const source = isEncoded(codings) ? decodeStream(body, codings) : body
  const { tally } = exchange
  const seen = tally === undefined ? undefined : new SeenBytes((bytes) => tally.saw(bytes))
  if (seen !== undefined) tally?.beforeTold(seen.count)
  // What is cut is read here, with all else: nobody reads the usage of this answer a second time.
  exchange.tally = undefined
  const cut = new UsageCut({
    isCutEverywhere: askedUsage.isContinuous || deployment.upstream.streamUsage === 'asked',
    onBytes: seen?.add,
    onUsage(value) {
      tally?.add(value)
      if (exchange.hasUsageObserver && isJsonObject(value['usage'])) exchange.onUsage(value['usage'])
    },
  })
  const shown = new Response(
    rewriteStream(source, cut, (cause) => cause),
    answer,
  )
  shown.headers.delete('content-encoding')
  if (shown.headers.has('content-length')) {
    shown.headers.delete('content-length')
    // The end of the body still shows where the answer ends; the header goes no further than this process.
    shown.headers.set('transfer-encoding', 'chunked')
  }
  const waitedMs = silentMs(answer)
  if (waitedMs > 0) noteSilence(shown, performance.now() - waitedMs)
  return noteRewriting(shown, { source, rewriting: cut })
}
