import { expect, test } from 'bun:test'
import { priceEntry, tierInDollars } from '../../../../src/config/sections/price-in-dollars.ts'
import { NO_USAGE, USAGE_FIELDS } from '../../../../src/openai/usage/usage.ts'
import { costOf } from '../../../../src/pricing/cost-of.ts'
import { PRICE_TIERS } from '../../../../src/pricing/price.ts'
import { loadPrices, PriceBook } from '../../../../src/pricing/price-book.ts'
import { load } from '../load-file.ts'

test('a price list is written in dollars, without the last digits of a division', () => {
  const { prices, longContext } = tierInDollars({
    prices: {
      input: 37.5,
      second: 100_000,
      character: 15_000,
      webSearch: 10_000_000,
      imageBy: { 'hd/1x1': 80_000_000 },
    },
    longContext: [{ aboveTokens: 200_000, prices: { input: 75 } }],
  })
  expect(prices).toEqual({ input: 0.0375, minute: 0.006, characters: 15, web_search: 0.01, images: { 'hd/1x1': 0.08 } })
  expect(longContext).toEqual([[200_000, { input: 0.075 }]])
})

test('what is shown of a model can be put into the file as it is, and costs the same: each model of the table', async () => {
  const table = await loadPrices()
  const book = new PriceBook(table, [])
  const usage = Object.fromEntries(USAGE_FIELDS.map((field, index) => [field, 1000 + index]))
  for (const [provider, models] of Object.entries(table.providers)) {
    const prices = Object.keys(models).map((model) => [model, book.priceOf(provider, provider, model)?.price] as const)
    const entries = prices.map(([model, price]) => [model, price === undefined ? {} : priceEntry(price)] as const)
    const loaded = load(JSON.stringify({ prices: Object.fromEntries(entries) }))
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems.slice(0, 5)))
    const written = new PriceBook(table, loaded.settings.prices)
    for (const [model, price] of prices) {
      const again = written.priceOf(provider, provider, model)?.price
      for (const tier of PRICE_TIERS) {
        for (const inputText of [1000, 900_000]) {
          const used = { ...NO_USAGE, ...usage, inputText, images: 0 }
          const cost = price && costOf(price, used, tier)
          expect([model, tier, again && costOf(again, used, tier)]).toEqual([model, tier, cost])
        }
      }
    }
  }
})
