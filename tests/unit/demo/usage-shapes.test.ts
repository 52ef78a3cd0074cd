import { expect, test } from 'bun:test'
import { createSimulatedOpenAI } from '../../../src/demo/simulated-openai.ts'
import { usageShapes } from '../../../src/demo/usage-shapes.ts'

const openai = createSimulatedOpenAI({ chunkDelayMs: 0 })

async function ask(path: string, body: object, headers: Record<string, string> = {}): Promise<string> {
  const answer = await openai.fetch(
    new Request(`http://simulated${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    }),
  )
  expect(answer.status).toBe(200)
  return answer.text()
}

const CHAT = { messages: [{ role: 'user', content: 'Hello' }] }
const messagesOf = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)))

test('each shape is given by the name of a model and by the header, as JSON and as a stream, and no two are equal', async () => {
  const streams = new Set<string>()
  for (const name of Object.keys(usageShapes)) {
    const stream = await ask('/v1/chat/completions', { ...CHAT, model: `usage-${name}`, stream: true })
    const asked = { ...CHAT, model: 'm', stream: true, stream_options: { include_usage: true } }
    const same = await ask('/v1/chat/completions', asked, { 'x-simulate': `usage=${name}` })
    expect(stream.endsWith('data: [DONE]\n\n')).toBe(true)
    streams.add(same)
    const json = JSON.parse(await ask('/v1/chat/completions', { ...CHAT, model: `usage-${name}` }))
    expect(json.choices[0].message.content).toContain('Hello')
  }
  expect(streams.size).toBe(Object.keys(usageShapes).length)
})

test('the places of usage are those of the servers', async () => {
  const told = async (name: string) =>
    messagesOf(await ask('/v1/chat/completions', { ...CHAT, model: `usage-${name}`, stream: true }))
  expect((await told('groq')).at(-1)).toMatchObject({ x_groq: { usage: { prompt_tokens: expect.any(Number) } } })
  expect((await told('mistral')).at(-1)).toMatchObject({
    choices: [{ finish_reason: 'stop' }],
    usage: { completion_tokens: expect.any(Number) },
  })
  expect((await told('moonshot')).at(-1)).toMatchObject({ choices: [{ usage: { total_tokens: expect.any(Number) } }] })
  expect((await told('perplexity')).every(({ usage }) => usage !== undefined)).toBe(true)
  expect((await told('azure')).at(0)).toMatchObject({ choices: [], prompt_filter_results: [{}] })
  expect((await told('none')).some(({ usage }) => usage !== undefined)).toBe(false)
})

test('a message of Anthropic’s API tells its prompt first, and what was written so far last', async () => {
  const body = { model: 'claude-x', max_tokens: 100, ...CHAT }
  const { usage } = JSON.parse(await ask('/v1/messages', body))
  const stream = messagesOf(await ask('/v1/messages', { ...body, stream: true }))
  expect(stream.map(({ type }) => type)).toEqual([
    ...['message_start', 'content_block_start', 'ping'],
    ...Array.from({ length: usage.output_tokens }, () => 'content_block_delta'),
    ...['content_block_stop', 'message_delta', 'message_stop'],
  ])
  expect(stream.at(0)).toMatchObject({ message: { usage: { input_tokens: usage.input_tokens, output_tokens: 1 } } })
  expect(stream.at(-2)).toMatchObject({ usage: { output_tokens: usage.output_tokens } })
  const counted = JSON.parse(await ask('/v1/messages/count_tokens', body))
  expect(counted.input_tokens).toBe(usage.input_tokens + usage.cache_read_input_tokens)
})

test('images tell tokens, and those of dall-e none', async () => {
  const body = { prompt: 'a cat', n: 2 }
  const drawn = JSON.parse(await ask('/v1/images/generations', { ...body, model: 'gpt-image-1' }))
  expect(drawn).toMatchObject({ data: [{}, {}], usage: { input_tokens: 2, output_tokens: 544 } })
  expect(JSON.parse(await ask('/v1/images/generations', { ...body, model: 'dall-e-3' })).usage).toBeUndefined()
  const stream = messagesOf(await ask('/v1/images/generations', { ...body, model: 'gpt-image-1', stream: true }))
  expect(stream.at(-1)).toMatchObject({ type: 'image_generation.completed', usage: { total_tokens: 546 } })
})

test('a shape that is not known is a 400 that lists them', async () => {
  const answer = await openai.fetch(
    new Request('http://simulated/v1/models', { headers: { 'x-simulate': 'usage=nobody' } }),
  )
  expect(answer.status).toBe(400)
  expect(await answer.text()).toContain('usage=<none, zero, azure')
})
