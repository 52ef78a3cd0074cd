import { describe, expect, test } from 'bun:test'
import type { Completion } from 'openai/resources/completions'
import { eventsOf, jsonOf, openai, post } from './simulated-calls.ts'

function complete(prompt: unknown, more: object = {}): Request {
  return post('/v1/completions', { model: 'gpt-3.5-turbo-instruct', prompt, ...more })
}

describe('a simulated text completion', () => {
  test('says that it is simulated, in OpenAI’s shape', async () => {
    const answer = await jsonOf<Completion>(complete('Once upon a time'))
    expect(answer).toMatchObject({
      id: expect.stringMatching(/^cmpl-simulated-[0-9a-f]{16}$/),
      object: 'text_completion',
      created: 1735689600,
      model: 'gpt-3.5-turbo-instruct',
      choices: [{ index: 0, logprobs: null, finish_reason: 'stop' }],
      usage: { prompt_tokens: 4 },
    })
    expect(answer.choices[0]?.text).toBe(
      ' [This is a simulated completion from NexCode: no model was asked. The prompt was: “Once upon a time”]',
    )
  })

  test('has n choices for each of several prompts, which may be tokens', async () => {
    const texts = await jsonOf<Completion>(complete(['a', 'b'], { n: 2 }))
    expect(texts.choices.map(({ index }) => index)).toEqual([0, 1, 2, 3])
    expect(texts.choices[2]?.text).toContain('“b”')
    const tokens = await jsonOf<Completion>(complete([1, 2, 3]))
    expect(tokens.usage?.prompt_tokens).toBe(3)
    const lists = await jsonOf<Completion>(complete([[1, 2], [3]]))
    expect(lists.choices.length).toBe(2)
  })

  test('echoes the prompt, ends at max_tokens, and gives log probabilities of its tokens', async () => {
    const { choices } = await jsonOf<Completion>(complete('Say:', { echo: true, max_tokens: 2, logprobs: 1 }))
    expect(choices[0]).toEqual({
      text: 'Say: [This is',
      index: 0,
      finish_reason: 'length',
      logprobs: {
        tokens: [' [This', ' is'],
        token_logprobs: [-0.01, -0.01],
        top_logprobs: [{ ' [This': -0.01 }, { ' is': -0.01 }],
        text_offset: [4, 10],
      },
    })
  })

  test('adds up to the same in a stream, with the usage last', async () => {
    const more = { echo: true, logprobs: 1, n: 2, max_tokens: 5 }
    const whole = await jsonOf<Completion>(complete('Say:', more))
    const stream = { ...more, stream: true, stream_options: { include_usage: true } }
    const events = await eventsOf<Completion>(complete('Say:', stream))
    const chunks = events.filter((event) => event !== '[DONE]')
    for (const { index, text, finish_reason, logprobs } of whole.choices) {
      const mine = chunks.flatMap(({ choices }) => choices).filter((choice) => choice.index === index)
      expect(mine.map((choice) => choice.text).join('')).toBe(text)
      expect(mine.at(-1)?.finish_reason).toBe(finish_reason)
      expect(mine.flatMap((choice) => choice.logprobs?.text_offset ?? [])).toEqual(logprobs?.text_offset ?? [])
    }
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: whole.usage })
    expect(events.at(-1)).toBe('[DONE]')
  })

  test('refuses a prompt of another type, and more choices than it gives', async () => {
    for (const request of [complete({ text: 'a' }), complete(Array(10).fill('a'), { n: 128 })]) {
      const response = await openai.fetch(request)
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ error: { param: 'prompt' } })
    }
  })
})
