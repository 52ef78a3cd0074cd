import { isJsonObject, type JsonObject } from '../../formats/json/json.ts'

const NANO = 1e9
/** xAI counts in ten thousand millionths of a dollar. */
const TICKS = 1e10

/**
 * What an answer says that it has cost, in nano-dollars; undefined: it does not say.
 *
 * Sources: OpenRouter (`usage.cost` in dollars; where the caller's own key at a provider was used, `cost_details` has what that took),
 * Perplexity (`usage.cost.total_cost`), xAI (`usage.cost_in_usd_ticks`).
 *
 * @example
 * costIn({ prompt_tokens: 9, completion_tokens: 4, cost: 0.00014 }) // 140_000
 */
export function costIn(usage: JsonObject): number | undefined {
  const { cost, cost_details: details, cost_in_usd_ticks: ticks } = usage
  if (typeof cost === 'number') {
    const beside = usage['is_byok'] === true && isJsonObject(details) ? details['upstream_inference_cost'] : 0
    return nano(cost + (typeof beside === 'number' ? beside : 0), 1)
  }
  if (isJsonObject(cost)) return nano(cost['total_cost'], 1)
  return nano(ticks, TICKS)
}

/** Rounded up, but for the noise of a number's last digits. */
function nano(value: unknown, unitsPerDollar: number): number | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) return undefined
  const exact = (value * NANO) / unitsPerDollar
  const nearest = Math.round(exact)
  return Math.abs(exact - nearest) < 1e-3 ? nearest : Math.ceil(exact)
}
