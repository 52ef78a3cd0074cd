import type { JsonObject } from '../../formats/json/json.ts'
import { sectionOf, translateValue } from './litellm-values.ts'

/** Parameters of OpenAI's requests. */
export const REQUEST_PARAMETERS: ReadonlySet<string> = new Set([
  ...['temperature', 'top_p', 'max_tokens', 'max_completion_tokens', 'max_output_tokens', 'n', 'stop', 'seed', 'user'],
  ...['presence_penalty', 'frequency_penalty', 'logit_bias', 'logprobs', 'top_logprobs', 'response_format', 'tools'],
  ...['tool_choice', 'parallel_tool_calls', 'functions', 'function_call', 'reasoning_effort', 'reasoning', 'verbosity'],
  ...['service_tier', 'store', 'stream_options', 'modalities', 'audio', 'prediction', 'web_search_options', 'suffix'],
  ...['dimensions', 'encoding_format', 'voice', 'speed', 'size', 'quality', 'style', 'language', 'prompt', 'top_k'],
  ...['safety_identifier', 'prompt_cache_key', 'thinking'],
])

/** The parameters that a deployment's requests have where callers leave them out: `litellm_params` and its `extra_body`. */
export function defaultsOf(params: JsonObject): JsonObject {
  const named = Object.entries(params).filter(([key, value]) => REQUEST_PARAMETERS.has(key) && value !== null)
  const extra = Object.entries(sectionOf(params, 'extra_body')).filter(([key]) => key !== 'model')
  return Object.fromEntries([...named, ...extra].map(([key, value]) => [key, translateValue(value)]))
}
