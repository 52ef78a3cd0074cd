import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import OpenAI, { toFile } from 'openai'
import type { SimulatedServer } from '../../src/cli/simulated-server.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

let gateway: TestGateway<'openai', SimulatedServer>
let direct: OpenAI
let through: OpenAI

beforeAll(async () => {
  gateway = await startGateway({ upstreams: { openai: 'simulated' } })
  const options = { apiKey: 'sk-of-the-caller', maxRetries: 0 }
  direct = new OpenAI({ ...options, baseURL: `${gateway.upstreams.openai.url}/v1` })
  through = new OpenAI({ ...options, baseURL: `${gateway.url}/v1` })
})
afterAll(() => gateway.stop())

/** Makes the same call directly and through the gateway, and gives its result, which must be the same. */
async function same<T>(call: (client: OpenAI) => Promise<T>): Promise<T> {
  const expected = await call(direct)
  const result = await call(through)
  expect(JSON.stringify(result)).toBe(JSON.stringify(expected))
  expect(result).toEqual(expected)
  return result
}

const messages = [{ role: 'user' as const, content: 'Hello, 世界 🌍' }]
const parameters = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'integer' } },
  required: ['city', 'days'],
  additionalProperties: false,
}
const question = [{ role: 'user' as const, content: 'Please call get_weather.' }]
const chatTools = [{ type: 'function' as const, function: { name: 'get_weather', parameters } }]
const cat = { model: 'text-embedding-3-small', input: ['cat', 'dog'], dimensions: 8 }

describe('the official Node SDK gets through the gateway what it gets directly', () => {
  test('chat completions', async () => {
    const answer = await same((client) => client.chat.completions.create({ model: 'gpt-4o', messages, n: 2, seed: 1 }))
    expect(answer.choices).toHaveLength(2)
    expect(answer.choices[0]?.message.content).toContain('Hello, 世界 🌍')
  })

  test('its request id and rate-limit headers', async () => {
    const { request_id } = await through.chat.completions.create({ model: 'gpt-4o', messages }).withResponse()
    const answer = await same(async (client) => {
      const { response } = await client.chat.completions.create({ model: 'gpt-4o', messages }).withResponse()
      const names = ['x-request-id', 'openai-processing-ms', 'openai-organization', 'x-ratelimit-remaining-tokens']
      return names.map((name) => response.headers.get(name))
    })
    expect(request_id).toStartWith('req_simulated_')
    expect(answer).not.toContain(null)
  })

  test('streamed chat completions, chunk by chunk, with usage', async () => {
    const chunks = await same(async (client) => {
      const stream_options = { include_usage: true }
      const body = { model: 'gpt-4o', messages, stream: true as const, stream_options }
      return Array.fromAsync(await client.chat.completions.create(body))
    })
    expect(chunks.length).toBeGreaterThan(5)
    expect(chunks.at(-1)?.usage?.total_tokens).toBeGreaterThan(0)
  })

  test('the very bytes of a stream', async () => {
    const text = await same(async (client) => {
      const body = { model: 'gpt-4o', messages, stream: true as const }
      const response = await client.chat.completions.create(body).asResponse()
      return [response.headers.get('content-type'), await response.text()]
    })
    expect(text[1]).toEndWith('data: [DONE]\n\n')
  })

  test('tool calls', async () => {
    const answer = await same((client) =>
      client.chat.completions.create({ model: 'gpt-4o', messages: question, tools: chatTools }),
    )
    expect(answer.choices[0]?.finish_reason).toBe('tool_calls')
    expect(answer.choices[0]?.message.tool_calls?.[0]).toMatchObject({ function: { name: 'get_weather' } })
  })

  test('streamed tool calls, put together by its stream helper', async () => {
    const answer = await same((client) =>
      client.chat.completions.stream({ model: 'gpt-4o', messages: question, tools: chatTools }).finalChatCompletion(),
    )
    const call = answer.choices[0]?.message.tool_calls?.[0]
    expect(JSON.parse(call?.type === 'function' ? call.function.arguments : '')).toHaveProperty('city')
  })

  test('a conversation with a tool, run to its end', async () => {
    const tools = [
      {
        type: 'function' as const,
        function: {
          name: 'get_weather',
          description: 'The weather of a city',
          parameters,
          parse: JSON.parse,
          function: ({ city }: { city: string }) => `sunny in ${city}`,
        },
      },
    ]
    const said = await same((client) =>
      client.chat.completions.runTools({ model: 'gpt-4o', messages: question, tools, stream: true }).finalContent(),
    )
    expect(said).toContain('sunny in')
  })

  test('structured output, parsed', async () => {
    const answer = await same((client) =>
      client.chat.completions.parse({
        model: 'gpt-4o',
        messages,
        response_format: { type: 'json_schema', json_schema: { name: 'trip', strict: true, schema: parameters } },
      }),
    )
    expect(JSON.parse(answer.choices[0]?.message.content ?? '')).toEqual({
      city: expect.any(String),
      days: expect.any(Number),
    })
  })

  test('text completions', async () => {
    const answer = await same((client) =>
      client.completions.create({ model: 'gpt-3.5-turbo-instruct', prompt: ['Say', 'this'], echo: true }),
    )
    expect(answer.choices.map(({ text }) => text.slice(0, 3))).toEqual(['Say', 'thi'])
  })

  test('streamed text completions', async () => {
    const chunks = await same(async (client) => {
      const body = { model: 'gpt-3.5-turbo-instruct', prompt: 'Say', stream: true as const }
      return Array.fromAsync(await client.completions.create(body))
    })
    expect(chunks.map(({ choices }) => choices[0]?.text).join('')).toContain('Say')
  })

  test('embeddings, as floats and as the base64 that it asks for by itself', async () => {
    const floats = await same((client) => client.embeddings.create({ ...cat, encoding_format: 'float' }))
    const base64 = await same((client) => client.embeddings.create({ ...cat, encoding_format: 'base64' }))
    const decoded = await same((client) => client.embeddings.create(cat))
    expect(floats.data.map(({ embedding }) => embedding.length)).toEqual([8, 8])
    expect(base64.data[0]?.embedding).toBeString()
    expect(decoded.data).toEqual(floats.data)
  })

  test('responses', async () => {
    const answer = await same((client) =>
      client.responses.create({ model: 'gpt-5', input: 'Hello', metadata: { a: '1' } }),
    )
    expect(answer.output_text).toContain('Hello')
  })

  test('streamed responses, event by event, with function calls', async () => {
    const tools = [{ type: 'function' as const, name: 'get_weather', parameters, strict: true }]
    const events = await same(async (client) => {
      const body = { model: 'gpt-5', input: 'Please call get_weather.', tools, stream: true as const }
      return Array.fromAsync(await client.responses.create(body))
    })
    const types = events.map(({ type }) => type)
    expect(types).toContain('response.function_call_arguments.delta')
    expect(types.at(-1)).toBe('response.completed')
  })

  test('the list of models, and one of them', async () => {
    const models = await same((client) => Array.fromAsync(client.models.list()))
    expect(models.map(({ id }) => id)).toContain('gpt-4o')
    expect((await same((client) => client.models.retrieve('gpt-4o'))).id).toBe('gpt-4o')
  })

  test('files, uploaded, listed, read back and deleted', async () => {
    const content = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 31) % 256)
    const uploaded = await same(async (client) =>
      client.files.create({ file: await toFile(content, 'naïve 文件.bin'), purpose: 'user_data' }),
    )
    expect([uploaded.bytes, uploaded.filename]).toEqual([content.byteLength, 'naïve 文件.bin'])
    expect(await same((client) => Array.fromAsync(client.files.list()))).toEqual([uploaded])
    expect(await same((client) => client.files.retrieve(uploaded.id))).toEqual(uploaded)
    const read = await (await through.files.content(uploaded.id)).arrayBuffer()
    expect(new Uint8Array(read)).toEqual(content)
    expect((await through.files.delete(uploaded.id)).deleted).toBe(true)
    expect(await same((client) => Array.fromAsync(client.files.list()))).toEqual([])
  })

  test('speech, as the same audio', async () => {
    const sound = await same(async (client) => {
      const speech = await client.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: 'Hello' })
      return [speech.headers.get('content-type'), (await speech.bytes()).toBase64()]
    })
    expect(sound[0]).toBe('audio/wav')
  })

  test('transcriptions, as JSON and as text', async () => {
    const file = await toFile(new Uint8Array(4321), 'a.wav')
    const heard = await same((client) => client.audio.transcriptions.create({ model: 'whisper-1', file }))
    expect(heard.text).toContain('4321 bytes')
    const text: unknown = await same((client) =>
      client.audio.transcriptions.create({ model: 'whisper-1', file, response_format: 'text' }),
    )
    expect(text).toBeString()
  })

  test('moderations', async () => {
    const answer = await same((client) => client.moderations.create({ input: 'Hello' }))
    expect(answer.results[0]?.flagged).toBe(false)
  })
})

describe('the official Node SDK works', () => {
  test('with a base URL that lacks /v1', async () => {
    const bare = through.withOptions({ baseURL: gateway.url })
    const body = { model: 'gpt-4o', messages }
    expect(await bare.chat.completions.create(body)).toEqual(await direct.chat.completions.create(body))
    expect((await bare.models.retrieve('gpt-4o')).id).toBe('gpt-4o')
    expect((await bare.embeddings.create(cat)).data).toHaveLength(2)
  })

  test('with an API_TOKEN as its key, where REQUIRE_AUTH is on, and the server spends its own key', async () => {
    const token = 'a-token-of-the-gateway'
    const env = { REQUIRE_AUTH: 'true', API_TOKEN: token, OPENAI_API_KEY: 'sk-of-the-server' }
    const guarded = await startGateway({ upstreams: { openai: { requireKey: 'sk-of-the-server' } }, env })
    try {
      const client = new OpenAI({ baseURL: `${guarded.url}/v1`, apiKey: token, maxRetries: 0 })
      expect((await client.models.list()).data.length).toBeGreaterThan(0)
      const refused = await client
        .withOptions({ apiKey: 'sk-of-the-server' })
        .models.list()
        .catch((error: unknown) => error)
      expect(refused).toBeInstanceOf(OpenAI.AuthenticationError)
      expect(refused).toMatchObject({ status: 401, code: 'invalid_api_key', type: 'invalid_request_error' })
    } finally {
      await guarded.stop()
    }
  })
})
