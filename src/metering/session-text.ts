import type { Exchange } from '../exchange/exchange.ts'
import { inputTokens, outputTokens, totalTokens } from '../openai/usage/usage.ts'
import { usageInFrame } from '../openai/usage/usage-in-frame.ts'
import { createUsageTally } from '../openai/usage/usage-tally.ts'
import type { Deployment } from '../routing/targets/deployment.ts'
import { bookUnheld } from './book-unheld.ts'
import { bookingOf } from './booking-row.ts'
import { costOfAnswer } from './call-prices.ts'
import type { MeteredCallDeps } from './metered-call.ts'

/** A session on a WebSocket, and where it goes. */
interface Session {
  readonly exchange: Exchange
  readonly deployment: Deployment
  /** As the caller names it. */
  readonly model: string | undefined
}

/**
 * Books what one message of a session's upstream tells: a response that has ended, or a transcription. Each is a row of its own; most
 * messages tell nothing.
 *
 * @example
 * bookSessionText(text, { exchange, deployment, model }, { books, prices })
 */
export function bookSessionText(
  text: string,
  { exchange, deployment, model }: Session,
  { books, prices }: Pick<MeteredCallDeps, 'books' | 'prices'>,
): void {
  const value = usageInFrame(text)
  if (value === undefined) return
  const tally = createUsageTally()
  tally.add(value)
  const told = tally.told()
  const { usage, isEstimated } = told
  if (isEstimated || totalTokens(usage) + usage.seconds === 0) return
  const asked = deployment.model ?? model ?? ''
  const { cost, pricedBy } = costOfAnswer(told, deployment.upstream, { asked, isBatch: false }, prices)
  exchange.onSpent({ cost, inputTokens: inputTokens(usage), outputTokens: outputTokens(usage) })
  const row = bookingOf(exchange, {
    ...{ usage, isEstimated, cost, saved: 0, pricedBy, outcome: 'complete', isBatch: false, status: 101 },
    ...{ servedModel: told.model ?? asked, tier: told.tier ?? '', upstream: deployment.upstream.name },
  })
  // A session may last for hours: it is booked when it is told, not when the session began.
  bookUnheld(books, exchange, { ...row, at: Date.now() })
}
