import { expect, test } from 'bun:test'
import { describeType, knownValues, objectsWithin } from '../../../../src/server/pages/schema-table.ts'

test.each([
  ['string', { anyOf: [{ type: 'string' }, { type: 'null' }] }],
  ['"text"', { type: 'string', const: 'text' }],
  ['string or array of strings', { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] }],
  ['array of arrays of integers', { type: 'array', items: { type: 'array', items: { type: 'integer' } } }],
  ['array of objects', { type: 'array', items: { anyOf: [{ type: 'object' }, { type: 'object' }] } }],
  ['object of numbers', { type: 'object', patternProperties: { '^(.*)$': { type: 'number' } } }],
  ['anything', {}],
] as const)('a type is described as %s', (words, schema) => {
  expect(describeType(schema)).toBe(words)
})

test('the examples of a field are its known values, except where a pattern excludes them', () => {
  expect(knownValues({ anyOf: [{ type: 'string', examples: ['low', 'high'] }, { type: 'null' }] })).toEqual([
    'low',
    'high',
  ])
  expect(knownValues({ type: 'string', pattern: '^(?!(?:text)$)', examples: ['text'] })).toEqual([])
})

test('an object without fields has nothing to unfold', () => {
  const inner = { type: 'object', properties: { a: { type: 'string' } } }
  expect(
    objectsWithin({
      anyOf: [
        { type: 'array', items: inner },
        { type: 'object', properties: {} },
      ],
    }),
  ).toEqual([inner])
})
