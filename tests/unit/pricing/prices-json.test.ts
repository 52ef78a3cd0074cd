import { expect, test } from 'bun:test'
import { PRICE_TIERS, type PriceList, type TierPrice } from '../../../src/pricing/price.ts'
import { loadPrices } from '../../../src/pricing/price-book.ts'

const table = await loadPrices()
const rows = Object.entries(table.providers).flatMap(([provider, models]) =>
  Object.entries(models).map(([model, price]) => [`${provider}/${model}`, price] as const),
)

const FIELDS: Readonly<Record<Exclude<keyof PriceList, 'imageBy'>, true>> = {
  input: true,
  inputAudio: true,
  inputImage: true,
  cached: true,
  cachedAudio: true,
  cachedImage: true,
  cacheWrite: true,
  cacheWrite1h: true,
  cacheWrite12h: true,
  output: true,
  outputAudio: true,
  outputImage: true,
  reasoning: true,
  image: true,
  second: true,
  character: true,
  request: true,
  webSearch: true,
  fileSearch: true,
  codeSession: true,
}

function faultsOf(name: string, { prices, longContext = [] }: TierPrice): readonly string[] {
  const bounds = longContext.map(({ aboveTokens }) => aboveTokens)
  return [
    ...(Object.keys(prices).length === 0 ? [`${name}: no price`] : []),
    ...[prices, ...longContext.map((one) => one.prices)].flatMap((list) => faultsOfList(name, list)),
    ...(String(bounds) === String(bounds.toSorted((one, other) => other - one)) ? [] : [`${name}: bounds ${bounds}`]),
    ...bounds.flatMap((bound) => (Number.isSafeInteger(bound) && bound > 0 ? [] : [`${name}: bound ${bound}`])),
  ]
}

function faultsOfList(name: string, { imageBy = {}, ...list }: PriceList): readonly string[] {
  const unknown = Object.keys(list).filter((field) => !Object.hasOwn(FIELDS, field))
  const pictures = Object.keys(imageBy).filter((key) => !/^\w+\/\d+x\d+$/.test(key))
  const numbers: readonly unknown[] = [...Object.values(list), ...Object.values(imageBy)]
  const wrong = numbers.filter(
    // Nano-dollars in thousandths; nothing costs more than ten dollars for one.
    (value) =>
      typeof value !== 'number' || !(value >= 0 && value <= 1e10) || !Number.isInteger(Math.round(value * 1e6) / 1e3),
  )
  return [...unknown, ...pictures, ...wrong].map((fault) => `${name}: ${fault}`)
}

test('every row is a price that costs can be added up by', () => {
  const faults = rows.flatMap(([name, { tiers = {}, ...usual }]) => [
    ...faultsOf(name, usual),
    ...Object.entries(tiers).flatMap(([tier, price]) => [
      ...(PRICE_TIERS.some((known) => known === tier && tier !== 'default') ? [] : [`${name}: tier ${tier}`]),
      ...faultsOf(`${name} ${tier}`, price),
    ]),
    ...[usual.outputTokensMax ?? 1, usual.contextTokensMax ?? 1].flatMap((max) =>
      Number.isSafeInteger(max) && max >= 0 ? [] : [`${name}: at most ${max} tokens`],
    ),
  ])
  expect(faults).toEqual([])
})

test('the table has a date, its sources, and the models of all providers', () => {
  expect(table.date).toMatch(/^20\d\d-\d\d-\d\d$/)
  expect(table.sources.join()).toMatch(/LiteLLM [\d.]+ .*genai-prices [\d.]+/)
  expect(rows.length).toBeGreaterThan(2000)
  for (const [provider, models] of Object.entries(table.providers)) {
    expect([provider, Object.keys(models).length > 5]).toEqual([provider, true])
  }
})

test('a long context and its cached tokens are not cheaper than a short one', () => {
  const cheaper = rows.filter(([, { prices, longContext = [] }]) =>
    longContext.some((long) => (long.prices.input ?? 0) < (prices.input ?? 0)),
  )
  expect(cheaper.map(([name]) => name)).toEqual([])
})

test.each([
  ['openai', 'gpt-4o-mini', { input: 150, cached: 75, output: 600 }],
  ['openai', 'gpt-5', { input: 1250, cached: 125, output: 10_000 }],
  ['openai', 'whisper-1', { second: 100_000 }],
  ['openai', 'tts-1', { character: 15_000 }],
  [
    'anthropic',
    'claude-sonnet-4-5',
    { input: 3000, cached: 300, cacheWrite: 3750, cacheWrite1h: 6000, output: 15_000 },
  ],
  ['gemini', 'gemini-2.5-pro', { input: 1250, cached: 125, output: 10_000 }],
  ['perplexity', 'sonar-pro', { input: 3000, output: 15_000 }],
  ['openrouter', 'openai/gpt-4o', { input: 2500, output: 10_000 }],
])('%s asks for %s what its price page says', (provider, model, prices) => {
  expect(table.providers[provider]?.[model]?.prices).toMatchObject(prices)
})
