import { describe, expect, test } from 'bun:test'
import { Type } from '@sinclair/typebox'
import { compileRequestCheck } from '../../../src/openai/check-request.ts'
import { ChatCompletionRequest } from '../../../src/openai/schemas/chat-completion-request.ts'
import { CompletionRequest } from '../../../src/openai/schemas/completion-request.ts'

const checkChat = compileRequestCheck(ChatCompletionRequest)
const checkText = compileRequestCheck(CompletionRequest)

const user = { role: 'user', content: 'hi' }
const chat = (fields: Record<string, unknown>) => checkChat({ model: 'm', messages: [user], ...fields })
const message = (fields: Record<string, unknown>) => checkChat({ messages: [{ role: 'user', ...fields }] })
const part = (fields: Record<string, unknown>) => message({ content: [fields] })
const tool = (fields: Record<string, unknown>) => chat({ tools: [{ type: 'web' }, fields] })

function invalidType(param: string, expected: string, got: string) {
  const message = `Invalid type for '${param}': expected ${expected}, but got ${got} instead.`
  return { kind: 'invalid_type', message, param } as const
}

describe('a body that is not an object', () => {
  test.each([[[]], [[{ messages: [user] }]], ['text'], [7], [true], [null]])(
    '%j is refused as no JSON body',
    (body) => {
      expect(checkChat(body)).toEqual({ kind: 'not_an_object' })
      expect(checkText(body)).toEqual({ kind: 'not_an_object' })
    },
  )
})

describe('messages', () => {
  test('are required', () => {
    expect(checkChat({ model: 'm' })).toEqual({
      kind: 'missing_required_parameter',
      message: "Missing required parameter: 'messages'.",
      param: 'messages',
    })
  })

  test('missing are reported before a field of the wrong type', () => {
    expect(checkChat({ model: 7, n: 'x' })).toMatchObject({ kind: 'missing_required_parameter' })
  })

  test('must not be empty', () => {
    expect(chat({ messages: [] })).toEqual({
      kind: 'empty_array',
      message:
        "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      param: 'messages',
    })
  })

  test.each([
    [null, 'null'],
    ['ping', 'a string'],
    [{}, 'an object'],
    [7, 'an integer'],
  ])('%j instead of an array is refused', (messages, got) => {
    expect(chat({ messages })).toEqual(invalidType('messages', 'an array of objects', got))
  })

  test('wrong are reported before any field that comes after them', () => {
    expect(chat({ tools: 'x', n: 'x', functions: 'x', messages: [user, 7] })).toMatchObject({ param: 'messages[1]' })
    expect(chat({ temperature: 'x', n: 'x' })).toMatchObject({ param: 'n' })
  })
})

describe('what nobody knows yet passes', () => {
  test.each<[string, Record<string, unknown>]>([
    ['an unknown field', { zzz: 1, reasoning: { effort: 'low' } }],
    ['an unknown role', { messages: [{ role: 'critic', content: 'hm', mood: 7 }] }],
    ['a message without a role', { messages: [{ type: 'reasoning', summary: [] }] }],
    ['an unknown type of part', { messages: [{ role: 'user', content: [{ type: 'smell', smell: 1 }] }] }],
    [
      'an unknown type of part with fields of known names',
      {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'input_image', image_url: 'data:,' },
              { type: 'x', text: { a: 1 } },
            ],
          },
        ],
      },
    ],
    ['a part without a type', { messages: [{ role: 'user', content: [{ image_url: 'data:,' }] }] }],
    ['a part of no parts', { messages: [{ role: 'user', content: [] }] }],
    ['an unknown type of tool', { tools: [{ type: 'mcp', function: 'x', custom: 1 }] }],
    ['a flat function tool', { tools: [{ type: 'function', name: 'f', parameters: {} }] }],
    [
      'an unknown type of tool call',
      { messages: [{ role: 'assistant', tool_calls: [{ id: 'a', type: 'mcp', function: 1 }] }] },
    ],
    ['an unknown choice of tool', { tool_choice: { type: 'mcp', function: 'f', custom: 1 } }],
    ['an unknown response format', { response_format: { type: 'yaml', json_schema: 'x' } }],
    [
      'an unknown tool format',
      { tools: [{ type: 'custom', custom: { name: 'c', format: { type: 'peg', grammar: 1 } } }] },
    ],
    ['values out of range', { temperature: 99, n: -1, top_p: 1e9, logit_bias: { 1: 0.5 } }],
    ['numbers beyond any range', JSON.parse('{"temperature":1e400,"max_tokens":1e400,"seed":123456789012345678901}')],
  ])('%s', (_, fields) => {
    expect(chat(fields)).toBeUndefined()
  })
})

describe('an integer', () => {
  test.each(['1.0', '1e3', '-5', '9223372036854775807'])('may be written %s', (written) => {
    expect(chat(JSON.parse(`{"max_tokens":${written}}`))).toBeUndefined()
  })
})

describe('null', () => {
  test.each<[string, Record<string, unknown>]>([
    ['content', { role: 'assistant', content: null, tool_calls: [] }],
    [
      'every optional field of a message',
      {
        role: 'assistant',
        content: 'x',
        name: null,
        tool_calls: null,
        tool_call_id: null,
        refusal: null,
        audio: null,
        function_call: null,
      },
    ],
    [
      'the detail of an image',
      { role: 'user', content: [{ type: 'image_url', image_url: { url: 'x', detail: null } }] },
    ],
  ])('passes as %s', (_, given) => {
    expect(checkChat({ messages: [user, given] })).toBeUndefined()
  })

  test('passes in the objects of other parameters where they are optional', () => {
    expect(
      chat({
        stream_options: { include_usage: null },
        web_search_options: { user_location: null, search_context_size: null },
        moderation: { model: 'm', policy: { input: null, output: null } },
        response_format: { type: 'json_schema', json_schema: { name: 'n', strict: null, schema: null } },
        tools: [{ type: 'function', function: { name: 'f', description: null, parameters: null, strict: null } }],
      }),
    ).toBeUndefined()
  })

  test('is refused where a value is required', () => {
    expect(chat({ model: null })).toEqual(invalidType('model', 'a string', 'null'))
    expect(checkText({ model: null })).toEqual(invalidType('model', 'a string', 'null'))
    expect(chat({ messages: [null] })).toEqual(invalidType('messages[0]', 'an object', 'null'))
    expect(part({ type: 'text', text: null })).toMatchObject({ param: 'messages[0].content[0].text' })
    expect(message({ tool_calls: [{ type: 'function', id: null }] })).toEqual(
      invalidType('messages[0].tool_calls[0].id', 'a string', 'null'),
    )
  })
})

describe('a wrong type is reported in OpenAI’s words', () => {
  const tools = "'none', 'auto', or 'required'"
  const cases = [
    [chat({ n: '2' }), 'n', 'an integer', 'a string'],
    [chat({ seed: 1.5 }), 'seed', 'an integer', 'a decimal number'],
    [chat({ max_tokens: '5' }), 'max_tokens', 'an integer', 'a string'],
    [chat({ max_completion_tokens: {} }), 'max_completion_tokens', 'an integer', 'an object'],
    [chat({ top_logprobs: [] }), 'top_logprobs', 'an integer', 'an array'],
    [chat({ temperature: 'hot' }), 'temperature', 'a decimal', 'a string'],
    [chat({ top_p: true }), 'top_p', 'a decimal', 'a boolean'],
    [chat({ store: 'yes' }), 'store', 'a boolean', 'a string'],
    [chat({ stream: 1 }), 'stream', 'a boolean', 'an integer'],
    [chat({ user: { a: 1 } }), 'user', 'a string', 'an object'],
    [chat({ tools: 'none' }), 'tools', 'an array of objects', 'a string'],
    [chat({ functions: 'x' }), 'functions', 'an array of function definitions', 'a string'],
    [chat({ tool_choice: 7 }), 'tool_choice', `one of one of ${tools} or object`, 'an integer'],
    [chat({ response_format: 'json' }), 'response_format', 'an object', 'a string'],
    [chat({ metadata: 'x' }), 'metadata', 'a metadata object', 'a string'],
    [chat({ metadata: { a: 'x', k: 7 } }), 'metadata.k', 'a string', 'an integer'],
    [chat({ metadata: { tags: [] } }), 'metadata.tags', 'a string', 'an array'],
    [chat({ logit_bias: { 50256: '-1' } }), 'logit_bias.50256', 'a decimal', 'a string'],
    [chat({ prompt_cache_retention: {} }), 'prompt_cache_retention', "one of 'in_memory' or '24h'", 'an object'],
    [
      chat({ service_tier: {} }),
      'service_tier',
      "one of 'auto', 'default', 'fast', 'flex', or 'priority'",
      'an object',
    ],
    [chat({ prompt_cache_options: 'x' }), 'prompt_cache_options', 'an object', 'a string'],
    [chat({ stream_options: { include_usage: 'y' } }), 'stream_options.include_usage', 'a boolean', 'a string'],
    [chat({ stop: [1] }), 'stop[0]', 'a string', 'an integer'],
    [chat({ stop: 1 }), 'stop', 'one of a string or array of strings', 'an integer'],
    [chat({ modalities: 'text' }), 'modalities', 'an array of strings', 'a string'],
    [chat({ audio: { voice: 1 } }), 'audio.voice', 'one of a string or object', 'an integer'],
    [chat({ audio: { voice: { id: 1 } } }), 'audio.voice.id', 'a string', 'an integer'],
    [chat({ prediction: { content: 1 } }), 'prediction.content', 'one of a string or array of objects', 'an integer'],
    [
      chat({ web_search_options: { user_location: { approximate: { city: 1 } } } }),
      'web_search_options.user_location.approximate.city',
      'a string',
      'an integer',
    ],
    [
      chat({ moderation: { policy: { input: { mode: 1 } } } }),
      'moderation.policy.input.mode',
      "one of 'score' or 'block'",
      'an integer',
    ],
    [
      chat({ tool_choice: { type: 'function', function: { name: 1 } } }),
      'tool_choice.function.name',
      'a string',
      'an integer',
    ],
    [
      chat({ tool_choice: { type: 'allowed_tools', allowed_tools: { tools: [1] } } }),
      'tool_choice.allowed_tools.tools[0]',
      'an object',
      'an integer',
    ],
    [
      chat({ response_format: { type: 'json_schema', json_schema: { schema: 'x' } } }),
      'response_format.json_schema.schema',
      'an object',
      'a string',
    ],
    [tool({ type: 'function', function: { name: 5 } }), 'tools[1].function.name', 'a string', 'an integer'],
    [
      tool({ type: 'function', function: { parameters: '{}' } }),
      'tools[1].function.parameters',
      'an object',
      'a string',
    ],
    [
      tool({ type: 'custom', custom: { format: { type: 'grammar', grammar: 'x' } } }),
      'tools[1].custom.format.grammar',
      'an object',
      'a string',
    ],
    [tool({ type: 7 }), 'tools[1].type', "one of 'function' or 'custom'", 'an integer'],
    [chat({ messages: ['ping'] }), 'messages[0]', 'an object', 'a string'],
    [
      message({ role: 1 }),
      'messages[0].role',
      "one of 'system', 'assistant', 'user', 'function', 'tool', or 'developer'",
      'an integer',
    ],
    [message({ content: 7 }), 'messages[0].content', 'one of a string or array of objects', 'an integer'],
    [message({ content: { text: 'x' } }), 'messages[0].content', 'one of a string or array of objects', 'an object'],
    [message({ content: ['x'] }), 'messages[0].content[0]', 'an object', 'a string'],
    [message({ tool_calls: 'x' }), 'messages[0].tool_calls', 'an array of objects', 'a string'],
    [
      message({ tool_calls: [{ type: 'function', function: { arguments: {} } }] }),
      'messages[0].tool_calls[0].function.arguments',
      'a string',
      'an object',
    ],
    [
      message({ tool_calls: [{ type: 'custom', custom: { input: {} } }] }),
      'messages[0].tool_calls[0].custom.input',
      'a string',
      'an object',
    ],
    [message({ tool_calls: [{ id: 7 }] }), 'messages[0].tool_calls[0].id', 'a string', 'an integer'],
    [message({ tool_call_id: 7 }), 'messages[0].tool_call_id', 'a string', 'an integer'],
    [message({ name: [] }), 'messages[0].name', 'a string', 'an array'],
    [message({ refusal: false }), 'messages[0].refusal', 'a string', 'a boolean'],
    [message({ audio: 'id' }), 'messages[0].audio', 'an object', 'a string'],
    [message({ function_call: 'f' }), 'messages[0].function_call', 'an object', 'a string'],
    [part({ type: 'text', text: 5 }), 'messages[0].content[0].text', 'a string', 'an integer'],
    [part({ type: 'image_url', image_url: 'x' }), 'messages[0].content[0].image_url', 'an object', 'a string'],
    [
      part({ type: 'input_audio', input_audio: { data: 1 } }),
      'messages[0].content[0].input_audio.data',
      'a string',
      'an integer',
    ],
    [part({ type: 'file', file: { file_id: 1 } }), 'messages[0].content[0].file.file_id', 'a string', 'an integer'],
    [part({ type: 'refusal', refusal: 1 }), 'messages[0].content[0].refusal', 'a string', 'an integer'],
    [
      checkText({ prompt: 7 }),
      'prompt',
      'one of a string, array of strings, array of integers, or array of arrays of integers',
      'an integer',
    ],
    [checkText({ prompt: ['a', 'b', 3] }), 'prompt[2]', 'a string', 'an integer'],
    [checkText({ prompt: [1, 'b'] }), 'prompt[1]', 'an integer', 'a string'],
    [checkText({ prompt: [[1], [2, 'b']] }), 'prompt[1][1]', 'an integer', 'a string'],
    [checkText({ prompt: [true] }), 'prompt[0]', 'one of a string, integer, or array of integers', 'a boolean'],
    [checkText({ logprobs: true }), 'logprobs', 'an integer', 'a boolean'],
    [checkText({ echo: 'x' }), 'echo', 'a boolean', 'a string'],
    [checkText({ suffix: 1 }), 'suffix', 'a string', 'an integer'],
    [checkText({ best_of: 1.5 }), 'best_of', 'an integer', 'a decimal number'],
  ] as const

  test.each(cases.map(([problem, param, expected, got]) => ({ problem, param, expected, got })))(
    'at $param: expected $expected, but got $got',
    ({ problem, param, expected, got }) => {
      expect(problem).toEqual(invalidType(param, expected, got))
    },
  )

  test('without echoing a key of any length', () => {
    expect(chat({ metadata: { [`a${'b'.repeat(1e6)}cde`]: 1 } })).toEqual(
      invalidType('metadata.abb...cde', 'a string', 'an integer'),
    )
  })
})

describe('the prompt of a text completion', () => {
  test.each([[undefined], [null], ['x'], [''], [[]], [['a', 'b']], [[1, 2]], [[[1], [2, 3]]]])(
    'may be %j',
    (prompt) => {
      expect(checkText({ prompt })).toBeUndefined()
    },
  )
})

test('a body nested deeper than any stack is checked without a RangeError', () => {
  let deep: unknown = 1
  for (let depth = 0; depth < 200_000; depth += 1) deep = { deep: [deep] }
  expect(chat({ unknown: deep, messages: [{ role: 'user', content: [{ type: 'new', deep }] }] })).toBeUndefined()
  expect(chat({ n: deep })).toMatchObject({ param: 'n' })
})

test('a schema of an unknown kind is refused at start-up', () => {
  expect(() => compileRequestCheck(Type.Object({ a: Type.Date() }))).toThrow('not searched yet')
})
