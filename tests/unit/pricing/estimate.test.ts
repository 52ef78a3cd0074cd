import { describe, expect, test } from 'bun:test'
import { UNREAD } from '../../../src/formats/json/member-scan.ts'
import { type Estimate, estimateCall } from '../../../src/pricing/estimate.ts'
import type { PlannedCall } from '../../../src/pricing/planned-call.ts'
import type { ModelPrice } from '../../../src/pricing/price.ts'
import { loadPrices, PriceBook } from '../../../src/pricing/price-book.ts'

const book = new PriceBook(await loadPrices(), [])
const encoder = new TextEncoder()

function priceOf(provider: string, model: string): ModelPrice | undefined {
  return book.priceOf(provider, provider, model)?.price
}

/** A call whose body is read as a whole. */
function callOf(
  endpoint: string,
  value: Readonly<Record<string, unknown>>,
  changes: Partial<PlannedCall> = {},
): PlannedCall {
  const body = encoder.encode(JSON.stringify(value))
  return { endpoint, model: String(value['model']), bodyBytes: body.length, body, members: value, ...changes }
}

function estimate(
  provider: string,
  endpoint: string,
  value: Readonly<Record<string, unknown>>,
  changes: Partial<PlannedCall> = {},
): Estimate {
  return estimateCall(callOf(endpoint, value, changes), priceOf(provider, String(value['model'])))
}

const HI = [{ role: 'user', content: 'hi' }]

/** Base64 of bytes that are no text. */
function base64(bytes: number): string {
  return Buffer.from(Array.from({ length: bytes }, (_, index) => (index * 7919 + (index >> 3)) & 255)).toString(
    'base64',
  )
}

describe('the tokens of a text are at least what a tokenizer counts, and not absurdly many', () => {
  // Counted by gpt-tokenizer 3 (o200k_base).
  test.each([
    ['English', 'The quick brown fox jumps over the lazy dog. '.repeat(40), 401],
    ['code', 'for (let i = 0; i < list.length; i += 1) { total += list[i] }\n'.repeat(40), 1000],
    ['Chinese', '这是一段用来测试的中文文本，内容没有什么特别。'.repeat(40), 561],
    [
      'UUIDs',
      '5bc8fbbc-bde5-4099-8164-d8399f767c45 d76d4330-f144-4bea-b0c1-1fdecb91ce37 87b0b125-ec1d-4da0-a6eb-8c9ebd69fe29 c6a53877-7733-4bdb-9721-0dff076ce2ef '.repeat(
        10,
      ),
      920,
    ],
  ])('%s', (_kind, content, counted) => {
    const { inputText } = estimate('openai', 'chat/completions', {
      model: 'gpt-4o',
      messages: [{ role: 'user', content }],
    }).usage
    expect(inputText).toBeGreaterThanOrEqual(counted)
    expect(inputText).toBeLessThan(counted * 2.5)
  })

  test('Chinese in escapes is about as many tokens as without', () => {
    const content = '这是一段用来测试的中文文本，内容没有什么特别。'.repeat(40)
    const plain = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content }] })
    const escaped = plain.replace(
      /[\u0080-\uffff]/g,
      (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
    const tokensOf = (text: string): number => {
      const body = encoder.encode(text)
      const call = { endpoint: 'chat/completions', model: 'gpt-4o', bodyBytes: body.length, body, members: {} }
      return estimateCall(call, undefined).usage.inputText
    }
    expect(tokensOf(escaped)).toBeGreaterThan(600)
    expect(tokensOf(escaped)).toBeLessThan(tokensOf(plain) * 1.3)
  })

  test('a body that nobody has read counts with all of its bytes', () => {
    const { usage } = estimate('openai', 'embeddings', { model: 'own' }, { body: undefined, bodyBytes: 30_000 })
    expect(usage.inputText).toBeGreaterThan(10_000)
  })
})

describe('what is no text', () => {
  const image = `data:image/png;base64,${base64(60_000)}`

  test.each<[string, unknown]>([
    ['a chat', [{ role: 'user', content: [{ type: 'image_url', image_url: { url: image } }] }]],
    ['a response', [{ role: 'user', content: [{ type: 'input_image', image_url: image }] }]],
    [
      "Anthropic's message",
      [
        {
          role: 'user',
          content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: base64(60_000) } }],
        },
      ],
    ],
    ['a link', [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://example.org/a.png' } }] }]],
  ])('an image in %s counts as an image', (_where, messages) => {
    const { usage } = estimate('openai', 'chat/completions', { model: 'gpt-4o', messages })
    expect(usage.inputImage).toBe(1600)
    expect(usage.inputText).toBeLessThan(150)
  })

  test('two images count twice, also where only one is in the body', () => {
    const content = [
      { type: 'image_url', image_url: { url: image } },
      { type: 'image_url', image_url: { url: 'https://example.org/a.png' } },
    ]
    expect(estimate('openai', 'chat/completions', { model: 'gpt-4o', messages: [{ content }] }).usage.inputImage).toBe(
      3200,
    )
  })

  test('sound counts by its length', () => {
    const content = [{ type: 'input_audio', input_audio: { data: base64(100_000), format: 'mp3' } }]
    const { usage } = estimate('openai', 'chat/completions', {
      model: 'gpt-audio',
      messages: [{ role: 'user', content }],
    })
    expect(usage.inputAudio).toBeGreaterThanOrEqual(1000)
    expect(usage.inputAudio).toBeLessThan(1100)
    expect(usage.inputText).toBeLessThan(150)
  })

  test('a document counts by its bytes', () => {
    const content = [
      { type: 'file', file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${base64(90_000)}` } },
    ]
    const { usage } = estimate('openai', 'chat/completions', { model: 'gpt-4o', messages: [{ role: 'user', content }] })
    expect(usage.inputText).toBeGreaterThan(39_000)
    expect(usage.inputText).toBeLessThan(42_000)
  })

  test.each([
    ['base64 that is sent as text', { type: 'text', text: base64(30_000) }],
    [
      'words in a place of base64',
      { type: 'image_url', image_url: { url: `data:image/png;base64,${'some words '.repeat(3000)}` } },
    ],
  ])('but %s counts as text', (_what, part) => {
    const messages = [{ role: 'user', content: [part] }]
    expect(estimate('openai', 'chat/completions', { model: 'gpt-4o', messages }).usage.inputText).toBeGreaterThan(8000)
  })
})

describe('the most that is written is', () => {
  const written = (value: Readonly<Record<string, unknown>>, endpoint = 'chat/completions', changes = {}): number =>
    estimate('openai', endpoint, { model: 'gpt-4o', ...value }, changes).usage.outputText

  test.each(['max_tokens', 'max_completion_tokens', 'max_output_tokens'])('%s', (name) => {
    expect(written({ [name]: 100 })).toBe(100)
  })
  test('the larger one of two limits: nobody knows which one the server reads', () => {
    expect(written({ max_tokens: 5, max_completion_tokens: 100 })).toBe(100)
  })
  test('what the model can, without a limit, or with one above that, or with one that is none', () => {
    expect(written({})).toBe(16_384)
    expect(written({ max_tokens: 1_000_000 })).toBe(16_384)
    expect(written({ max_tokens: null })).toBe(16_384)
    expect(written({ max_tokens: -1 })).toBe(16_384)
    expect(written({ max_tokens: '5' })).toBe(16_384)
  })
  test('of an unknown model what others write', () => {
    expect(written({ model: 'own' })).toBe(16_384)
    expect(written({ model: 'own', max_tokens: 70_000 })).toBe(70_000)
  })
  test('where no cap is set, what is expected, at most what the model can', () => {
    expect(written({}, 'chat/completions', { outputExpected: 300 })).toBe(300)
    expect(written({}, 'chat/completions', { outputExpected: 50_000 })).toBe(16_384)
    expect(written({ n: 2 }, 'chat/completions', { outputExpected: 300 })).toBe(600)
    expect(written({ max_tokens: 10 }, 'chat/completions', { outputExpected: 300 })).toBe(10)
  })
  test('times all answers that are made', () => {
    expect(written({ max_tokens: 10, n: 3 })).toBe(30)
    expect(written({ max_tokens: 10, n: 2, best_of: 5 }, 'completions')).toBe(50)
  })
  test('times all prompts of a list, read or not', () => {
    const prompts = ['a "quoted" one', 'b', 'c']
    expect(written({ max_tokens: 10, prompt: prompts }, 'completions')).toBe(30)
    expect(written({ max_tokens: 10, prompt: [1, 2, 3, 4] }, 'completions')).toBe(10)
    expect(
      written(
        {
          max_tokens: 10,
          prompt: [
            [1, 2],
            [3, 4],
          ],
        },
        'completions',
      ),
    ).toBe(20)
    const members = { max_tokens: 10, prompt: UNREAD }
    expect(written({ max_tokens: 10, prompt: prompts }, 'completions', { members })).toBeGreaterThanOrEqual(30)
    expect(
      written(
        {
          max_tokens: 10,
          prompt: [
            [1, 2],
            [3, 4],
          ],
        },
        'completions',
        { members },
      ),
    ).toBe(20)
    expect(written({ max_tokens: 10, prompt: [1, 2, 3] }, 'completions', { members })).toBe(10)
    expect(written({ max_tokens: 10, prompt: 'x' }, 'completions', { members })).toBe(10)
  })
  test('sound, where that is asked for', () => {
    const { usage } = estimate('openai', 'chat/completions', {
      model: 'gpt-audio',
      messages: HI,
      audio: { voice: 'a' },
      max_tokens: 9,
    })
    expect([usage.outputText, usage.outputAudio]).toEqual([0, 9])
  })
  test('nothing, where texts are only read', () => {
    const { usage } = estimate('openai', 'embeddings', { model: 'text-embedding-3-small', input: 'hi' })
    expect([usage.outputText, usage.webSearches]).toEqual([0, 0])
  })
})

describe('responses', () => {
  test('that go on from an earlier one read that, too: what is known of it, or much', () => {
    const value = { model: 'gpt-5', input: 'go on', previous_response_id: 'resp_1', max_output_tokens: 10 }
    expect(estimate('openai', 'responses', value).usage.inputText).toBeGreaterThan(128_000)
    expect(estimate('openai', 'responses', value, { earlierTokens: 500 }).usage.inputText).toBeLessThan(700)
  })

  test.each([
    ['none', {}, 0],
    ['as many as they may', { tools: [{ type: 'web_search' }], max_tool_calls: 3 }, 3],
    ['ten', { tools: [{ type: 'web_search_preview' }] }, 10],
    ['none with other tools', { tools: [{ type: 'function', name: 'web_search_mine' }] }, 0],
  ])('make searches: %s', (_what, value, searches) => {
    expect(estimate('openai', 'responses', { model: 'gpt-5', input: 'x', ...value }).usage.webSearches).toBe(searches)
  })

  test('of tools that search and run code hold what these cost and find', () => {
    const tools = [{ type: 'file_search' }, { type: 'code_interpreter', container: { type: 'auto' } }]
    const { usage } = estimate('openai', 'responses', { model: 'gpt-5', input: 'x', tools, max_tool_calls: 2 })
    expect([usage.fileSearches, usage.codeSessions, usage.webSearches]).toEqual([2, 1, 0])
    expect(usage.inputText).toBeGreaterThan(16_000)
  })

  test('make searches, where their tools have not been read', () => {
    const value = { model: 'gpt-5', input: 'x', tools: [{ type: 'web_search' }] }
    const { usage } = estimate('openai', 'responses', value, { members: { ...value, tools: UNREAD } })
    expect(usage.webSearches).toBe(10)
  })

  test('of a model that always searches make one', () => {
    expect(estimate('perplexity', 'chat/completions', { model: 'sonar', messages: HI }).usage.webSearches).toBe(1)
  })
})

describe('images and sounds', () => {
  test.each<[string, string, string, Readonly<Record<string, unknown>>, number, number]>([
    ['an image by its tokens', 'images/generations', 'gpt-image-1', { n: 2, quality: 'low' }, 200, 0.033],
    ['an image of any quality', 'images/generations', 'gpt-image-1', {}, 200, 0.25],
    ['images by their size', 'images/generations', 'dall-e-3', { n: 2, quality: 'hd', size: '1024x1024' }, 200, 0.16],
    ['images of the usual quality', 'images/generations', 'dall-e-3', { size: '1024x1024' }, 200, 0.04],
    ['images of no size', 'images/generations', 'dall-e-3', {}, 200, 0.04],
    ['images of no size in high quality', 'images/generations', 'dall-e-3', { quality: 'hd' }, 200, 0.08],
    ['images whose model decides', 'images/generations', 'dall-e-3', { quality: 'auto', size: 'auto' }, 200, 0.04],
    ['speech by its characters', 'audio/speech', 'tts-1', { input: 'hello' }, 200, 0.000075],
    ['speech whose text was not read', 'audio/speech', 'tts-1', {}, 200, 0.003],
    ['speech by its tokens', 'audio/speech', 'gpt-4o-mini-tts', { input: 'hello' }, 200, 0.00017],
    ['a megabyte of sound', 'audio/transcriptions', 'whisper-1', {}, 1_000_000, 0.1],
    ['a megabyte of sound by its tokens', 'audio/transcriptions', 'gpt-4o-transcribe', {}, 1_000_000, 0.105],
  ])('%s: %s of %s', (_what, endpoint, model, members, bodyBytes, dollars) => {
    const { cost } = estimateCall({ endpoint, model, bodyBytes, body: undefined, members }, priceOf('openai', model))
    expect(Number(cost) / 1e9).toBeCloseTo(dollars, 3)
    expect(Number(cost) / 1e9).toBeGreaterThanOrEqual(dollars * 0.9)
  })

  test('are counted for limits of images', () => {
    const members = { n: 4 }
    const call = { endpoint: 'images/generations', model: 'dall-e-2', bodyBytes: 100, body: undefined, members }
    expect(estimateCall(call, priceOf('openai', 'dall-e-2'))).toMatchObject({ images: 4, tokens: 0 })
    expect(estimateCall(call, undefined)).toMatchObject({ images: 4, cost: undefined })
  })

  test('that are edited are read, too', () => {
    const call = { endpoint: 'images/edits', model: 'gpt-image-1', bodyBytes: 120_000, body: undefined, members: {} }
    expect(estimateCall(call, priceOf('openai', 'gpt-image-1')).usage.inputImage).toBe(3 * 6240)
  })
})

describe('the dearer way counts', () => {
  const value = { model: 'm', messages: HI, max_tokens: 10 }
  const costOf = (price: ModelPrice, changes: Readonly<Record<string, unknown>> = {}): number =>
    estimateCall(callOf('chat/completions', { ...value, ...changes }), price).cost ?? Number.NaN

  test('of the usual tier and the one that is asked for', () => {
    const price: ModelPrice = {
      prices: { input: 0, output: 10 },
      tiers: { flex: { prices: { input: 0, output: 5 } }, priority: { prices: { input: 0, output: 20 } } },
    }
    expect([
      costOf(price),
      costOf(price, { service_tier: 'flex' }),
      costOf(price, { service_tier: 'priority' }),
      costOf(price, { service_tier: 'auto' }),
    ]).toEqual([100, 100, 200, 200])
  })

  test('of reading and writing to a cache, of words and thoughts', () => {
    expect(costOf({ prices: { input: 10, cacheWrite: 20, output: 0 } })).toBe(
      2 * costOf({ prices: { input: 10, output: 0 } }),
    )
    expect(costOf({ prices: { input: 0, output: 10, reasoning: 30 } })).toBe(300)
  })

  test('of a short and a long context, where the estimate is above its bound', () => {
    const price: ModelPrice = {
      prices: { input: 10, output: 0 },
      longContext: [{ aboveTokens: 1000, prices: { input: 20, output: 0 } }],
    }
    const long = estimateCall(
      callOf('chat/completions', { ...value, messages: [{ content: 'a'.repeat(30_000) }] }),
      price,
    )
    expect(long.cost).toBe(long.usage.inputText * 20)
  })

  test('and no more is read than the context holds', () => {
    const messages = [{ content: 'a'.repeat(30_000) }]
    const price: ModelPrice = { prices: { input: 10, output: 0 }, contextTokensMax: 500 }
    expect(estimateCall(callOf('chat/completions', { ...value, messages }), price).usage.inputText).toBe(500)
  })

  test('a call of a model without a price has no cost, but tokens', () => {
    const { cost, tokens } = estimateCall(callOf('chat/completions', value), undefined)
    expect(cost).toBeUndefined()
    expect(tokens).toBeGreaterThan(20)
  })
})

test('what is kept for an hour is held at its price, which is above that of five minutes', () => {
  const price = priceOf('anthropic', 'claude-sonnet-4-5')
  const callWith = (ttl: string) => {
    const system = [{ type: 'text', text: 'x'.repeat(9000), cache_control: { type: 'ephemeral', ttl } }]
    return callOf('messages', { model: 'claude-sonnet-4-5', system, max_tokens: 1, messages: [] })
  }
  const [short, long] = [estimateCall(callWith('5m'), price), estimateCall(callWith('1h'), price)]
  // $3.75 and $6 a million; one token is written.
  const written = 15_000
  expect(long.tokens).toBe(short.tokens)
  expect(((long.cost ?? 0) - written) / ((short.cost ?? 0) - written)).toBeCloseTo(6 / 3.75, 3)
})
