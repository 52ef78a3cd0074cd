import { inputTokens, outputTokens, type Usage } from '../openai/usage/usage.ts'
import type { ModelPrice, PriceList, PriceTier, ToolPrices } from './price.ts'

/** A price may have three decimals: costs are added up in thousandths of a nano-dollar, which are whole. */
const PARTS = 1000

/**
 * What a call has cost, in nano-dollars; undefined: something that it used has no price, so that its cost is not known. `tier`: the one that
 * has served it. Of two prices of one thing the one of its own kind counts; what is cheaper only by an own price never is without one.
 * `picture`: the quality and size of the images, as `high/1024x1024`, where they are known.
 *
 * @example
 * costOf(price, usage, 'flex')
 */
export function costOf(price: ModelPrice, usage: Usage, tier: PriceTier, picture?: string): number | undefined {
  const { cost, isWhole } = pricedCost(price, usage, tier, { picture })
  return isWhole ? cost : undefined
}

/**
 * The cost of all that has a price, in nano-dollars, and whether that is all that was used. `calls`: how many have used it; each is as long as
 * the others, for all that is known.
 */
export function pricedCost(
  price: ModelPrice,
  usage: Usage,
  tier: PriceTier,
  { picture, calls = 1 }: { readonly picture: string | undefined; readonly calls?: number | undefined },
): { readonly cost: number; readonly isWhole: boolean } {
  const list = priceListOf(price, tier, inputTokens(usage) / Math.max(1, calls))
  // Where the tokens of images or sounds are told, those are what is billed.
  const hasOutput = outputTokens(usage) > 0
  const hasInput = inputTokens(usage) > 0
  const sum = new Sum(list.request ?? 0)
  addTokens(sum, list, usage)
  const image = imagePrice(list, picture)
  // Images that a model of words had made by a tool have a price that is not its own.
  const hasForeignImages = image === undefined && list.outputImage === undefined && usage.outputImage === 0
  sum.add(hasOutput && !hasForeignImages ? 0 : usage.images, image)
  sum.add(hasInput || hasOutput ? 0 : usage.seconds, list.second)
  sum.add(hasInput || hasOutput ? 0 : usage.characters, list.character)
  sum.add(usage.webSearches, toolPrice(price, list, 'webSearch'))
  sum.add(usage.fileSearches, toolPrice(price, list, 'fileSearch'))
  sum.add(usage.codeSessions, toolPrice(price, list, 'codeSession'))
  return { cost: sum.nano, isWhole: sum.isWhole }
}

/** Costs that are added up, in whole thousandths of a nano-dollar. */
class Sum {
  /** Whether all that was added has a price. */
  isWhole = true
  #parts: number

  constructor(nano: number) {
    this.#parts = Math.round(nano * PARTS)
  }

  add(count: number, unit: number | undefined): void {
    if (count === 0) return
    if (unit === undefined) this.isWhole = false
    else this.#parts += Math.round(count * Math.round(unit * PARTS))
  }

  get nano(): number {
    return Math.min(Math.ceil(this.#parts / PARTS), Number.MAX_SAFE_INTEGER)
  }
}

/**
 * The prices of a tier for a call that reads so many tokens: a long context makes all of a call dearer. A tier without prices of its own
 * has the usual ones.
 *
 * @example
 * priceListOf(price, 'default', 300_000).input
 */
export function priceListOf(price: ModelPrice, tier: PriceTier, read: number): PriceList {
  const of = price.tiers?.[tier] ?? price
  return of.longContext?.find(({ aboveTokens }) => read > aboveTokens)?.prices ?? of.prices
}

/** A tool costs the same in all tiers and contexts that do not say otherwise. */
export function toolPrice(price: ModelPrice, list: PriceList, tool: keyof ToolPrices): number | undefined {
  return list[tool] ?? price.prices[tool] ?? price.tools?.[tool]
}

function addTokens(sum: Sum, list: PriceList, usage: Usage): void {
  const each = list.input
  const audio = list.inputAudio ?? each
  const image = list.inputImage ?? each
  const write = list.cacheWrite ?? each
  const write1h = list.cacheWrite1h ?? write
  // A model that makes only images, or only sounds, has no price for text: all that it tells as output is of its kind.
  const out = list.output ?? list.outputImage ?? list.outputAudio
  sum.add(usage.inputText, each)
  sum.add(usage.inputAudio, audio)
  sum.add(usage.inputImage, image)
  sum.add(usage.inputCachedText, list.cached ?? each)
  sum.add(usage.inputCachedAudio, list.cachedAudio ?? audio)
  sum.add(usage.inputCachedImage, list.cachedImage ?? image)
  sum.add(usage.inputCacheWrite, write)
  sum.add(usage.inputCacheWrite1h, write1h)
  sum.add(usage.inputCacheWrite12h, list.cacheWrite12h ?? write1h)
  sum.add(usage.outputText, out)
  sum.add(usage.outputAudio, list.outputAudio ?? out)
  sum.add(usage.outputImage, list.outputImage ?? out)
  sum.add(usage.outputReasoning, list.reasoning ?? out)
}

/** The price of an image by its quality and size; where those are not known, the dearest, so that none is too cheap. */
function imagePrice({ image, imageBy }: PriceList, picture: string | undefined): number | undefined {
  if (imageBy === undefined) return image
  const own = picture === undefined ? undefined : imageBy[picture]
  return own ?? image ?? Math.max(...Object.values(imageBy))
}
