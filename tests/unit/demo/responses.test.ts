import { describe, expect, test } from 'bun:test'
import type { Response as ModelResponse, ResponseStreamEvent } from 'openai/resources/responses/responses'
import { eventsOf, jsonOf, openai, post } from './simulated-calls.ts'

const weather = {
  type: 'function',
  name: 'get_weather',
  strict: true,
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
}

function respond(input: unknown, more: object = {}): Request {
  return post('/v1/responses', { model: 'gpt-5', input, ...more })
}

describe('a simulated response', () => {
  test('says that it is simulated and tells back what was asked', async () => {
    const answer = await jsonOf<ModelResponse>(
      respond('Hello', { instructions: 'Be kind.', metadata: { a: 'b' }, temperature: 0.5 }),
    )
    expect(answer).toMatchObject({
      id: expect.stringMatching(/^resp_simulated_[0-9a-f]{16}$/),
      object: 'response',
      created_at: 1735689600,
      status: 'completed',
      model: 'gpt-5',
      error: null,
      incomplete_details: null,
      instructions: 'Be kind.',
      metadata: { a: 'b' },
      temperature: 0.5,
      parallel_tool_calls: true,
      tool_choice: 'auto',
      tools: [],
    })
    expect(answer.output as unknown).toEqual([
      {
        id: expect.stringMatching(/^msg_simulated_/),
        type: 'message',
        status: 'completed',
        role: 'assistant',
        content: [
          {
            type: 'output_text',
            text: 'This is a simulated answer from NexCode: no model was asked. You said: “Hello”',
            annotations: [],
            logprobs: [],
          },
        ],
      },
    ])
    expect(answer.usage?.total_tokens).toBe((answer.usage?.input_tokens ?? 0) + (answer.usage?.output_tokens ?? 0))
  })

  test('reads a conversation of items, with pictures and files', async () => {
    const content = [
      { type: 'input_text', text: 'Look:' },
      { type: 'input_image', image_url: 'data:image/gif;base64,AAAA' },
      { type: 'input_file', filename: 'a.pdf' },
    ]
    const answer = await jsonOf<ModelResponse>(
      respond([
        { role: 'user', content: 'before' },
        { role: 'user', content },
      ]),
    )
    expect(JSON.stringify(answer.output)).toContain('“Look: [image: image/gif, 3 bytes] [file: a.pdf]”')
  })

  test('is incomplete at max_output_tokens', async () => {
    const answer = await jsonOf<ModelResponse>(respond('Hello', { max_output_tokens: 2 }))
    expect(answer).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      output: [{ status: 'incomplete', content: [{ text: 'This is' }] }],
      usage: { output_tokens: 2 },
    })
    const events = await eventsOf<ResponseStreamEvent>(respond('Hello', { max_output_tokens: 2, stream: true }))
    expect(events.at(-1)).toMatchObject({ type: 'response.incomplete' })
  })

  test('calls a function that is named, and answers with text once its output is there', async () => {
    const called = await jsonOf<ModelResponse>(respond('get_weather please', { tools: [weather] }))
    expect(called.output as unknown).toEqual([
      {
        id: expect.stringMatching(/^fc_simulated_/),
        type: 'function_call',
        status: 'completed',
        call_id: expect.stringMatching(/^call_simulated_/),
        name: 'get_weather',
        arguments: '{"city":"simulated"}',
      },
    ])
    const input = [
      { role: 'user', content: 'get_weather please' },
      ...called.output,
      { type: 'function_call_output', call_id: (called.output[0] as { call_id: string }).call_id, output: 'sunny' },
    ]
    const answered = await jsonOf<ModelResponse>(respond(input, { tools: [weather] }))
    expect(JSON.stringify(answered.output)).toContain('The tool get_weather gave: “sunny”')
  })

  test('is an instance of the schema that text.format asks for', async () => {
    const format = { type: 'json_schema', name: 'place', schema: weather.parameters }
    const answer = await jsonOf<ModelResponse>(respond('Where?', { text: { format } }))
    expect(answer.output).toMatchObject([{ content: [{ text: '{"city":"simulated"}' }] }])
    expect(answer.text).toEqual({ format } as never)
  })

  test('comes as a stream of named and numbered events in OpenAI’s order', async () => {
    const response = await openai.fetch(respond('Hello', { stream: true }))
    const frames = (await response.text()).split('\n\n').filter(Boolean)
    const events = frames.map((frame) => {
      const [, name, data] = /^event: (.*)\ndata: (.*)$/.exec(frame) ?? []
      return { name, data: JSON.parse(data ?? '') as ResponseStreamEvent }
    })
    expect(events.every(({ name, data }, at) => name === data.type && data.sequence_number === at)).toBe(true)
    const order = events.map(({ name }) => name).filter((name, at, all) => name !== all[at - 1])
    expect(order).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ])
    const { data: last } = events.at(-1) ?? {}
    const whole = await jsonOf<ModelResponse>(respond('Hello'))
    const output = last?.type === 'response.completed' ? last.response.output : []
    const said = (items: ModelResponse['output']) =>
      items.flatMap((item) => (item.type === 'message' ? item.content : [])).map((part) => 'text' in part && part.text)
    const deltas = events.map(({ data }) => (data.type === 'response.output_text.delta' ? data.delta : ''))
    expect(said(output)).toEqual([deltas.join('')])
    expect(said(output)).toEqual(said(whole.output))
  })

  test('streams the arguments of a function call in pieces', async () => {
    const events = await eventsOf<ResponseStreamEvent>(respond('get_weather', { tools: [weather], stream: true }))
    const deltas = events.flatMap((event) =>
      event !== '[DONE]' && event.type === 'response.function_call_arguments.delta' ? [event.delta] : [],
    )
    expect(deltas.length).toBeGreaterThan(1)
    expect(deltas.join('')).toBe('{"city":"simulated"}')
    expect(events.find((event) => event !== '[DONE]' && event.type.endsWith('arguments.done'))).toMatchObject({
      name: 'get_weather',
      arguments: '{"city":"simulated"}',
    })
  })

  test('is not stored: asking for it gives 404', async () => {
    for (const method of ['GET', 'DELETE']) {
      const response = await openai.fetch(new Request('http://simulated/v1/responses/resp_1', { method }))
      expect(response.status).toBe(404)
      expect(await response.json()).toMatchObject({ error: { message: "Response with id 'resp_1' not found." } })
    }
  })

  test('is refused without input, or with input of another type', async () => {
    for (const input of [undefined, 7]) {
      const response = await openai.fetch(respond(input))
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ error: { param: 'input' } })
    }
  })
})
