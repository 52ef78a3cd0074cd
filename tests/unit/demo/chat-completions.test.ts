import { describe, expect, test } from 'bun:test'
import type { ChatCompletion, ChatCompletionChunk } from 'openai/resources/chat/completions'
import { chat, eventsOf, jsonOf, openai, post } from './simulated-calls.ts'

describe('a simulated chat completion', () => {
  test('says that it is simulated and what the user said, in any script', async () => {
    const answer = await jsonOf<ChatCompletion>(chat('你好 👩‍👩‍👧 Grüße'))
    expect(answer.choices[0]?.message.content).toBe(
      'This is a simulated answer from NexCode: no model was asked. You said: “你好 👩‍👩‍👧 Grüße”',
    )
  })

  test('has the shape of OpenAI’s', async () => {
    const answer = await jsonOf<ChatCompletion>(chat('Hello there', { model: 'any/name' }))
    expect(answer).toEqual({
      id: expect.stringMatching(/^chatcmpl-simulated-[0-9a-f]{16}$/),
      object: 'chat.completion',
      created: 1735689600,
      model: 'any/name',
      service_tier: 'default',
      system_fingerprint: 'fp_simulated',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: expect.any(String), refusal: null, annotations: [] },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        prompt_tokens: 8,
        completion_tokens: 15,
        total_tokens: 23,
        prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
        completion_tokens_details: {
          reasoning_tokens: 0,
          audio_tokens: 0,
          accepted_prediction_tokens: 0,
          rejected_prediction_tokens: 0,
        },
      },
    } as never)
  })

  test('is the same, to the byte and the header, for the same request', async () => {
    const [first, second] = await Promise.all([openai.fetch(chat('Again')), openai.fetch(chat('Again'))])
    expect(await first.text()).toBe(await second.text())
    expect([...first.headers]).toEqual([...second.headers])
    const other = await openai.fetch(chat('Again!'))
    expect(other.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'))
  })

  test('carries OpenAI’s headers', async () => {
    const { headers } = await openai.fetch(chat('Hi'))
    expect(headers.get('content-type')).toBe('application/json')
    expect(headers.get('x-request-id')).toMatch(/^req_simulated_[0-9a-f]{16}$/)
    expect(headers.get('openai-organization')).toBe('nexcode-simulated')
    expect(headers.get('openai-version')).toBe('2020-10-01')
    expect(headers.get('x-ratelimit-limit-requests')).toBe('10000')
  })

  test('ends with length at max_tokens and before a stop sequence', async () => {
    const cut = await jsonOf<ChatCompletion>(chat('Hi', { max_tokens: 3 }))
    expect(cut.choices[0]?.message.content).toBe('This is a')
    expect(cut.choices[0]?.finish_reason).toBe('length')
    expect(cut.usage?.completion_tokens).toBe(3)
    const newer = await jsonOf<ChatCompletion>(chat('Hi', { max_tokens: 3, max_completion_tokens: 2 }))
    expect(newer.choices[0]?.message.content).toBe('This is')
    const stopped = await jsonOf<ChatCompletion>(chat('Hi', { stop: ['no model', ' answer'] }))
    expect(stopped.choices[0]?.message.content).toBe('This is a simulated')
    expect(stopped.choices[0]?.finish_reason).toBe('stop')
  })

  test('has as many choices as n says', async () => {
    const { choices } = await jsonOf<ChatCompletion>(chat('Hi', { n: 3 }))
    expect(choices.map(({ index }) => index)).toEqual([0, 1, 2])
    expect(choices[2]?.message.content).toEndWith('(choice 3)')
  })

  test('gives log probabilities on request, for the very tokens of the text', async () => {
    const answer = await jsonOf<ChatCompletion>(chat('你', { logprobs: true, top_logprobs: 2 }))
    const [choice] = answer.choices
    const tokens = choice?.logprobs?.content ?? []
    expect(tokens.map(({ token }) => token).join('')).toBe(choice?.message.content ?? '')
    expect(tokens[0]).toEqual({
      token: 'This',
      bytes: [84, 104, 105, 115],
      logprob: -0.01,
      top_logprobs: [{ token: 'This', bytes: [84, 104, 105, 115], logprob: -0.01 }],
    })
  })

  test('describes pictures, sounds and files instead of looking at them', async () => {
    const { choices, usage } = await jsonOf<ChatCompletion>(
      chat([
        { type: 'text', text: 'What is this?' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,aGVsbG8=' } },
        { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
        { type: 'input_audio', input_audio: { data: 'aGVsbG8=', format: 'wav' } },
        { type: 'file', file: { filename: 'report.pdf', file_data: 'aGVsbG8=' } },
        { type: 'refusal', refusal: 'No.' },
        { type: 'hologram' },
      ]),
    )
    expect(choices[0]?.message.content).toContain(
      '“What is this? [image: image/png, 5 bytes] [image: https://example.com/a.png] [audio: wav] [file: report.pdf] No. [hologram]”',
    )
    expect(usage?.prompt_tokens).toBeGreaterThan(170)
  })

  test('quotes only the beginning of a long message', async () => {
    const { choices } = await jsonOf<ChatCompletion>(chat('👍'.repeat(100_000)))
    expect(choices[0]?.message.content).toEndWith(`“${'👍'.repeat(400)}…”`)
  })

  test('answers a conversation in which the user never spoke', async () => {
    const messages = [{ role: 'system', content: 'Be brief.' }]
    const { choices } = await jsonOf<ChatCompletion>(post('/v1/chat/completions', { model: 'gpt-4o', messages }))
    expect(choices[0]?.message.content).toEndWith('You said nothing.')
  })
})

describe('a simulated chat stream', () => {
  const streamed = { stream: true, stream_options: { include_usage: true } }

  test('gives the role, one word at a time, the end, the usage and [DONE]', async () => {
    const events = await eventsOf<ChatCompletionChunk>(chat('Hi', { ...streamed, max_tokens: 2 }))
    const chunks = events.filter((event) => event !== '[DONE]')
    expect(chunks.map(({ choices }) => choices[0]?.delta as unknown)).toEqual([
      { role: 'assistant', content: '', refusal: null },
      { content: 'This' },
      { content: ' is' },
      {},
      undefined,
    ])
    expect(chunks.map(({ choices }) => choices[0]?.finish_reason)).toEqual([null, null, null, 'length', undefined])
    expect(chunks.map(({ usage }) => usage?.completion_tokens)).toEqual([undefined, undefined, undefined, undefined, 2])
    expect(chunks[0]?.usage).toBeNull()
    expect(chunks[0]?.object).toBe('chat.completion.chunk')
    expect(events.at(-1)).toBe('[DONE]')
  })

  test('gives no usage where none was asked for', async () => {
    const events = await eventsOf<ChatCompletionChunk>(chat('Hi', { stream: true }))
    expect(events.some((event) => event !== '[DONE]' && 'usage' in event)).toBe(false)
  })

  test('adds up to the text, the usage and the log probabilities of the whole answer', async () => {
    const whole = await jsonOf<ChatCompletion>(chat('你好 world', { logprobs: true, n: 2 }))
    const events = await eventsOf<ChatCompletionChunk>(chat('你好 world', { ...streamed, logprobs: true, n: 2 }))
    const chunks = events.filter((event) => event !== '[DONE]')
    for (const index of [0, 1]) {
      const mine = chunks.flatMap(({ choices }) => choices).filter((choice) => choice.index === index)
      expect(mine.map(({ delta }) => delta.content ?? '').join('')).toBe(whole.choices[index]?.message.content ?? '-')
      expect(mine.flatMap(({ logprobs }) => logprobs?.content ?? [])).toEqual(
        whole.choices[index]?.logprobs?.content ?? [],
      )
    }
    expect(chunks.at(-1)?.usage).toEqual(whole.usage)
    // Interleaved: the second choice begins before the first has ended.
    expect(chunks[1]?.choices[0]?.index).toBe(1)
  })

  test('is sent as Server-Sent Events, the same bytes each time', async () => {
    const [first, second] = await Promise.all([openai.fetch(chat('Hi', streamed)), openai.fetch(chat('Hi', streamed))])
    expect(first.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(first.headers.get('cache-control')).toBe('no-cache')
    expect(await first.text()).toBe(await second.text())
  })
})
