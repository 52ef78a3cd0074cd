import { afterAll, describe, expect, test } from 'bun:test'
import OpenAI, {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  AuthenticationError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
  toFile,
} from 'openai'
import { serveSimulation } from './simulated-calls.ts'

const simulation = serveSimulation()
const client = new OpenAI({ baseURL: simulation.baseURL, apiKey: 'sk-any', maxRetries: 0 })
afterAll(() => simulation.stop())

const messages = [{ role: 'user' as const, content: 'Hello' }]

/** The error that a call of the SDK ends with. */
async function errorOf(call: PromiseLike<unknown>): Promise<unknown> {
  try {
    await call
  } catch (error) {
    return error
  }
  throw new Error('The call did not fail.')
}

describe('the official Node SDK reads from the simulated OpenAI', () => {
  test('a chat completion, with its request id', async () => {
    const answer = await client.chat.completions.create({ model: 'gpt-4o', messages })
    expect(answer.choices[0]?.message.content).toContain('simulated')
    expect(answer._request_id).toStartWith('req_simulated_')
  })

  test('a streamed chat completion, put together by its stream helper', async () => {
    const stream = client.chat.completions.stream({
      model: 'gpt-4o',
      messages,
      stream_options: { include_usage: true },
    })
    const answer = await stream.finalChatCompletion()
    expect(answer.choices[0]?.message.content).toEndWith('You said: “Hello”')
    expect(answer.usage?.total_tokens).toBeGreaterThan(0)
  })

  test('a conversation with a tool, run to its end, streamed or not', async () => {
    const tools = [
      {
        type: 'function' as const,
        function: {
          name: 'get_weather',
          description: 'The weather of a city',
          parameters: { type: 'object', properties: { city: { type: 'string' } } },
          parse: JSON.parse,
          function: ({ city }: { city: string }) => `sunny in ${city}`,
        },
      },
    ]
    const body = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'get_weather' }], tools }
    expect(await client.chat.completions.runTools(body).finalContent()).toEndWith('gave: “sunny in simulated”')
    const streamed = client.chat.completions.runTools({ ...body, stream: true })
    expect(await streamed.finalContent()).toEndWith('gave: “sunny in simulated”')
  })

  test('structured output, parsed', async () => {
    const schema = { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] }
    const answer = await client.chat.completions.parse({
      model: 'gpt-4o',
      messages,
      response_format: { type: 'json_schema', json_schema: { name: 'x', strict: true, schema } },
    })
    expect(JSON.parse(answer.choices[0]?.message.content ?? '')).toEqual({ ok: true })
  })

  test('a text completion, whole and streamed', async () => {
    const body = { model: 'gpt-3.5-turbo-instruct', prompt: 'Say' }
    const whole = await client.completions.create(body)
    let text = ''
    for await (const chunk of await client.completions.create({ ...body, stream: true })) text += chunk.choices[0]?.text
    expect(text).toBe(whole.choices[0]?.text ?? '-')
  })

  test('embeddings, which it asks for in base64, as the same numbers', async () => {
    const body = { model: 'text-embedding-3-small', input: 'cat', dimensions: 8 }
    const [decoded, plain] = await Promise.all([
      client.embeddings.create(body),
      client.embeddings.create({ ...body, encoding_format: 'float' }),
    ])
    expect(decoded.data[0]?.embedding).toEqual(plain.data[0]?.embedding ?? [])
    expect(decoded.data[0]?.embedding.length).toBe(8)
  })

  test('a response, whole and streamed, with its text and its function calls', async () => {
    const whole = await client.responses.create({ model: 'gpt-5', input: 'Hello' })
    expect(whole.output_text).toContain('simulated')
    const streamed = await client.responses.stream({ model: 'gpt-5', input: 'Hello' }).finalResponse()
    expect(streamed.output_text).toBe(whole.output_text)
    expect(streamed.usage).toEqual(whole.usage as never)
    const parameters = { type: 'object', properties: { city: { type: 'string' } } }
    const tools = [{ type: 'function' as const, name: 'get_weather', parameters, strict: false }]
    const called = await client.responses.stream({ model: 'gpt-5', input: 'get_weather', tools }).finalResponse()
    expect(called.output).toMatchObject([{ type: 'function_call', arguments: '{"city":"simulated"}' }])
  })

  test('models, files, moderations and audio', async () => {
    const models = await Array.fromAsync(client.models.list())
    expect(models.map(({ id }) => id)).toContain('gpt-5')
    expect((await client.models.retrieve('gpt-5')).owned_by).toBe('nexcode-simulated')
    const file = await client.files.create({
      file: await toFile(Buffer.from('{"a":1}\n'), 'b.jsonl'),
      purpose: 'batch',
    })
    expect([file.bytes, file.filename]).toEqual([8, 'b.jsonl'])
    expect(await (await client.files.content(file.id)).text()).toBe('{"a":1}\n')
    expect(await Array.fromAsync(client.files.list())).toEqual([file])
    expect((await client.files.delete(file.id)).deleted).toBe(true)
    expect((await client.moderations.create({ input: 'a' })).results[0]?.flagged).toBe(false)
    const speech = await client.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: 'Hello' })
    const spoken = await toFile(speech, 'a.wav')
    const heard = await client.audio.transcriptions.create({ model: 'whisper-1', file: spoken })
    expect(heard.text).toContain('2044 bytes')
  })
})

describe('the official Node SDK meets the faults of the simulated OpenAI', () => {
  const ask = (model: string, options: OpenAI.RequestOptions = {}) =>
    client.chat.completions.create({ model, messages }, options)

  test('as its own error classes', async () => {
    expect(await errorOf(ask('simulate-429'))).toBeInstanceOf(RateLimitError)
    expect(await errorOf(ask('simulate-500'))).toBeInstanceOf(InternalServerError)
    expect(await errorOf(ask('unknown-model'))).toBeInstanceOf(NotFoundError)
    expect(await errorOf(ask('simulate-reset'))).toBeInstanceOf(APIConnectionError)
    expect(await errorOf(ask('simulate-hang', { timeout: 50 }))).toBeInstanceOf(APIConnectionTimeoutError)
    expect(await errorOf(client.withOptions({ apiKey: 'sk-invalid' }).models.list())).toBeInstanceOf(
      AuthenticationError,
    )
  })

  test('and retries a 429 as soon as its retry-after-ms says', async () => {
    const took: number[] = []
    for (let call = 0; call < 3; call += 1) {
      const began = performance.now()
      expect(await errorOf(ask('simulate-429', { maxRetries: 2 }))).toBeInstanceOf(RateLimitError)
      took.push(performance.now() - began)
    }
    expect(Math.min(...took)).toBeGreaterThanOrEqual(35)
    // Without it the SDK waits for about 1.4 s; the quickest of three tells, on a machine that is busy elsewhere too.
    expect(Math.min(...took)).toBeLessThan(900)
  })

  test('in the middle of a stream, as a broken connection or an error event', async () => {
    const consume = async (model: string) => {
      const stream = await client.chat.completions.create({ model, messages, stream: true })
      let chunks = 0
      try {
        for await (const _chunk of stream) chunks += 1
      } catch (error) {
        return { chunks, error }
      }
      return { chunks, error: undefined }
    }
    const cut = await consume('simulate-reset-midstream')
    expect(cut.chunks).toBeGreaterThan(3)
    expect(cut.error).toBeDefined()
    const failed = await consume('simulate-error-midstream')
    expect(failed.chunks).toBe(cut.chunks)
    expect(failed.error).toBeInstanceOf(APIError)
    expect(String(failed.error)).toContain('The server had an error')
    expect(await consume('simulate-truncate')).toEqual({ chunks: cut.chunks, error: undefined })
  })
})
