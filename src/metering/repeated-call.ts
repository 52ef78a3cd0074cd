import type { Exchange } from '../exchange/exchange.ts'
import type { Books } from '../ledger/books.ts'
import { createUsageTally } from '../openai/usage/usage-tally.ts'
import type { Deployment } from '../routing/targets/deployment.ts'
import { bookingOf } from './booking-row.ts'
import { costOfAnswer } from './call-prices.ts'
import type { MeteredCallDeps } from './metered-call.ts'

/**
 * Has a call booked that did not go upstream: a stored answer, another one's answer that it has joined, a repeated request with its
 * `Idempotency-Key`. It costs nothing; what it would have cost counts as saved. `deployments`: those that it could have gone to.
 *
 * @example
 * bookRepeat(exchange, route.deployments, { bookings, prices })
 */
export function bookRepeat(
  exchange: Exchange,
  deployments: readonly Deployment[],
  { bookings, prices }: Pick<Books, 'bookings'> & Pick<MeteredCallDeps, 'prices'>,
): void {
  const tally = createUsageTally()
  exchange.tally = tally
  exchange.atEnd((outcome) => {
    const told = tally.told()
    const [deployment] = deployments
    const asked = deployment?.model ?? exchange.model ?? ''
    const saved =
      deployment === undefined ? 0 : costOfAnswer(told, deployment.upstream, { asked, isBatch: false }, prices).cost
    const { usage, isEstimated } = told
    exchange.onSpent({ cost: 0, inputTokens: 0, outputTokens: 0 })
    bookings.add(
      bookingOf(exchange, {
        ...{ usage, isEstimated, cost: 0, saved, pricedBy: 'free', outcome: outcome.kind, isBatch: false },
        ...{ status: exchange.status, servedModel: told.model ?? asked, tier: told.tier ?? '' },
        upstream: deployment?.upstream.name ?? '',
      }),
    )
  })
}
