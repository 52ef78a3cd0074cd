import { expect, test } from 'bun:test'
import { streamUsageOf } from '../../../../src/config/providers/stream-usage.ts'

test.each([
  ['openai', undefined, 'asked'],
  ['groq', undefined, 'always'],
  // Its timings would move into the chunk that is cut out.
  ['llamacpp', undefined, 'always'],
  ['acme', undefined, 'unknown'],
  [undefined, undefined, 'unknown'],
])('a stream of %s tells its usage by itself, or is asked for it', (name, mayAsk, told) => {
  expect(streamUsageOf(name, mayAsk)).toBe(told as never)
})

test('include_usage of an upstream goes before what is known of its preset', () => {
  expect(streamUsageOf('openai', false)).toBe('never')
  expect(streamUsageOf('mistral', false)).toBe('always')
  expect(streamUsageOf('llamacpp', true)).toBe('unknown')
})
