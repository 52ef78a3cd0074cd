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

/** Prices of the upstream's own tools, in nano-dollars for a call. */
export type ToolPrices = Pick<PriceList, 'webSearch' | 'fileSearch' | 'codeSession'>

/** The prices of one tier. */
export interface TierPrice {
  readonly prices: PriceList
  /** The one with the highest bound first. */
  readonly longContext?: readonly LongContextPrice[]
}

/** What a model costs: in the default tier, and in those that have prices of their own. */
export interface ModelPrice extends TierPrice {
  /** What the provider's tools cost with any of its models, where the model's own list does not say it. */
  readonly tools?: ToolPrices
  readonly tiers?: Readonly<Partial<Record<PriceTier, TierPrice>>>
  /** The most tokens that it writes, where that is known: what a call without a limit may cost. */
  readonly outputTokensMax?: number
  readonly contextTokensMax?: number
}

/** The prices that NexCode comes with. */
export interface PriceTable {
  /** The day on which they were gathered (ISO 8601). */
  readonly date: string
  readonly sources: readonly string[]
  /** What the tools of a provider cost with any model, by provider. */
  readonly tools: Readonly<Record<string, ToolPrices>>
  /** By provider, then by the provider's name of the model. */
  readonly providers: Readonly<Record<string, Readonly<Record<string, ModelPrice>>>>
}

/** An entry of `prices` in the configuration file. */
export interface FilePrice {
  /** A model, or `UPSTREAM/MODEL`; `*` stands for any characters. */
  readonly pattern: string
  /** `sameAs`: the price of another model of the same provider, or of `PROVIDER/MODEL`. */
  readonly price: ModelPrice | 'free' | { readonly sameAs: string }
}

/** A model's price, and who says so: the table that NexCode comes with, or the configuration file; `free`: the file says that it costs nothing. */
export interface KnownPrice {
  readonly price: ModelPrice
  readonly by: 'table' | 'file' | 'free'
}
