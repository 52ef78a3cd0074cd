import { describe, expect, test } from 'bun:test'
import { type TSchema, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { ChatCompletion } from 'openai/resources/chat/completions'
import type { JsonObject } from '../../../src/demo/json-value.ts'
import { schemaInstance } from '../../../src/demo/schema-instance.ts'
import { chat, jsonOf } from './simulated-calls.ts'

/** The schema as it would come over the wire. */
function wire(schema: TSchema): JsonObject {
  return JSON.parse(JSON.stringify(schema)) as JsonObject
}

describe('an instance of a schema', () => {
  const schemas: Record<string, TSchema> = {
    'each plain type': Type.Object({ s: Type.String(), n: Type.Number(), i: Type.Integer(), b: Type.Boolean() }),
    'null and const': Type.Object({ n: Type.Null(), c: Type.Literal(7), f: Type.Literal(false) }),
    'bounds of numbers': Type.Object({
      a: Type.Integer({ minimum: 5 }),
      b: Type.Integer({ maximum: -5 }),
      c: Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 0.5 }),
      d: Type.Integer({ exclusiveMinimum: 3, multipleOf: 5 }),
      e: Type.Integer({ minimum: 0, maximum: 0 }),
    }),
    'bounds of strings': Type.Object({ a: Type.String({ minLength: 30 }), b: Type.String({ maxLength: 3 }) }),
    'bounds of arrays': Type.Object({
      a: Type.Array(Type.String(), { minItems: 3 }),
      b: Type.Array(Type.String(), { maxItems: 0 }),
      c: Type.Array(Type.Array(Type.Integer())),
    }),
    'anyOf and allOf': Type.Object({
      u: Type.Union([Type.Object({ a: Type.String() }), Type.Null()]),
      i: Type.Intersect([Type.Object({ a: Type.String() }), Type.Object({ b: Type.Integer() })]),
    }),
    'an optional field': Type.Object({ a: Type.Optional(Type.String()) }),
  }
  for (const [what, schema] of Object.entries(schemas)) {
    test(`satisfies ${what}`, () => {
      const instance = schemaInstance(wire(schema))
      expect([...Value.Errors(schema, instance)]).toEqual([])
    })
  }

  test('follows $ref, also with escapes, and takes the first of several types', () => {
    const schema = {
      type: 'object',
      properties: { a: { $ref: '#/$defs/a~1b' }, b: { type: ['integer', 'null'] }, c: { $ref: '#/nowhere' } },
      $defs: { 'a/b': { type: 'array', items: { const: 'x' } } },
    }
    expect(schemaInstance(schema)).toEqual({ a: ['x'], b: 1, c: 'simulated' })
  })

  test('takes the first of an enum, and a default', () => {
    const schema = { type: 'object', properties: { e: { enum: ['x', 'y'] }, d: { type: 'integer', default: 42 } } }
    expect(schemaInstance(schema)).toEqual({ e: 'x', d: 42 })
  })

  test('takes a schema without a type for what its keywords speak of', () => {
    expect(schemaInstance({ properties: { list: { items: { type: 'boolean' } } } })).toEqual({ list: [true] })
  })

  test('knows the formats of strings', () => {
    expect(schemaInstance({ type: 'string', format: 'email' })).toBe('simulated@example.com')
    expect(Date.parse(String(schemaInstance({ type: 'string', format: 'date-time' })))).toBe(Date.UTC(2025, 0, 1))
  })

  test('of a schema that contains itself comes to an end', () => {
    const node = { type: 'object', required: ['value', 'next'] }
    const linked = {
      ...node,
      properties: { value: { type: 'string' }, next: { anyOf: [{ $ref: '#' }, { type: 'null' }] } },
    }
    expect(JSON.stringify(schemaInstance(linked))).toEndWith('"next":null}}}}}')
    const list = {
      type: 'array',
      minItems: 1,
      items: { anyOf: [{ $ref: '#' }, { type: 'object' }, { type: 'string' }] },
    }
    expect(JSON.stringify(schemaInstance(list))).toMatch(/^\[+"simulated"\]+$/)
    const tree = {
      type: 'object',
      required: ['left', 'right'],
      properties: { left: { $ref: '#' }, right: { $ref: '#' } },
    }
    expect(JSON.stringify(schemaInstance(tree)).length).toBeLessThan(100_000)
    expect(schemaInstance({ $ref: '#' })).toBe('simulated')
  })

  test('is bounded however much a schema asks for', () => {
    const greedy = { type: 'array', minItems: 1e9, items: { type: 'string', minLength: 1e9 } }
    expect((schemaInstance(greedy) as string[]).length).toBeLessThan(5000)
  })
})

describe('structured output of a simulated chat completion', () => {
  test('is an instance of the json_schema that was asked for', async () => {
    const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
    const response_format = { type: 'json_schema', json_schema: { name: 'place', strict: true, schema } }
    const { choices } = await jsonOf<ChatCompletion>(chat('Where?', { response_format }))
    expect(choices[0]?.message.content).toBe('{"city":"simulated"}')
  })

  test('is an object that says it is simulated for json_object', async () => {
    const { choices } = await jsonOf<ChatCompletion>(chat('Where?', { response_format: { type: 'json_object' } }))
    expect(JSON.parse(choices[0]?.message.content ?? '')).toEqual({
      simulated: true,
      answer: 'This is a simulated answer from NexCode: no model was asked. You said: “Where?”',
    })
  })
})
