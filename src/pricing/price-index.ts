import type { ModelPrice, PriceTable, ToolPrices } from './price.ts'
import { priceNames, undated } from './price-names.ts'

/** The models of one provider by their names in lower case, and the newest of each by its name without a date. */
interface ProviderIndex {
  readonly tools: ToolPrices | undefined
  readonly byName: ReadonlyMap<string, ModelPrice>
  readonly newest: ReadonlyMap<string, ModelPrice>
}

/** The prices of a table, by provider. A provider's names are gone through when the first of them is looked for. */
export type PriceIndex = (provider: string) => ProviderIndex | undefined

/** Prepares a table for `findPrice`. */
export function indexPrices({ providers, tools }: PriceTable): PriceIndex {
  const made = new Map<string, ProviderIndex>()
  return (provider) => {
    const models = Object.hasOwn(providers, provider) ? providers[provider] : undefined
    if (models === undefined) return undefined
    const index =
      made.get(provider) ?? indexModels(models, Object.hasOwn(tools, provider) ? tools[provider] : undefined)
    made.set(provider, index)
    return index
  }
}

/**
 * The price of a provider's model in a table; undefined: it is in no list. An exact name goes first, then one without a provider in front
 * or without a date; a name without a date that has no row of its own is that of the newest model with one.
 */
export function findPrice(index: PriceIndex, provider: string, model: string): ModelPrice | undefined {
  const models = index(provider)
  if (models === undefined) return undefined
  const names = priceNames(model)
  const price = firstOf(names, models.byName) ?? firstOf(names, models.newest)
  // Only a model that writes has tools to call.
  const writes = (price?.prices.output ?? 0) > 0
  return price !== undefined && writes && models.tools !== undefined ? { ...price, tools: models.tools } : price
}

function firstOf(names: readonly string[], models: ReadonlyMap<string, ModelPrice>): ModelPrice | undefined {
  for (const name of names) {
    const price = models.get(name)
    if (price !== undefined) return price
  }
  return undefined
}

function indexModels(models: Readonly<Record<string, ModelPrice>>, tools: ToolPrices | undefined): ProviderIndex {
  const rows = Object.entries(models).map(([name, price]) => [name.toLowerCase(), price] as const)
  const dated = rows.filter(([name]) => undated(name) !== name && !name.startsWith('ft:'))
  // In the order of their names, the last one of a model is its newest.
  const ordered = dated.toSorted(([one], [other]) => (one < other ? -1 : 1))
  return { tools, byName: new Map(rows), newest: new Map(ordered.map(([name, price]) => [undated(name), price])) }
}
