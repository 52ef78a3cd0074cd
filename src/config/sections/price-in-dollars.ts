import type { ModelPrice, PriceList, TierPrice } from '../../pricing/price.ts'
import { NUMBER_OF_PRICE, NUMBER_PRICES, TOKEN_PRICE_FIELDS } from './price-list-fields.ts'

/** Prices by the names that they have in the file, in dollars. */
export type DollarList = Readonly<Record<string, number | Readonly<Record<string, number>>>>

/** A price as an entry of `prices` in the file says it. */
export interface DollarPrice {
  readonly prices: DollarList
  /** The one with the highest bound first. */
  readonly longContext: readonly (readonly [above: number, prices: DollarList])[]
}

/**
 * Writes a price list as an entry of `prices` in the file does: dollars for a million tokens or characters, for a minute, for one of
 * anything else.
 *
 * @example
 * tierInDollars({ prices: { input: 150 } }).prices // { input: 0.15 }
 */
export function tierInDollars({ prices, longContext = [] }: TierPrice): DollarPrice {
  return {
    prices: listOf(prices),
    longContext: longContext.map(({ aboveTokens, prices: long }) => [aboveTokens, listOf(long)] as const),
  }
}

/**
 * Writes a model's price as an entry of `prices` in the file.
 *
 * @example
 * JSON.stringify({ prices: { 'gpt-4o': priceEntry(price) } })
 */
export function priceEntry(price: ModelPrice): Readonly<Record<string, unknown>> {
  const tiers = Object.entries(price.tiers ?? {}).map(([tier, of]) => {
    const { long_context: long, ...prices } = entryOf(of)
    return [tier, { ...tokensIn(prices), ...(long !== undefined && { long_context: long }) }] as const
  })
  return {
    ...listOf(price.tools ?? {}),
    ...entryOf(price),
    ...(tiers.length > 0 && { tiers: Object.fromEntries(tiers) }),
    ...(price.outputTokensMax !== undefined &&
      price.outputTokensMax > 0 && { output_tokens_max: price.outputTokensMax }),
    ...(price.contextTokensMax !== undefined && { context_tokens_max: price.contextTokensMax }),
  }
}

function entryOf(price: TierPrice): Readonly<Record<string, unknown>> {
  const { prices, longContext } = tierInDollars(price)
  if (longContext.length === 0) return prices
  return { ...prices, long_context: longContext.map(([above, long]) => ({ above, ...tokensIn(long) })) }
}

/** Of tiers and long contexts the file has prices of tokens only: what else they say is the same everywhere. */
function tokensIn(prices: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(prices).filter(([field]) => field in TOKEN_PRICE_FIELDS))
}

function listOf(list: PriceList): DollarList {
  const dollars: Record<string, DollarList[string]> = {}
  for (const field of NUMBER_PRICES) {
    const [name, nano] = NUMBER_OF_PRICE[field]
    const value = list[name]
    if (value !== undefined) dollars[field] = inDollars(value, nano)
  }
  const images = Object.entries(list.imageBy ?? {}).map(([key, value]) => [key, inDollars(value, 1e9)] as const)
  if (images.length > 0) dollars['images'] = Object.fromEntries(images)
  return dollars
}

/** Without the last digits of a division, which are no one's price. */
function inDollars(nano: number, each: number): number {
  return Number((nano / each).toPrecision(10))
}
