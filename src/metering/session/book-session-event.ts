import type { Exchange } from '../../exchange/exchange.ts'
import type { JsonObject } from '../../formats/json/json.ts'
import { inputTokens, outputTokens, totalTokens } from '../../openai/usage/usage.ts'
import { createUsageTally } from '../../openai/usage/usage-tally.ts'
import type { Deployment } from '../../routing/targets/deployment.ts'
import { bookUnheld } from '../book-unheld.ts'
import { bookingOf } from '../booking-row.ts'
import { costOfAnswer } from '../call-prices.ts'
import type { MeteredCallDeps } from '../metered-call.ts'

/** A session on a WebSocket, and where it goes. */
interface Session {
  readonly exchange: Exchange
  readonly deployment: Deployment
  /** As the caller names it. */
  readonly model: string | undefined
  /** The model that writes down what users say, as the upstream calls it; undefined: not known. */
  readonly transcriber: string | undefined
}

const OF_TRANSCRIPTION = /transcription/

/**
 * Books what an event of a session's upstream tells of no response that is counted: a transcription, as a rule. Each is a row of its own.
 *
 * @example
 * bookSessionEvent(value, { exchange, deployment, model, transcriber }, { books, prices })
 */
export function bookSessionEvent(
  value: JsonObject,
  { exchange, deployment, model, transcriber }: Session,
  { books, prices }: Pick<MeteredCallDeps, 'books' | 'prices'>,
): void {
  const tally = createUsageTally()
  tally.add(value)
  const told = tally.told()
  const { usage, isEstimated } = told
  if (isEstimated || totalTokens(usage) + usage.seconds === 0) return
  const { type } = value
  const isWritten = typeof type === 'string' && OF_TRANSCRIPTION.test(type)
  const asked = (isWritten ? transcriber : undefined) ?? deployment.model ?? model ?? ''
  const { cost, pricedBy } = costOfAnswer(told, deployment.upstream, { asked, isBatch: false }, prices)
  exchange.onSpent({ cost, inputTokens: inputTokens(usage), outputTokens: outputTokens(usage) })
  const row = bookingOf(exchange, {
    ...{ usage, isEstimated, cost, saved: 0, pricedBy, outcome: 'complete', isBatch: false, status: 101 },
    ...{ servedModel: told.model ?? asked, tier: told.tier ?? '', upstream: deployment.upstream.name },
  })
  // A session may last for hours: it is booked when it is told, not when the session began.
  bookUnheld(books, exchange, { ...row, at: Date.now() })
}
