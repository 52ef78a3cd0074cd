import { describe, expect, test } from 'bun:test'
import type { FilePrice, PriceTable } from '../../../src/pricing/price.ts'
import { loadPrices, PriceBook } from '../../../src/pricing/price-book.ts'

const TABLE: PriceTable = {
  date: '2026-01-01',
  sources: ['a test'],
  tools: { openai: { webSearch: 7 } },
  providers: {
    openai: {
      'gpt-4o': { prices: { input: 1, output: 1 } },
      'gpt-4o-2024-05-13': { prices: { input: 2 } },
      'gpt-audio-2025-08-28': { prices: { input: 3 } },
      'gpt-audio-2026-01-01': { prices: { input: 4 } },
      'ft:gpt-4o': { prices: { input: 5 } },
      'ft:gpt-4o-2024-08-06': { prices: { input: 6 } },
    },
    together: { 'Qwen/Qwen3-Max': { prices: { input: 7 } } },
    groq: { 'llama-3.3-70b-versatile': { prices: { input: 9 } }, 'qwen/qwen3-32b': { prices: { input: 10 } } },
    anthropic: { 'claude-x-20260101': { prices: { input: 8 } } },
  },
}

function inputOf(provider: string | undefined, model: string, file: readonly FilePrice[] = []): unknown {
  const known = new PriceBook(TABLE, file).priceOf(provider, 'up', model)
  return known === undefined ? undefined : [known.price.prices.input, known.by]
}

describe('a model is found in the table', () => {
  test.each([
    ['by its name', 'openai', 'gpt-4o', 1],
    ['by a name with a date of its own', 'openai', 'gpt-4o-2024-05-13', 2],
    ['without a date that has no row', 'openai', 'gpt-4o-2026-11-20', 1],
    ['without a date of four digits', 'openai', 'gpt-4o-0806', 1],
    ['without a month that has no row', 'openai', 'gpt-4o-08-2026', 1],
    ['as the newest of those with a date', 'openai', 'gpt-audio', 4],
    ['behind a provider in front', 'openai', 'openai/gpt-4o', 1],
    ["behind Gemini's word in front", 'openai', 'models/gpt-4o', 1],
    ['whatever its capitals', 'together', 'qwen/qwen3-max', 7],
    ['as fine-tuned', 'openai', 'ft:gpt-4o-2024-08-06:acme:name:id', 6],
    ['of OpenAI, at an address that nobody knows: mostly a proxy before it', undefined, 'gpt-4o', 1],
    ['that only Groq calls so, at an address that nobody knows', undefined, 'llama-3.3-70b-versatile', 9],
    ['of another maker, at such an address', undefined, 'claude-x', 8],
    ['as fine-tuned, of another date', 'openai', 'ft:gpt-4o-2026-01-01:acme::id', 5],
  ])('%s', (_how, provider, model, input) => {
    expect(inputOf(provider, model)).toEqual([input, 'table'])
  })

  test.each([
    ['that is in no list', 'openai', 'gpt-9'],
    [
      'that is fine-tuned of one that has no price as such: it is dearer than the one it was made of',
      'openai',
      'ft:gpt-audio:acme::id',
    ],
    ['of another provider', 'anthropic', 'gpt-4o'],
    ['of an unknown provider', 'acme', 'gpt-4o'],
    ['that anybody may run, at an address that nobody knows', undefined, 'Qwen/Qwen3-Max'],
    ['that Groq and others host, at such an address', undefined, 'qwen/qwen3-32b'],
    ["that is called like an object's member", 'openai', 'constructor'],
  ])('but not one %s', (_what, provider, model) => {
    expect(inputOf(provider, model)).toBeUndefined()
  })

  test("with the prices of its provider's tools", () => {
    expect(new PriceBook(TABLE, []).priceOf('openai', 'up', 'gpt-4o')?.price.tools).toEqual({ webSearch: 7 })
  })
})

describe('what the file says goes before the table', () => {
  const price = { prices: { input: 100 } }

  test.each<[string, readonly FilePrice[], unknown]>([
    ['of a model', [{ pattern: 'gpt-4o', price }], [100, 'file']],
    ['of a model with *', [{ pattern: 'gpt-*', price }], [100, 'file']],
    ["of an upstream's model", [{ pattern: 'up/gpt-4o', price }], [100, 'file']],
    ["of an upstream's models with *", [{ pattern: 'up/*', price }], [100, 'file']],
    ["but not of another upstream's", [{ pattern: 'other/*', price }], [1, 'table']],
    ['that it is free', [{ pattern: 'up/*', price: 'free' }], [0, 'free']],
    ['that it costs what another one does', [{ pattern: 'gpt-4o', price: { sameAs: 'gpt-audio' } }], [4, 'file']],
    [
      'the other one of another provider',
      [{ pattern: 'gpt-4o', price: { sameAs: 'together/qwen/qwen3-max' } }],
      [7, 'file'],
    ],
    ['that it costs what one without a price does', [{ pattern: 'gpt-4o', price: { sameAs: 'gpt-9' } }], undefined],
    [
      'a name without * first',
      [
        { pattern: '*', price: 'free' },
        { pattern: 'GPT-4o', price },
      ],
      [100, 'file'],
    ],
    [
      "its upstream's before all upstreams'",
      [
        { pattern: 'gpt-4o', price: 'free' },
        { pattern: 'up/gpt-4o', price },
      ],
      [100, 'file'],
    ],
    [
      'the first of those with *',
      [
        { pattern: 'gpt*', price },
        { pattern: '*', price: 'free' },
      ],
      [100, 'file'],
    ],
  ])('%s', (_what, file, found) => {
    expect(inputOf('openai', 'gpt-4o', file)).toEqual(found)
  })

  test('one that is free costs nothing in any unit', async () => {
    const { costOf } = await import('../../../src/pricing/cost-of.ts')
    const { NO_USAGE, USAGE_FIELDS } = await import('../../../src/openai/usage/usage.ts')
    const known = new PriceBook(TABLE, [{ pattern: '*', price: 'free' }]).priceOf(undefined, 'up', 'm')
    for (const field of USAGE_FIELDS) expect(known && costOf(known.price, { ...NO_USAGE, [field]: 3 }, 'flex')).toBe(0)
  })
})

describe('an answer is priced', () => {
  const of = (asked: string, served: string | undefined, file: readonly FilePrice[] = []): number | undefined =>
    new PriceBook(TABLE, file).priceOfAnswer('openai', 'up', asked, served)?.price.prices.input

  test('by the model that it names', () => expect(of('gpt-4o', 'gpt-4o-2024-05-13')).toBe(2))
  test('by the model that was asked for, where it names none, or one without a price', () => {
    expect(of('gpt-4o', undefined)).toBe(1)
    expect(of('gpt-4o', 'gpt-9')).toBe(1)
  })
  test("by what the file says of a deployment's name of one's own, though it names a model of the table", () => {
    expect(of('mine', 'gpt-4o', [{ pattern: 'mine', price: { prices: { input: 50 } } }])).toBe(50)
    expect(of('mine', 'gpt-4o')).toBe(1)
  })
  test('by what the file says of the model that it names, before all others', () => {
    const file = [
      { pattern: 'mine', price: { prices: { input: 50 } } },
      { pattern: 'gpt-4o', price: { prices: { input: 60 } } },
    ]
    expect(of('mine', 'gpt-4o', file)).toBe(60)
  })
})

test('a name is looked for once, and of names that callers invent no more than some are kept', async () => {
  const book = new PriceBook(await loadPrices(), [])
  expect(book.priceOf('openai', 'up', 'gpt-4o')).toBe(book.priceOf('openai', 'up', 'gpt-4o'))
  for (let n = 0; n < 5000; n += 1) expect(book.priceOf('openai', 'up', `invented-${n}`)).toBeUndefined()
  expect(book.priceOf('openai', 'up', 'gpt-4o')?.by).toBe('table')
})
