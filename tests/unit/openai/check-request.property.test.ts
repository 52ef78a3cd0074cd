import { expect, test } from 'bun:test'
import { Value } from '@sinclair/typebox/value'
import fc from 'fast-check'
import { compileRequestCheck } from '../../../src/openai/check-request.ts'
import { ChatCompletionRequest } from '../../../src/openai/schemas/chat-completion-request.ts'
import { CompletionRequest } from '../../../src/openai/schemas/completion-request.ts'

const endpoints = [
  {
    name: 'chat completions',
    schema: ChatCompletionRequest,
    body: { model: 'm', messages: conversation(), ...options() },
  },
  { name: 'completions', schema: CompletionRequest, body: { model: 'm', prompt: ['a'], stop: 'x', n: 1 } },
] as const

test.each(endpoints)('an unknown field at any place of a valid body of $name passes', ({ schema, body }) => {
  const check = compileRequestCheck(schema)
  const places = pathsToObjects(body)
  fc.assert(
    fc.property(fc.constantFrom(...places), fc.string(), fc.jsonValue(), (path, key, value) => {
      const changed = withField(body, path, `zzz ${key}`, value)
      expect(check(changed)).toBeUndefined()
    }),
  )
})

test.each(endpoints)(
  'any JSON value at any place of a body of $name is judged without throwing',
  ({ schema, body }) => {
    const check = compileRequestCheck(schema)
    const places = pathsToFields(body)
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.jsonValue(), (path, value) => {
        const changed = withField(body, path.slice(0, -1), path.at(-1) ?? '', value)
        const problem = check(changed)
        expect(problem === undefined).toBe(Value.Check(schema, changed))
        if (problem !== undefined)
          expect(problem).toHaveProperty('message', expect.stringMatching(/^(Invalid|Missing) .+\.$/))
      }),
    )
  },
)

test.each(endpoints)('any JSON value as a body of $name is judged without throwing', ({ schema }) => {
  const check = compileRequestCheck(schema)
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(check(value) === undefined).toBe(Value.Check(schema, value))
    }),
  )
})

function conversation() {
  return [
    { role: 'developer', content: 'be brief' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'a' },
        { type: 'image_url', image_url: { url: 'u' } },
        { type: 'input_audio', input_audio: { data: 'd', format: 'wav' } },
        { type: 'file', file: { file_id: 'f' } },
      ],
    },
    {
      role: 'assistant',
      content: null,
      tool_calls: [
        { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } },
        { id: 'b', type: 'custom', custom: { name: 'c', input: 'x' } },
      ],
    },
    { role: 'tool', tool_call_id: 'a', content: 'ok' },
  ]
}

function options() {
  return {
    tools: [
      { type: 'function', function: { name: 'f', parameters: { type: 'object' } } },
      {
        type: 'custom',
        custom: { name: 'c', format: { type: 'grammar', grammar: { syntax: 'lark', definition: 'x' } } },
      },
    ],
    tool_choice: { type: 'function', function: { name: 'f' } },
    response_format: { type: 'json_schema', json_schema: { name: 'n', schema: {} } },
    audio: { voice: { id: 'v' }, format: 'wav' },
    prediction: { type: 'content', content: [{ type: 'text', text: 'p' }] },
    web_search_options: { user_location: { type: 'approximate', approximate: { city: 'X' } } },
    moderation: { model: 'm', policy: { input: { mode: 'score' } } },
    stream_options: { include_usage: true },
    stop: ['x'],
    temperature: 1,
    n: 1,
    stream: true,
  }
}

type Path = readonly string[]

function pathsToFields(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, field]) => [[...path, key], ...pathsToFields(field, [...path, key])])
}

function pathsToObjects(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return []
  const below = Object.entries(value).flatMap(([key, field]) => pathsToObjects(field, [...path, key]))
  return Array.isArray(value) ? below : [path, ...below]
}

function withField(body: object, path: Path, key: string, value: unknown): unknown {
  const copy: unknown = structuredClone(body)
  let place = copy
  for (const step of path) place = Reflect.get(Object(place), step)
  Reflect.set(Object(place), key, value)
  return copy
}
