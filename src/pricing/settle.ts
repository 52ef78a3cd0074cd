import type { ToldUsage } from '../openai/usage/usage.ts'
import { pricedCost } from './cost-of.ts'
import type { KnownPrice, PriceTier } from './price.ts'

/** What a call has cost, in nano-dollars, and who says so; `none`: nobody does for all that was used, and the cost is that of the
 * rest, or 0. */
export interface SettledCost {
  readonly cost: number
  readonly by: 'answer' | KnownPrice['by'] | 'none'
}

const TIERS: Readonly<Record<string, PriceTier>> = {
  batch: 'batch',
  flex: 'flex',
  priority: 'priority',
  // Anthropic's word for the same.
  fast: 'priority',
}

/**
 * The tier whose prices hold for what an answer says of its `service_tier` (OpenAI specification).
 *
 * @example
 * priceTierOf('flex', false) // 'flex'
 */
export function priceTierOf(served: string | undefined, isBatch: boolean): PriceTier {
  if (isBatch) return 'batch'
  return served !== undefined && Object.hasOwn(TIERS, served) ? (TIERS[served] ?? 'default') : 'default'
}

/**
 * What a call has cost by what its answer tells: its own word for the cost goes first (OpenRouter, Perplexity), then the price of the tier
 * that has served it. `picture`: the quality and size of its images, as `high/1024x1024`.
 *
 * @example
 * settleCost(tally.told(), book.priceOfAnswer(provider, upstream, asked, told.model), priceTierOf(told.tier, false))
 */
export function settleCost(
  told: Pick<ToldUsage, 'usage'> & Partial<Pick<ToldUsage, 'cost' | 'calls'>>,
  known: KnownPrice | undefined,
  tier: PriceTier,
  picture?: string,
): SettledCost {
  if (told.cost !== undefined) return { cost: told.cost, by: 'answer' }
  if (known === undefined) return { cost: 0, by: 'none' }
  const { cost, isWhole } = pricedCost(known.price, told.usage, tier, { picture, calls: told.calls })
  return { cost, by: isWhole ? known.by : 'none' }
}
