/** The tiers that a call may be served in, with prices of their own; `default`: none of the others. */
export const PRICE_TIERS = ['default', 'batch', 'flex', 'priority'] as const
/** One of them. */
export type PriceTier = (typeof PRICE_TIERS)[number]

/**
 * Prices in nano-dollars for each token, image, second, character or call. A price that is absent falls back: of what is cached or written
 * to a cache, and of audio and images, to that of text; of reasoning to that of output; of a longer time in a cache to that of the shorter.
 * 0 is a price: free.
 */
export interface PriceList {
  readonly input?: number
  readonly inputAudio?: number
  readonly inputImage?: number
  readonly cached?: number
  readonly cachedAudio?: number
  readonly cachedImage?: number
  readonly cacheWrite?: number
  readonly cacheWrite1h?: number
  readonly cacheWrite12h?: number
  readonly output?: number
  readonly outputAudio?: number
  readonly outputImage?: number
  readonly reasoning?: number
  /** For an image; by `QUALITY/SIZE` where `imageBy` has it. */
  readonly image?: number
  readonly imageBy?: Readonly<Record<string, number>>
  readonly second?: number
  readonly character?: number
  /** For the call itself, and for calls of the upstream's tools. */
  readonly request?: number
  readonly webSearch?: number
  readonly fileSearch?: number
  readonly codeSession?: number
}

/** Another price list for all of a call that reads more than so many tokens. */
export interface LongContextPrice {
  readonly aboveTokens: number
  readonly prices: PriceList
}

/** What a model costs. */
export interface ModelPrice {
  readonly prices: PriceList
  /** Of the default tier, the one with the highest bound first. */
  readonly longContext?: readonly LongContextPrice[]
  readonly tiers?: Readonly<
    Partial<Record<PriceTier, { readonly prices: PriceList; readonly longContext?: readonly LongContextPrice[] }>>
  >
  /** The most tokens that it writes, where that is known: what a call without a limit may cost. */
  readonly outputTokensMax?: number
  readonly contextTokensMax?: number
}
