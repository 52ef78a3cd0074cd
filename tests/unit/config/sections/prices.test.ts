import { describe, expect, test } from 'bun:test'
import { load } from '../load-file.ts'

function pricesOf(text: string) {
  const loaded = load(text)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  return loaded.settings.prices
}

function problemsOf(text: string): readonly (readonly [path: string, wrong: string])[] {
  const loaded = load(text)
  if (loaded.ok) throw new Error('no problem')
  return loaded.problems.map(({ path, wrong }) => [path, wrong])
}

describe('prices in the file', () => {
  test('are none without a word about them', () => {
    expect(pricesOf('debug_headers: true')).toEqual([])
  })

  test('of tokens and characters are dollars for a million, of sound for a minute, of anything else for one', () => {
    const text = `prices:
  m:
    input: 0.15
    input_audio: 1
    input_image: 2
    cached: 0.0375
    cached_audio: 0.1
    cached_image: 0.2
    cache_write: 3.75
    cache_write_1h: 6
    cache_write_12h: 10
    output: 0.6
    output_audio: 80
    output_image: 40
    reasoning: 3
    image: 0.04
    images: { hd/1024x1024: 0.08 }
    minute: 0.006
    characters: 15
    request: 0.005
    web_search: 0.01
    file_search: 0.0025
    code_session: 0.03
    output_tokens_max: 8192
    context_tokens_max: 128000`
    expect(pricesOf(text)).toEqual([
      {
        pattern: 'm',
        price: {
          prices: {
            input: 150,
            inputAudio: 1000,
            inputImage: 2000,
            cached: 37.5,
            cachedAudio: 100,
            cachedImage: 200,
            cacheWrite: 3750,
            cacheWrite1h: 6000,
            cacheWrite12h: 10_000,
            output: 600,
            outputAudio: 80_000,
            outputImage: 40_000,
            reasoning: 3000,
            image: 40_000_000,
            imageBy: { 'hd/1024x1024': 80_000_000 },
            second: 100_000,
            character: 15_000,
            request: 5_000_000,
            webSearch: 10_000_000,
            fileSearch: 2_500_000,
            codeSession: 30_000_000,
          },
          outputTokensMax: 8192,
          contextTokensMax: 128_000,
        },
      },
    ])
  })

  test('of a tier and of a long context are the others where they say nothing', () => {
    const text = `prices:
  m:
    input: 1
    output: 8
    web_search: 0.01
    long_context: [{ above: 128000, input: 1.5 }, { above: 200000, input: 2, output: 12 }]
    tiers: { batch: { input: 0.5, long_context: [{ above: 200000, output: 6 }] } }`
    const [entry] = pricesOf(text)
    expect(entry?.price).toEqual({
      prices: { input: 1000, output: 8000, webSearch: 10_000_000 },
      longContext: [
        { aboveTokens: 200_000, prices: { input: 2000, output: 12_000, webSearch: 10_000_000 } },
        { aboveTokens: 128_000, prices: { input: 1500, output: 8000, webSearch: 10_000_000 } },
      ],
      tiers: {
        batch: {
          prices: { input: 500, output: 8000, webSearch: 10_000_000 },
          longContext: [{ aboveTokens: 200_000, prices: { input: 500, output: 6000, webSearch: 10_000_000 } }],
        },
      },
    })
  })

  test('may be none at all, or those of another model', () => {
    expect(pricesOf('prices: { "ollama/*": { free: true }, "azure/mine": { same_as: openai/gpt-4o } }')).toEqual([
      { pattern: 'ollama/*', price: 'free' },
      { pattern: 'azure/mine', price: { sameAs: 'openai/gpt-4o' } },
    ])
  })

  test.each([
    ['prices: { m: { free: true, input: 1 } }', 'prices.m', 'says in more than one way what it costs'],
    ['prices: { m: { same_as: gpt-4o, output: 1 } }', 'prices.m', 'says in more than one way what it costs'],
    ['prices: { m: { output_tokens_max: 5 } }', 'prices.m', 'names no price'],
    ['prices: { m: {} }', 'prices.m', 'names no price'],
    ['prices: { "": { input: 1 } }', 'prices[""]', 'has a name that no model has'],
    ['prices: { m: { input: 1, tiers: { flexx: { input: 2 } } } }', 'prices.m.tiers.flexx', 'is no tier'],
  ])('that make no sense are a problem at their place: %s', (text, path, wrong) => {
    expect(problemsOf(text)).toContainEqual([path, wrong])
  })

  test.each([
    ['prices: { m: { input: -1 } }', 'prices.m.input'],
    ['prices: { m: { input: cheap } }', 'prices.m.input'],
    ['prices: { m: { free: false } }', 'prices.m.free'],
    ['prices: { m: { inputs: 1 } }', 'prices.m.inputs'],
    ['prices: { m: { input: 1, long_context: [{ input: 2 }] } }', 'prices.m.long_context[0].above'],
  ])('of a wrong form are a problem at their place: %s', (text, path) => {
    expect(problemsOf(text).map(([at]) => at)).toContainEqual(path)
  })

  test('of a token instead of a million are a warning', () => {
    const loaded = load('prices: { m: { input: 0.00000015, output: 0 } }')
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
    expect(loaded.warnings.map(({ path }) => path)).toEqual(['prices.m.input'])
  })
})
