import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { rememberNames } from '../../../src/openai/inner-members.ts'
import { innerModels } from '../../../src/openai/inner-models.ts'

function nested(levels: number): unknown[] {
  let value: unknown[] = []
  for (let level = 0; level < levels; level += 1) value = [value]
  return value
}

function withMembers(count: number): unknown[] {
  return [Object.fromEntries(Array.from({ length: count }, (_, at) => [`member${at}`, at]))]
}

/** What is found in a body before one of its members is remembered, and then. */
function both(tools: object, more: unknown = []): readonly unknown[] {
  const body = { session: { model: 'inner' }, tools, more }
  const before = innerModels(body)
  rememberNames(tools)
  return [before, innerModels(body)]
}

test('a value whose names are remembered is passed over, or refused, where it would be without that', () => {
  const levels = [29, 30, 31, 32, 33].map(nested)
  const counts = [29_980, 29_990, 29_995, 30_010, 39_990].map(withMembers)
  const found = [...levels, ...counts].map((tools) => {
    const [before, after] = both(tools, withMembers(10_000))
    expect(after).toEqual(before)
    return before !== undefined
  })
  expect(new Set(found)).toEqual(new Set([true, false]))
})

test('the models in a value whose names are remembered are found', () => {
  const name = fc.constantFrom('model', 'Model', 'engine', 'type', 'function', 'parameters', 'name', 'content')
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(fc.constantFrom('a', 'b', 1, null), fc.array(tie('value')), fc.dictionary(name, tie('value'))),
  }))
  fc.assert(
    fc.property(fc.array(value), (tools) => {
      const [before, after] = both(tools)
      expect(after).toEqual(before)
    }),
    { numRuns: 500 },
  )
})
