/**
 * What a call has used, whatever its API and however that tells it. Counts are whole; what was not told is 0. The kinds of one direction do
 * not overlap: their sum is all that was read, or written.
 *
 * @example
 * const usage: Usage = { ...NO_USAGE, inputText: 900, inputCachedText: 124, outputText: 80, outputReasoning: 20 }
 */
export interface Usage {
  /** Tokens read at the full price, by what they are: not from a cache, and not written to one. */
  readonly inputText: number
  readonly inputAudio: number
  readonly inputImage: number
  /** Tokens read from the upstream's cache. */
  readonly inputCachedText: number
  readonly inputCachedAudio: number
  readonly inputCachedImage: number
  /** Tokens written to the upstream's cache, by how long they are kept there; `inputCacheWrite`: as long as the upstream likes. */
  readonly inputCacheWrite: number
  readonly inputCacheWrite1h: number
  readonly inputCacheWrite12h: number
  /** Tokens written, without those of reasoning. */
  readonly outputText: number
  readonly outputAudio: number
  readonly outputImage: number
  /** Tokens written that the caller does not see. */
  readonly outputReasoning: number
  /** Images that were made. */
  readonly images: number
  /** Audio that was read or written, in seconds; not where its tokens are told. */
  readonly seconds: number
  /** Characters that were spoken. */
  readonly characters: number
  /** Calls of the upstream's own tools. */
  readonly webSearches: number
  readonly fileSearches: number
  readonly codeSessions: number
}

/** The usage of nothing. */
export const NO_USAGE: Usage = Object.freeze({
  inputText: 0,
  inputAudio: 0,
  inputImage: 0,
  inputCachedText: 0,
  inputCachedAudio: 0,
  inputCachedImage: 0,
  inputCacheWrite: 0,
  inputCacheWrite1h: 0,
  inputCacheWrite12h: 0,
  outputText: 0,
  outputAudio: 0,
  outputImage: 0,
  outputReasoning: 0,
  images: 0,
  seconds: 0,
  characters: 0,
  webSearches: 0,
  fileSearches: 0,
  codeSessions: 0,
})

/** The names of a usage's counts, in their order. */
export const USAGE_FIELDS: readonly (keyof Usage)[] = Object.keys(NO_USAGE) as (keyof Usage)[]

/**
 * The usage of two calls together.
 *
 * @example
 * const all = lines.map(usageOf).reduce(addUsage, NO_USAGE)
 */
export function addUsage(one: Usage, other: Usage): Usage {
  const sum: Record<keyof Usage, number> = { ...one }
  for (const field of USAGE_FIELDS) sum[field] += other[field]
  return sum
}

/** What an answer tells of its usage. */
export interface ToldUsage {
  readonly usage: Usage
  /** What the answer says that it has cost, in nano-dollars; undefined: it does not say. */
  readonly cost: number | undefined
  /** The tier that has served it (OpenAI's `service_tier`); undefined: not told. */
  readonly tier: string | undefined
  /** The model that has answered, as the upstream calls it. */
  readonly model: string | undefined
  /** How many calls its usage is of, where it is of many, as a batch's; undefined: not told. */
  readonly calls?: number | undefined
  /** Its own id, such as `resp_…`; undefined: not told. */
  readonly id: string | undefined
  /** What the answer is, in its own word: `chat.completion`, `response`, `batch`, …; undefined: not told. */
  readonly object: string | undefined
  /** Whether it is a response that goes on in the background, where the answer says that: it can be fetched again and again. */
  readonly isBackground: boolean
  /** The state that it says it is in: of a response or a batch, `completed`, `in_progress`, …; undefined: not told. */
  readonly status: string | undefined
  /** Whether nothing was told, and the output was estimated from what was seen. */
  readonly isEstimated: boolean
}

/**
 * All tokens that were read.
 *
 * @example
 * inputTokens(usage) // OpenAI's input_tokens
 */
export function inputTokens(usage: Usage): number {
  return (
    usage.inputText +
    usage.inputAudio +
    usage.inputImage +
    cachedTokens(usage) +
    usage.inputCacheWrite +
    usage.inputCacheWrite1h +
    usage.inputCacheWrite12h
  )
}

/** The tokens among those that came from the upstream's cache. */
export function cachedTokens(usage: Usage): number {
  return usage.inputCachedText + usage.inputCachedAudio + usage.inputCachedImage
}

/** All tokens that were written, with those of reasoning. */
export function outputTokens(usage: Usage): number {
  return usage.outputText + usage.outputAudio + usage.outputImage + usage.outputReasoning
}

/**
 * All tokens, read and written: what OpenAI calls `total_tokens`.
 *
 * @example
 * totalTokens(tally.told().usage)
 */
export function totalTokens(usage: Usage): number {
  return inputTokens(usage) + outputTokens(usage)
}
