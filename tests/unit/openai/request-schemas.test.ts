import { describe, expect, test } from 'bun:test'
import { KindGuard, type TObject, type TSchema } from '@sinclair/typebox'
import { compileRequestCheck } from '../../../src/openai/check-request.ts'
import { ChatCompletionRequest } from '../../../src/openai/schemas/chat-completion-request.ts'
import { CompletionRequest } from '../../../src/openai/schemas/completion-request.ts'
import documented from '../../fixtures/openai-parameters.json' with { type: 'json' }

const endpoints = [
  { name: 'chat completions', schema: ChatCompletionRequest, parameters: documented.chat },
  { name: 'completions', schema: CompletionRequest, parameters: documented.completions },
] as const

describe.each(endpoints)('the schema of $name', ({ schema, parameters }) => {
  test('has every parameter of the specification, and no other', () => {
    expect(Object.keys(schema.properties).sort()).toEqual([...parameters].sort())
  })

  test('describes every one of its fields, in one line', () => {
    for (const [path, field] of fieldsOf(schema)) {
      if (KindGuard.IsLiteral(field)) continue
      expect({ path, description: field.description }).toEqual({
        path,
        description: expect.stringMatching(/^\S[^\n]+\.$/),
      })
    }
  })

  test('is open at every level', () => {
    for (const object of objectsIn(schema)) expect(object.additionalProperties).toBe(true)
  })

  test('lets null pass for every parameter that the specification does not require', () => {
    const check = compileRequestCheck(schema)
    for (const parameter of parameters) {
      if (parameter === 'model' || parameter === 'messages') continue
      expect({ parameter, problem: check({ ...smallest(schema), [parameter]: null }) }).toEqual({
        parameter,
        problem: undefined,
      })
    }
  })

  test('enforces no value of an enumeration', () => {
    const check = compileRequestCheck(schema)
    for (const [parameter, field] of Object.entries(schema.properties)) {
      const takesText = branchesOf(field).some((branch) => KindGuard.IsString(branch))
      if (takesText) expect(check({ ...smallest(schema), [parameter]: 'a-value-of-next-year' })).toBeUndefined()
    }
  })

  test('tells shapes of a union apart by a type that stands first', () => {
    for (const object of objectsIn(schema)) {
      const literals = Object.entries(object.properties).filter(([, field]) => KindGuard.IsLiteral(field))
      if (literals.length > 0) expect(Object.keys(object.properties)[0]).toBe('type')
    }
  })
})

function smallest(schema: TObject): Record<string, unknown> {
  return schema.required?.includes('messages') ? { messages: [{ role: 'user', content: 'hi' }] } : {}
}

function branchesOf(schema: TSchema): TSchema[] {
  return KindGuard.IsUnion(schema) ? schema.anyOf.flatMap(branchesOf) : [schema]
}

function objectsIn(schema: TSchema): TObject[] {
  if (KindGuard.IsUnion(schema)) return schema.anyOf.flatMap(objectsIn)
  if (KindGuard.IsArray(schema)) return objectsIn(schema.items)
  if (KindGuard.IsObject(schema)) return [schema, ...Object.values(schema.properties).flatMap(objectsIn)]
  return []
}

function fieldsOf(schema: TSchema): [string, TSchema][] {
  return objectsIn(schema).flatMap((object) => Object.entries(object.properties))
}
