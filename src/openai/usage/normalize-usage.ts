import { isJsonObject, type Json, type JsonObject } from '../../formats/json/json.ts'
import { NO_USAGE, type Usage } from './usage.ts'

const NONE: JsonObject = {}

/**
 * Reads what an answer says of its usage, in any of the forms that servers of OpenAI's API and their own APIs have, as counts that do not
 * overlap. What is cached or written to a cache is part of what was read; where a server counts it beside that (Anthropic's Messages), it is
 * added. Tokens of reasoning are part of what was written; where the total says that they come on top (xAI, Gemini), or the model is of a server
 * that leaves them out (xAI, Perplexity), they are added. `model`: as the answer names it.
 *
 * Sources: OpenAI specification (`CompletionUsage`, `ResponseUsage`, `ImageGenUsage`, `TranscriptTextUsageTokens`, realtime's
 * `response.done`), Anthropic's Messages API, Gemini's `usageMetadata`, DeepSeek, Perplexity and Cohere as they answer.
 *
 * @example
 * normalizeUsage({ prompt_tokens: 20, completion_tokens: 5, total_tokens: 25 }) // inputText 20, outputText 5
 */
export function normalizeUsage(raw: JsonObject, model = ''): Usage {
  if (isJsonObject(raw['billed_units'])) return normalizeUsage(raw['billed_units'], model)
  if ('promptTokenCount' in raw || 'candidatesTokenCount' in raw) return ofGemini(raw)
  const seconds = raw['type'] === 'duration' ? count(raw['seconds']) : 0
  return withOutput(raw, model, withInput(raw, { ...NO_USAGE, seconds, webSearches: webSearchesIn(raw) }))
}

/**
 * The usage that a stream of speech ends with, which does not say that all of its output is sound.
 *
 * @example
 * asSpoken({ input_tokens: 10, output_tokens: 100 }) // with output_token_details: { audio_tokens: 100 }
 */
export function asSpoken(usage: Json | undefined): Json | undefined {
  if (!isJsonObject(usage)) return usage
  return { output_token_details: { audio_tokens: usage['output_tokens'] ?? null }, ...usage }
}

/** What was read: by kind, and how much of it came from a cache or went to one. */
function withInput(raw: JsonObject, before: Usage): Usage {
  const details = detailsOf(raw, 'prompt_tokens_details', 'input_tokens_details', 'input_token_details')
  const ofCached = detailsOf(details, 'cached_tokens_details')
  const apart = 'cache_read_input_tokens' in raw || 'cache_creation_input_tokens' in raw
  const told = count(raw['prompt_tokens'] ?? raw['input_tokens'])
  const cached = apart
    ? count(raw['cache_read_input_tokens'])
    : count(details['cached_tokens'] ?? raw['cached_tokens'] ?? raw['prompt_cache_hit_tokens'])
  const writes = writesOf(raw, details)
  const written = writes.inputCacheWrite + writes.inputCacheWrite1h + writes.inputCacheWrite12h
  const all = apart && !('prompt_tokens' in raw) ? told + cached + written : told
  const inputCachedAudio = count(ofCached['audio_tokens'])
  const inputCachedImage = count(ofCached['image_tokens'])
  const inputAudio = Math.max(0, count(details['audio_tokens']) - inputCachedAudio)
  const inputImage = Math.max(0, count(details['image_tokens']) - inputCachedImage)
  return {
    ...before,
    // Each by its name: only the first spread of an object is cheap.
    inputCacheWrite: writes.inputCacheWrite,
    inputCacheWrite1h: writes.inputCacheWrite1h,
    inputCacheWrite12h: writes.inputCacheWrite12h,
    inputCachedText: Math.max(0, cached - inputCachedAudio - inputCachedImage),
    inputCachedAudio,
    inputCachedImage,
    inputAudio,
    inputImage,
    inputText: Math.max(0, all - cached - written - inputAudio - inputImage),
  }
}

/** Tokens that were written to a cache, by how long they stay there. */
function writesOf(
  raw: JsonObject,
  details: JsonObject,
): Pick<Usage, 'inputCacheWrite' | 'inputCacheWrite1h' | 'inputCacheWrite12h'> {
  const byTime = detailsOf(raw, 'cache_creation')
  const inputCacheWrite1h = count(byTime['ephemeral_1h_input_tokens'])
  const inputCacheWrite12h = count(details['cache_write_12h_tokens'])
  const all = count(
    raw['cache_creation_input_tokens'] ?? details['cache_write_tokens'] ?? details['cache_creation_tokens'],
  )
  return {
    inputCacheWrite1h,
    inputCacheWrite12h,
    inputCacheWrite: Math.max(0, all - inputCacheWrite1h - inputCacheWrite12h),
  }
}

/** What was written: by kind. */
function withOutput(raw: JsonObject, model: string, before: Usage): Usage {
  const details = detailsOf(raw, 'completion_tokens_details', 'output_tokens_details', 'output_token_details')
  const told = count(raw['completion_tokens'] ?? raw['output_tokens'])
  const reasoning = count(details['reasoning_tokens'] ?? details['thinking_tokens'] ?? raw['reasoning_tokens'])
  const read = count(raw['prompt_tokens'] ?? raw['input_tokens'])
  // A total that is more than its two parts counts reasoning that the second part leaves out. xAI leaves it out always.
  const isUntold = raw['total_tokens'] === undefined && XAI.test(model)
  const above = isUntold ? reasoning : Math.max(0, count(raw['total_tokens']) - read - told)
  const onTop = 'prompt_tokens' in raw ? above : 0
  // Perplexity bills what it has thought and cited beside what it has written, and its total leaves both out.
  const beside = isPerplexitys(raw, model) && onTop === 0 ? reasoning + count(raw['citation_tokens']) : 0
  const outputReasoning = Math.max(reasoning, onTop, beside)
  const outputAudio = count(details['audio_tokens'])
  const outputImage = count(details['image_tokens'])
  const all = told + (onTop > 0 ? onTop : beside)
  return {
    ...before,
    outputAudio,
    outputImage,
    outputReasoning: Math.min(outputReasoning, all),
    outputText: Math.max(0, all - outputReasoning - outputAudio - outputImage),
  }
}

const XAI = /(?:^|\/)grok-/
const PERPLEXITY = /(?:^|\/)sonar/

/** Whether a usage is Perplexity's own: others that pass on its models count reasoning among the details. */
function isPerplexitys(raw: JsonObject, model: string): boolean {
  return 'citation_tokens' in raw || ('reasoning_tokens' in raw && PERPLEXITY.test(model))
}

function webSearchesIn(raw: JsonObject): number {
  const ofServer = detailsOf(raw, 'server_tool_use')
  return count(ofServer['web_search_requests'] ?? raw['num_search_queries'])
}

/** Gemini's own form, whose output is in two counts (Gemini API, `UsageMetadata`). */
function ofGemini(raw: JsonObject): Usage {
  const cached = count(raw['cachedContentTokenCount'])
  const read = count(raw['promptTokenCount']) + count(raw['toolUsePromptTokenCount'])
  const input = kindsOf(raw['promptTokensDetails'])
  const kept = kindsOf(raw['cacheTokensDetails'])
  const output = kindsOf(raw['candidatesTokensDetails'])
  const written = count(raw['candidatesTokenCount'])
  const inputAudio = Math.max(0, input.audio - kept.audio)
  const inputImage = Math.max(0, input.image - kept.image)
  return {
    ...NO_USAGE,
    inputCachedText: Math.max(0, cached - kept.audio - kept.image),
    inputCachedAudio: kept.audio,
    inputCachedImage: kept.image,
    inputAudio,
    inputImage,
    inputText: Math.max(0, read - cached - inputAudio - inputImage),
    outputReasoning: count(raw['thoughtsTokenCount']),
    outputAudio: output.audio,
    outputImage: output.image,
    outputText: Math.max(0, written - output.audio - output.image),
  }
}

function kindsOf(list: unknown): { readonly audio: number; readonly image: number } {
  const sum = (modality: string): number =>
    (Array.isArray(list) ? list : [])
      .filter((one): one is JsonObject => isJsonObject(one) && one['modality'] === modality)
      .reduce((total, one) => total + count(one['tokenCount']), 0)
  return { audio: sum('AUDIO'), image: sum('IMAGE') + sum('VIDEO') }
}

function detailsOf(raw: JsonObject, ...names: readonly string[]): JsonObject {
  for (const name of names) {
    const value = raw[name]
    if (isJsonObject(value)) return value
  }
  return NONE
}

/** A count: a number that is none, or less than nothing, is 0. */
function count(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0
}
