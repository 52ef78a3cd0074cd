import { inputTokens, outputTokens, type Usage } from '../usage/usage.ts'
import type { ModelPrice, PriceList, PriceTier } from './price.ts'

/**
 * What a call has cost, in nano-dollars; undefined: something that it used has no price, so that its cost is not known. `tier`: the one that
 * has served it. Of two prices of one thing the one of its own kind counts; what is cheaper only by an own price never is without one.
 *
 * @example
 * costOf(price, usage, 'flex')
 */
export function costOf(price: ModelPrice, usage: Usage, tier: PriceTier): number | undefined {
  const list = listFor(price, tier, inputTokens(usage))
  const each = list.input
  const audio = list.inputAudio ?? each
  const image = list.inputImage ?? each
  const write = list.cacheWrite ?? each
  const write1h = list.cacheWrite1h ?? write
  const out = list.output
  const parts: readonly (readonly [count: number, price: number | undefined])[] = [
    [usage.inputText, each],
    [usage.inputAudio, audio],
    [usage.inputImage, image],
    [usage.inputCachedText, list.cached ?? each],
    [usage.inputCachedAudio, list.cachedAudio ?? audio],
    [usage.inputCachedImage, list.cachedImage ?? image],
    [usage.inputCacheWrite, write],
    [usage.inputCacheWrite1h, write1h],
    [usage.inputCacheWrite12h, list.cacheWrite12h ?? write1h],
    [usage.outputText, out],
    [usage.outputAudio, list.outputAudio ?? out],
    [usage.outputImage, list.outputImage ?? out],
    [usage.outputReasoning, list.reasoning ?? out],
    // Where the tokens of images or sounds are told, those are what is billed.
    [outputTokens(usage) > 0 ? 0 : usage.images, list.image],
    [inputTokens(usage) > 0 ? 0 : usage.seconds, list.second],
    [inputTokens(usage) > 0 ? 0 : usage.characters, list.character],
    [usage.webSearches, list.webSearch],
    [usage.fileSearches, list.fileSearch],
    [usage.codeSessions, list.codeSession],
  ]
  let cost = list.request ?? 0
  for (const [count, unit] of parts) {
    if (count === 0) continue
    if (unit === undefined) return undefined
    cost += count * unit
  }
  return Math.ceil(cost)
}

/** The prices of a tier, for so many tokens read: a long context makes all of a call dearer. */
function listFor({ prices, longContext, tiers }: ModelPrice, tier: PriceTier, read: number): PriceList {
  const of = tiers?.[tier] ?? { prices, longContext }
  return of.longContext?.find(({ aboveTokens }) => read > aboveTokens)?.prices ?? of.prices
}
