import { isJsonObject, type Json, type JsonObject } from '../formats/json/json.ts'

/**
 * Merges what a later part of an answer says of its usage into what was said before: each field has the last value that was not null. Nothing
 * is added up, for servers that tell it in each part tell the sum so far (vLLM's `continuous_usage_stats`, Anthropic's `message_delta`).
 *
 * @example
 * const usage = mergeUsage(mergeUsage({}, { input_tokens: 9 }), { output_tokens: 4 }) // both
 */
export function mergeUsage(before: JsonObject, later: JsonObject): JsonObject {
  const merged: Record<string, Json> = { ...before }
  for (const [name, value] of Object.entries(later)) {
    if (value === null || value === undefined) continue
    const old = merged[name]
    merged[name] = isJsonObject(value) && isJsonObject(old) ? mergeUsage(old, value) : value
  }
  return merged
}
