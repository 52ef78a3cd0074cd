import { readAnyBytes } from '../formats/bytes/byte-string.ts'
import { inputTokens, NO_USAGE, totalTokens, type Usage } from '../openai/usage/usage.ts'
import { costOf, priceListOf } from './cost-of.ts'
import { mediaUse } from './media-use.ts'
import { givenText, type PlannedCall } from './planned-call.ts'
import type { ModelPrice, PriceTier } from './price.ts'
import { realtimeUse } from './realtime-use.ts'
import { priceTierOf } from './settle.ts'
import { textUse } from './text-use.ts'

/** The most that a call may use and cost. */
export interface Estimate {
  readonly usage: Usage
  /** All tokens, read and written: what a limit of tokens takes. */
  readonly tokens: number
  readonly images: number
  /** In nano-dollars; undefined: it has no price, or something that it uses has none. */
  readonly cost: number | undefined
  /** The quality and size of its images, as `high/1024x1024`; undefined: not known, or it makes none. */
  readonly picture: string | undefined
}

/**
 * The most that a call can use and cost, before it is made; by the same prices as what it has cost in the end. Where it may be billed in
 * several ways (the tier that it asks for or the usual one, tokens that are read or written to a cache), the dearer one counts.
 *
 * @example
 * estimateCall({ endpoint: 'chat/completions', model: 'gpt-4o', bodyBytes: 900, body, members: { max_tokens: 100 } }, price).cost
 */
export function estimateCall(call: PlannedCall, price: ModelPrice | undefined): Estimate {
  const media = realtimeUse(call, price) ?? mediaUse(call, price)
  const usage: Usage = media === undefined ? textUse(call, price) : { ...NO_USAGE, ...media.usage }
  const picture = media?.picture
  return {
    usage,
    tokens: totalTokens(usage),
    images: usage.images,
    cost: price === undefined ? undefined : dearest(call, price, usage, picture),
    picture,
  }
}

/**
 * What a call costs at the most, in nano-dollars, that is sent and not answered in words: what it reads, and what is made whoever waits for it.
 *
 * @example
 * const again = costOfReading(call, estimateCall(call, price), price)
 */
export function costOfReading(call: PlannedCall, { usage, picture }: Estimate, price: ModelPrice): number {
  return dearest(call, price, { ...usage, outputText: 0, outputReasoning: 0 }, picture) ?? 0
}

function dearest(call: PlannedCall, price: ModelPrice, usage: Usage, picture: string | undefined): number | undefined {
  const isForAnHour = price.prices.cacheWrite1h !== undefined && keepsForAnHour(call)
  const kinds = (tier: PriceTier): Usage => inDearestKinds(price, usage, tier, isForAnHour)
  const usual = costOf(price, kinds('default'), 'default', picture)
  const asked = givenText(call, 'service_tier') ?? givenText(call, 'speed')
  // The account's own settings decide about `auto`.
  const tier = asked === 'auto' ? 'priority' : priceTierOf(asked, false)
  if (tier === 'default') return usual
  const ofTier = costOf(price, kinds(tier), tier, picture)
  return usual === undefined || ofTier === undefined ? (usual ?? ofTier) : Math.max(usual, ofTier)
}

/** Whether a call has what it reads kept for an hour (Anthropic's `cache_control`), or nobody has looked. */
function keepsForAnHour({ body }: PlannedCall): boolean {
  return body === undefined || FOR_AN_HOUR.test(readAnyBytes(body))
}

const FOR_AN_HOUR = /"ttl"\s*:\s*"1h"/

/** Makes tokens of the dearest kind that they may turn out to be: what is read may be written to a cache, what is written may be thoughts. */
function inDearestKinds(price: ModelPrice, usage: Usage, tier: PriceTier, isForAnHour: boolean): Usage {
  const { input = 0, output = 0, reasoning = 0, ...list } = priceListOf(price, tier, inputTokens(usage))
  const { cacheWrite = 0, cacheWrite1h = cacheWrite } = list
  const isWritten = (isForAnHour ? cacheWrite1h : cacheWrite) > input
  const isThought = reasoning > output
  if (!isWritten && !isThought) return usage
  return {
    ...usage,
    inputText: isWritten ? 0 : usage.inputText,
    inputCacheWrite: isWritten && !isForAnHour ? usage.inputText : 0,
    inputCacheWrite1h: isWritten && isForAnHour ? usage.inputText : 0,
    outputText: isThought ? 0 : usage.outputText,
    outputReasoning: isThought ? usage.outputText : 0,
  }
}
