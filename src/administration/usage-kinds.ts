import type { UsageSum } from '../ledger/ledger.ts'
import type { ModelUsage } from '../openai/endpoint-table.ts'
import { callAt } from '../openai/endpoint-use.ts'
import { cachedTokens, inputTokens, NO_USAGE, outputTokens, totalTokens, type Usage } from '../openai/usage/usage.ts'

/** What OpenAI's results may be grouped by. */
export type UsageGrouping =
  | 'project_id'
  | 'user_id'
  | 'api_key_id'
  | 'model'
  | 'batch'
  | 'service_tier'
  | 'api_source'
  | 'size'
  | 'source'
  | 'vector_store_id'
  | 'context_level'

/** One kind of usage, as OpenAI's API tells them apart. */
export interface UsageKind {
  /** The last segment of its path. */
  readonly name: string
  /** The type of its results. */
  readonly object: string
  readonly groupings: readonly UsageGrouping[]
  /** Whether the calls of a group of the books are of this kind; `endpoint` is its name in the books. */
  readonly fits: (endpoint: string, usage: Usage) => boolean
  /** Whether the calls of each model are looked at by themselves: what they used tells their kind, or a count. */
  readonly isOfModels?: boolean
  /** Its counts by OpenAI's names. */
  readonly counts: (usage: Usage, requests: number) => Readonly<Record<string, number>>
}

const CALLER = ['project_id', 'user_id', 'api_key_id'] as const
const BY_MODEL = [...CALLER, 'model'] as const
const BY_TIER = [...BY_MODEL, 'batch', 'service_tier', 'api_source'] as const

/** Whether calls at an endpoint are of a kind. What is no call of a model by itself, such as a batch, has tokens where one was made for it. */
const isOf =
  (kind: ModelUsage): UsageKind['fits'] =>
  (endpoint, usage) =>
    (callAt(endpoint)?.usage ?? (totalTokens(usage) > 0 ? 'completions' : undefined)) === kind

const tokens = (usage: Usage, requests: number) => ({
  input_tokens: inputTokens(usage),
  output_tokens: outputTokens(usage),
  num_model_requests: requests,
  input_uncached_tokens: usage.inputText + usage.inputAudio + usage.inputImage,
  input_text_tokens: usage.inputText,
  input_audio_tokens: usage.inputAudio,
  input_image_tokens: usage.inputImage,
  input_cached_tokens: cachedTokens(usage),
  input_cached_text_tokens: usage.inputCachedText,
  input_cached_audio_tokens: usage.inputCachedAudio,
  input_cached_image_tokens: usage.inputCachedImage,
  input_cache_write_tokens: usage.inputCacheWrite + usage.inputCacheWrite1h + usage.inputCacheWrite12h,
  input_cache_write_30m_tokens: usage.inputCacheWrite,
  input_cache_write_12h_tokens: usage.inputCacheWrite12h,
  output_text_tokens: usage.outputText + usage.outputReasoning,
  output_audio_tokens: usage.outputAudio,
  output_image_tokens: usage.outputImage,
})
const read = (usage: Usage, requests: number) => ({ input_tokens: inputTokens(usage), num_model_requests: requests })

/** All kinds that OpenAI's API has. */
export const USAGE_KINDS: readonly UsageKind[] = [
  {
    name: 'completions',
    object: 'completions',
    groupings: BY_TIER,
    fits: isOf('completions'),
    counts: tokens,
  },
  {
    name: 'decisions',
    object: 'decisions',
    groupings: BY_TIER,
    fits: isOf('decisions'),
    counts: tokens,
  },
  {
    name: 'embeddings',
    object: 'embeddings',
    groupings: BY_MODEL,
    fits: isOf('embeddings'),
    counts: read,
  },
  {
    name: 'moderations',
    object: 'moderations',
    groupings: BY_MODEL,
    fits: isOf('moderations'),
    counts: read,
  },
  {
    name: 'images',
    object: 'images',
    groupings: [...BY_MODEL, 'size', 'source'],
    fits: isOf('images'),
    counts: ({ images }, requests) => ({ images, num_model_requests: requests }),
  },
  {
    name: 'audio_speeches',
    object: 'audio_speeches',
    groupings: BY_MODEL,
    fits: isOf('audio_speeches'),
    isOfModels: true,
    counts: ({ characters }, requests) => ({ characters, num_model_requests: requests }),
  },
  {
    name: 'audio_transcriptions',
    object: 'audio_transcriptions',
    groupings: BY_MODEL,
    fits: isOf('audio_transcriptions'),
    isOfModels: true,
    counts: ({ seconds }, requests) => ({ seconds, num_model_requests: requests }),
  },
  {
    name: 'vector_stores',
    object: 'vector_stores',
    groupings: ['project_id'],
    // What is stored is not metered: it is closed to keys that have a budget.
    fits: () => false,
    counts: () => ({ usage_bytes: 0 }),
  },
  {
    name: 'code_interpreter_sessions',
    object: 'code_interpreter_sessions',
    groupings: ['project_id'],
    fits: (_endpoint, { codeSessions }) => codeSessions > 0,
    counts: ({ codeSessions }) => ({ num_sessions: codeSessions }),
  },
  {
    name: 'file_search_calls',
    object: 'file_searches',
    groupings: [...CALLER, 'vector_store_id'],
    fits: (_endpoint, { fileSearches }) => fileSearches > 0,
    counts: ({ fileSearches }) => ({ num_requests: fileSearches }),
  },
  {
    name: 'web_search_calls',
    object: 'web_searches',
    groupings: [...BY_MODEL, 'context_level', 'api_source'],
    fits: (_endpoint, { webSearches }) => webSearches > 0,
    isOfModels: true,
    // The books know how often was searched, and not by how many of the calls: at most by each of them.
    counts: ({ webSearches }, requests) => ({
      num_requests: webSearches,
      num_model_requests: Math.min(requests, webSearches),
    }),
  },
]

/** The counts of a sum as a usage: what it does not have is 0. */
export function usageOf({ usage }: Pick<UsageSum, 'usage'>): Usage {
  return { ...NO_USAGE, ...usage }
}
