import { describe, expect, test } from 'bun:test'
import { NO_USAGE, type Usage } from '../../../src/openai/usage/usage.ts'
import { costOf, pricedCost, priceListOf } from '../../../src/pricing/cost-of.ts'
import type { ModelPrice, PriceTier } from '../../../src/pricing/price.ts'
import { loadPrices, PriceBook } from '../../../src/pricing/price-book.ts'

const book = new PriceBook(await loadPrices(), [])

function priceOf(provider: string, model: string): ModelPrice {
  const known = book.priceOf(provider, provider, model)
  if (known === undefined) throw new Error(`${model} has no price`)
  return known.price
}

/** Invoices: what the providers' price pages come to, in dollars. */
const INVOICES: readonly (readonly [
  what: string,
  provider: string,
  model: string,
  usage: Partial<Usage>,
  dollars: number,
  tier?: PriceTier,
  picture?: string,
])[] = [
  ['text', 'openai', 'gpt-4o-mini', { inputText: 1_000_000, outputText: 1_000_000 }, 0.75],
  ['cached text', 'openai', 'gpt-4o-mini', { inputText: 1000, inputCachedText: 9000, outputText: 500 }, 0.001125],
  ['batch', 'openai', 'gpt-4o-mini', { inputText: 1_000_000, outputText: 1_000_000 }, 0.375, 'batch'],
  ['priority', 'openai', 'gpt-4o', { inputText: 100_000, outputText: 10_000 }, 0.595, 'priority'],
  [
    'flex, with thoughts',
    'openai',
    'gpt-5',
    { inputText: 10_000, outputText: 100, outputReasoning: 900 },
    0.01125,
    'flex',
  ],
  ['at 272,000 tokens', 'openai', 'gpt-5.6', { inputText: 272_000, outputText: 1000 }, 1.108],
  ['above 272,000 tokens', 'openai', 'gpt-5.6', { inputText: 272_001, outputText: 1000 }, 2.206008],
  ['above 272,000 tokens, flex', 'openai', 'gpt-5.6', { inputText: 300_000, outputText: 1000 }, 1.215, 'flex'],
  ['5 minutes in the cache', 'anthropic', 'claude-sonnet-4-5', { inputCacheWrite: 100_000, outputText: 1000 }, 0.39],
  ['an hour in the cache', 'anthropic', 'claude-sonnet-4-5', { inputCacheWrite1h: 100_000, outputText: 1000 }, 0.615],
  ['read from the cache', 'anthropic', 'claude-sonnet-4-5', { inputCachedText: 100_000, inputText: 10 }, 0.03003],
  ['a search', 'anthropic', 'claude-sonnet-4-5', { inputText: 1000, webSearches: 2 }, 0.023],
  ['at 200,000 tokens', 'gemini', 'gemini-2.5-pro', { inputText: 200_000, outputText: 1000 }, 0.26],
  ['above 200,000 tokens', 'gemini', 'gemini-2.5-pro', { inputText: 200_001, outputText: 1000 }, 0.5150025],
  ['sound that is read', 'gemini', 'gemini-2.5-flash', { inputText: 1000, inputAudio: 10_000 }, 0.0103],
  ['sound that is written', 'openai', 'gpt-audio', { inputText: 1000, outputText: 100, outputAudio: 1000 }, 0.0675],
  [
    'realtime, cached sound',
    'openai',
    'gpt-realtime',
    { inputAudio: 1000, inputCachedAudio: 1000, outputAudio: 1000 },
    0.0964,
  ],
  ['an image by its tokens', 'openai', 'gpt-image-1', { inputText: 50, outputImage: 4160, images: 1 }, 0.16665],
  [
    'an image whose tokens have no kind',
    'openai',
    'gpt-image-1',
    { inputText: 50, outputText: 4160, images: 1 },
    0.16665,
  ],
  ['an image by its size', 'openai', 'dall-e-3', { images: 2 }, 0.16, 'default', 'hd/1024x1024'],
  ['an image of unknown size', 'openai', 'dall-e-3', { images: 1 }, 0.12],
  ['seconds', 'openai', 'whisper-1', { seconds: 90 }, 0.009],
  ['part of a second', 'openai', 'whisper-1', { seconds: 0.5 }, 0.00005],
  ['characters', 'openai', 'tts-1', { characters: 1_000_000 }, 15],
  ['embeddings', 'openai', 'text-embedding-3-small', { inputText: 1_000_000 }, 0.02],
  [
    'a search of a chat',
    'openai',
    'gpt-4o-search-preview',
    { inputText: 100, outputText: 100, webSearches: 1 },
    0.02625,
  ],
  [
    'a search and a file search that no row names',
    'openai',
    'gpt-4o',
    { inputText: 1000, fileSearches: 1, codeSessions: 1 },
    0.035,
  ],
  ['a search in a long context', 'gemini', 'gemini-2.5-pro', { inputText: 300_000, webSearches: 1 }, 0.785],
  ['a search', 'perplexity', 'sonar', { inputText: 1000, outputText: 1000, webSearches: 1 }, 0.01],
]

describe('a call costs what the invoice says', () => {
  test.each(INVOICES)('%s: %s %s', (_what, provider, model, usage, dollars, tier = 'default', picture) => {
    const cost = costOf(priceOf(provider, model), { ...NO_USAGE, ...usage }, tier, picture)
    expect(cost).toBe(Math.round(dollars * 1e9))
  })
})

describe('of a price that is not there', () => {
  const price: ModelPrice = { prices: { input: 1000, output: 2000 } }

  test.each<[keyof Usage, number]>([
    ['inputText', 10_000],
    ['inputAudio', 10_000],
    ['inputImage', 10_000],
    ['inputCachedText', 10_000],
    ['inputCachedAudio', 10_000],
    ['inputCachedImage', 10_000],
    ['inputCacheWrite', 10_000],
    ['inputCacheWrite1h', 10_000],
    ['inputCacheWrite12h', 10_000],
    ['outputText', 20_000],
    ['outputAudio', 20_000],
    ['outputImage', 20_000],
    ['outputReasoning', 20_000],
  ])('%s costs as much as text', (field, cost) => {
    expect(costOf(price, { ...NO_USAGE, [field]: 10 }, 'default')).toBe(cost)
  })

  test.each<keyof Usage>(['images', 'seconds', 'characters', 'webSearches', 'fileSearches', 'codeSessions'])(
    '%s make the cost unknown, never nothing; what is known of it is told',
    (field) => {
      const usage = { ...NO_USAGE, [field]: 1, ...(field.endsWith('s') && field.includes('S') && { inputText: 1 }) }
      expect(costOf(price, usage, 'default')).toBeUndefined()
      expect(pricedCost(price, usage, 'default', { picture: undefined })).toEqual({
        cost: usage.inputText * 1000,
        isWhole: false,
      })
    },
  )

  test('a longer time in the cache costs as much as the next shorter one', () => {
    const own: ModelPrice = { prices: { input: 1000, cacheWrite: 1250 } }
    expect(costOf(own, { ...NO_USAGE, inputCacheWrite12h: 4 }, 'default')).toBe(5000)
  })

  test('a tier costs as much as the usual one', () => {
    expect(priceListOf(price, 'flex', 1)).toBe(price.prices)
  })
})

describe('money is whole', () => {
  test('halves of a nano-dollar do not drift: a million calls cost a million times as much as one', () => {
    const price: ModelPrice = { prices: { input: 37.5 } }
    expect(costOf(price, { ...NO_USAGE, inputText: 2 }, 'default')).toBe(75)
    expect(costOf(price, { ...NO_USAGE, inputText: 2_000_000 }, 'default')).toBe(75_000_000)
  })

  test('a part of a nano-dollar is rounded up, and a price of 0.1 cents three times is 0.3', () => {
    expect(costOf({ prices: { input: 0.1 } }, { ...NO_USAGE, inputText: 3 }, 'default')).toBe(1)
    expect(costOf({ prices: { webSearch: 1_000_000.1 } }, { ...NO_USAGE, webSearches: 3 }, 'default')).toBe(3_000_001)
  })

  test('an absurd count costs the most that can be told, and no fraction or Infinity', () => {
    const cost = costOf({ prices: { input: 600_000 } }, { ...NO_USAGE, inputText: 1e15 }, 'default')
    expect(cost).toBe(Number.MAX_SAFE_INTEGER)
  })
})
