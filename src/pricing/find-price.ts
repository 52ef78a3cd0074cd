import type { ModelPrice, PriceTier } from './price.ts'
import table from './prices.json' with { type: 'json' }

/** The prices of a provider's models, by name. */
type Models = Readonly<Record<string, ModelPrice>>

const PROVIDERS: Readonly<Record<string, Models>> = table.providers
/** The day on which the prices were gathered (ISO 8601). */
export const PRICES_DATE: string = table.date
/** A date at a model's end: `gpt-4o-2024-08-06`, `claude-sonnet-4-5-20250929`. */
const DATED = /-(?:20\d\d-\d\d-\d\d|20\d{6}|\d{4})$/
/** A fine-tuned model: `ft:gpt-4o-mini-2024-07-18:acme::id`. */
const FINE_TUNED = /^(ft:[^:]+):/
const TIERS: Readonly<Record<string, PriceTier>> = {
  batch: 'batch',
  flex: 'flex',
  priority: 'priority',
  // Anthropic's words for the same.
  fast: 'priority',
}

/**
 * The price of a provider's model; undefined: it is in no list, which is not the same as free. `provider`: a preset's name. The name is
 * looked for as it is, then without a provider in front, without what makes it a fine-tuned one's, and without a date.
 *
 * @example
 * findPrice('openai', 'gpt-4o-2024-08-06')
 */
export function findPrice(provider: string, model: string): ModelPrice | undefined {
  const models = Object.hasOwn(PROVIDERS, provider) ? PROVIDERS[provider] : undefined
  if (models === undefined) return undefined
  for (const name of namesOf(model.toLowerCase())) if (Object.hasOwn(models, name)) return models[name]
  return undefined
}

/**
 * The tier whose prices hold for what an answer says of its `service_tier` (OpenAI specification).
 *
 * @example
 * priceTierOf('flex', false) // 'flex'
 */
export function priceTierOf(served: string | undefined, isBatch: boolean): PriceTier {
  if (isBatch) return 'batch'
  return served !== undefined && Object.hasOwn(TIERS, served) ? (TIERS[served] ?? 'default') : 'default'
}

function* namesOf(model: string): Generator<string> {
  yield model
  const [tuned] = FINE_TUNED.exec(model)?.slice(1) ?? []
  if (tuned !== undefined) {
    yield tuned
    // A fine-tuned model costs more than the one that it is made of: without a price of its own it has none.
    return
  }
  const slash = model.lastIndexOf('/')
  const short = model.slice(slash + 1)
  if (slash !== -1) yield short
  if (!DATED.test(short)) return
  yield model.replace(DATED, '')
  yield short.replace(DATED, '')
}
