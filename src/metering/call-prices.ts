import type { UpstreamSettings } from '../config/sections/upstreams/upstream.ts'
import type { Booking } from '../ledger/records.ts'
import type { ToldUsage } from '../openai/usage/usage.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import { priceTierOf, settleCost } from '../pricing/settle.ts'

/** What a call has cost, in nano-dollars, and who says so. */
export interface CallCost {
  readonly cost: number
  readonly pricedBy: Booking['pricedBy']
}

/**
 * What an answer of an upstream has cost; `asked`: the upstream's name for the model that was asked for; `picture`: the quality and size of
 * its images, as far as its request says.
 *
 * @example
 * const { cost, pricedBy } = costOfAnswer(told, upstream, { asked: 'gpt-4o', isBatch: false }, prices)
 */
export function costOfAnswer(
  told: Pick<ToldUsage, 'usage'> & Partial<Pick<ToldUsage, 'cost' | 'model' | 'tier'>>,
  upstream: UpstreamSettings,
  {
    asked,
    isBatch,
    picture,
  }: { readonly asked: string; readonly isBatch: boolean; readonly picture?: string | undefined },
  prices: PriceBook,
): CallCost {
  const price = prices.priceOfAnswer(upstream.provider, upstream.name, asked, told.model)
  const { cost, by } = settleCost(told, price, priceTierOf(told.tier, isBatch), picture)
  return { cost, pricedBy: by }
}
