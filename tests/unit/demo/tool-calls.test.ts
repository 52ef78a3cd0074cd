import { describe, expect, test } from 'bun:test'
import type { ChatCompletion, ChatCompletionChunk } from 'openai/resources/chat/completions'
import { chat, eventsOf, jsonOf, openai, post } from './simulated-calls.ts'

const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' }, unit: { enum: ['celsius', 'fahrenheit'] }, days: { type: 'integer' } },
      required: ['city'],
    },
  },
}
const clock = { type: 'function', function: { name: 'get_time' } }
const tools = [weather, clock]

async function callsOf(request: Request) {
  const { choices } = await jsonOf<ChatCompletion>(request)
  const calls = choices[0]?.message.tool_calls ?? []
  return calls.map((call) => (call.type === 'function' ? [call.function.name, call.function.arguments] : []))
}

describe('a simulated tool call', () => {
  test('is made where the user’s message names the tool, with arguments from its schema', async () => {
    const answer = await jsonOf<ChatCompletion>(chat('Please use get_weather.', { tools }))
    const [choice] = answer.choices
    expect(choice?.finish_reason).toBe('tool_calls')
    expect(choice?.message.content).toBeNull()
    expect(choice?.message.tool_calls as unknown).toEqual([
      {
        id: expect.stringMatching(/^call_simulated_[0-9a-f]{16}_0$/),
        type: 'function',
        function: { name: 'get_weather', arguments: '{"city":"simulated","unit":"celsius","days":1}' },
      },
    ])
  })

  test('is not made where nobody asks, where another word contains the name, or where tool_choice is none', async () => {
    expect(await callsOf(chat('Hello', { tools }))).toEqual([])
    expect(await callsOf(chat('forget_weather_now', { tools }))).toEqual([])
    expect(await callsOf(chat('get_weather', { tools, tool_choice: 'none' }))).toEqual([])
  })

  test('is made where tool_choice requires one or names it', async () => {
    expect(await callsOf(chat('Hello', { tools, tool_choice: 'required' }))).toEqual([
      ['get_weather', '{"city":"simulated","unit":"celsius","days":1}'],
    ])
    const named = { type: 'function', function: { name: 'get_time' } }
    expect(await callsOf(chat('Hello', { tools, tool_choice: named }))).toEqual([['get_time', '{}']])
    const allowed = { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [named] } }
    expect(await callsOf(chat('get_weather', { tools, tool_choice: allowed }))).toEqual([['get_time', '{}']])
  })

  test('is not made where only a reminder of an agent’s names the tool, or a text before the last one', async () => {
    const reminder = '<system-reminder>\nYou may use the get_time skill and get_weather.\n</system-reminder>'
    const contents = [
      `${reminder}\n\nsay hello`,
      `say hello\n${reminder}`,
      [
        { type: 'text', text: reminder },
        { type: 'text', text: 'say hello' },
      ],
      [
        { type: 'text', text: 'say hello' },
        { type: 'text', text: reminder },
      ],
      [
        { type: 'text', text: 'Agents have get_time.' },
        { type: 'text', text: 'say hello' },
      ],
      '<environment_context>\n  <tool>get_time</tool>\n</environment_context>',
    ]
    for (const content of contents) expect(await callsOf(chat(content, { tools }))).toEqual([])
    const asked = [
      `${reminder}\n\nPlease call get_time`,
      [
        { type: 'text', text: 'please get_time' },
        { type: 'text', text: reminder },
      ],
      '<task>get_time</task>',
    ]
    for (const content of asked) expect(await callsOf(chat(content, { tools }))).toEqual([['get_time', '{}']])
  })

  test('is made by the same rule in responses, whose messages come before and behind reminders', async () => {
    const [{ function: weatherTool }] = [weather] as const
    const message = (text: string) => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] })
    const respond = async (...texts: string[]) => {
      const input = texts.map(message)
      const body = { model: 'gpt-4o', input, tools: [{ type: 'function', ...weatherTool }] }
      const { output } = await jsonOf<{ output: { type: string }[] }>(post('/v1/responses', body))
      return output.map(({ type }) => type)
    }
    const context = '<environment_context>get_weather</environment_context>'
    expect(await respond(context, 'say hello')).toEqual(['message'])
    expect(await respond('get_weather', 'say hello')).toEqual(['message'])
    expect(await respond(context, 'get_weather')).toEqual(['function_call'])
  })

  test('is made for each tool that is named, or for one where parallel calls are off', async () => {
    const text = 'get_time and get_weather'
    expect((await callsOf(chat(text, { tools }))).map(([name]) => name)).toEqual(['get_weather', 'get_time'])
    expect((await callsOf(chat(text, { tools, parallel_tool_calls: null }))).length).toBe(2)
    expect((await callsOf(chat(text, { tools, parallel_tool_calls: false }))).length).toBe(1)
  })

  test('is refused where tool_choice names a tool that is not there', async () => {
    for (const tool_choice of ['required', { type: 'function', function: { name: 'get_time' } }]) {
      const response = await openai.fetch(chat('Hello', { tool_choice }))
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ error: { param: 'tool_choice', code: 'invalid_value' } })
    }
  })

  test('comes in pieces in a stream, several calls one after the other', async () => {
    const events = await eventsOf<ChatCompletionChunk>(chat('get_weather get_time', { tools, stream: true }))
    const deltas = events.flatMap((event) => (event === '[DONE]' ? [] : event.choices)).map(({ delta }) => delta)
    expect(deltas[0] as unknown).toEqual({
      role: 'assistant',
      content: null,
      refusal: null,
      tool_calls: [
        { index: 0, id: expect.any(String), type: 'function', function: { name: 'get_weather', arguments: '' } },
      ],
    })
    const pieces = deltas.flatMap((delta) => delta.tool_calls ?? [])
    const first = pieces.filter(({ index }) => index === 0).map((piece) => piece.function?.arguments ?? '')
    expect(first.length).toBeGreaterThan(3)
    expect(first.join('')).toBe('{"city":"simulated","unit":"celsius","days":1}')
    expect(pieces.filter(({ index }) => index === 1)[0]?.function?.name).toBe('get_time')
    expect(events.at(-2)).toMatchObject({ choices: [{ delta: {}, finish_reason: 'tool_calls' }] })
  })

  test('is answered with text once the tool’s result is there', async () => {
    const messages = [
      { role: 'user', content: 'get_weather' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'call_1', content: '18 °C' },
    ]
    const request = post('/v1/chat/completions', { model: 'gpt-4o', messages, tools, tool_choice: 'required' })
    const { choices } = await jsonOf<ChatCompletion>(request)
    expect(choices[0]?.message.content).toEndWith('The tool get_weather gave: “18 °C”')
  })
})
