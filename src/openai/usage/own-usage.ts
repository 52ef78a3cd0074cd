import { isJsonObject, type Json, type JsonObject } from '../../formats/json/json.ts'

/**
 * What an answer, or an event, tells of its usage in members of a server's own, as a `usage` of OpenAI's form would tell it; undefined: nothing.
 * It counts only where no `usage` comes.
 *
 * Sources: Groq (`x_groq.usage`), Cohere's version 1 (`meta`), Moonshot (`choices[].usage`), llama.cpp (`timings`), Ollama's own API, OpenAI's
 * verbose transcriptions (`duration`, of which each second that has begun is billed).
 *
 * @example
 * ownUsageIn({ timings: { prompt_n: 3, cache_n: 20, predicted_n: 7 } }) // { prompt_tokens: 23, completion_tokens: 7, … }
 */
export function ownUsageIn(value: JsonObject): JsonObject | undefined {
  const { x_groq: groq, timings, choices, meta, prompt_eval_count: read, eval_count: written } = value
  if (isJsonObject(groq) && isJsonObject(groq['usage'])) return groq['usage']
  if (isJsonObject(meta) && isJsonObject(meta['billed_units'])) return meta
  if (isJsonObject(timings)) return usageOfTimings(timings)
  if (read !== undefined || written !== undefined) {
    return { prompt_tokens: read ?? null, completion_tokens: written ?? null }
  }
  if (typeof value['duration'] === 'number' && typeof value['task'] === 'string')
    return { type: 'duration', seconds: Math.ceil(value['duration']) }
  return usageOfChoices(choices)
}

function usageOfChoices(choices: Json | undefined): JsonObject | undefined {
  if (!Array.isArray(choices)) return undefined
  for (const choice of choices as readonly Json[]) {
    if (isJsonObject(choice) && isJsonObject(choice['usage'])) return choice['usage']
  }
  return undefined
}

/** llama.cpp's `timings`: what it has read itself, what it had kept, and what it has written. */
function usageOfTimings({ prompt_n: read, cache_n: kept, predicted_n: written }: JsonObject): JsonObject {
  const cached = typeof kept === 'number' ? kept : 0
  return {
    prompt_tokens: (typeof read === 'number' ? read : 0) + cached,
    completion_tokens: written ?? null,
    prompt_tokens_details: { cached_tokens: cached },
  }
}

/**
 * Merges what a later part of an answer says of its usage into what was said before: each field has the last value that told
 * something. Nothing is added up, for servers that tell it in each part tell the sum so far (vLLM's `continuous_usage_stats`, Anthropic's `message_delta`).
 *
 * @example
 * const usage = mergeUsage(mergeUsage({}, { input_tokens: 9 }), { output_tokens: 4 }) // both
 */
export function mergeUsage(before: JsonObject, later: JsonObject): JsonObject {
  const merged: Record<string, Json> = { ...before }
  for (const [name, value] of Object.entries(later)) {
    if (value === null || value === undefined) continue
    const old = merged[name]
    // A count never falls: servers between say 0 of what only the first event tells.
    if (value === 0 && typeof old === 'number') continue
    merged[name] = isJsonObject(value) && isJsonObject(old) ? mergeUsage(old, value) : value
  }
  return merged
}
