import { describe, expect, test } from 'bun:test'
import { isWildcard } from '../../../../src/formats/text/wildcards.ts'
import { createWildcardMatcher } from '../../../../src/routing/targets/model-names.ts'

function matcherOf(...names: readonly string[]): (name: string) => readonly [string, string] | undefined {
  const match = createWildcardMatcher(names.map((name) => ({ name })))
  return (name) => {
    const found = match(name)
    return found && [found.entry.name, found.star]
  }
}

describe('a name', () => {
  test.each([
    ['gpt-4o', ['gpt-*', '4o']],
    ['gpt-', ['gpt-*', '']],
    ['gpt-4o-mini', ['gpt-*-mini', '4o']],
    ['groq/llama/3', ['groq/*', 'llama/3']],
    ['my-ft', ['*-ft', 'my']],
    ['gpt', undefined],
    ['GPT-4o', undefined],
    ['', undefined],
  ] as const)('%p means %p', (name, expected) => {
    expect(matcherOf('gpt-*', 'gpt-*-mini', 'groq/*', '*-ft')(name)).toEqual(expected)
  })

  test('means the entry with the longest text around its *, wherever that text is', () => {
    expect(matcherOf('a*', '*bcd', 'ab*')('abcd')).toEqual(['*bcd', 'a'])
    expect(matcherOf('*', 'a*')('abcd')).toEqual(['a*', 'bcd'])
  })

  test('of two that are as long means the first in the file', () => {
    expect(matcherOf('ab*', '*cd')('abcd')).toEqual(['ab*', 'cd'])
    expect(matcherOf('*cd', 'ab*')('abcd')).toEqual(['*cd', 'ab'])
  })

  test('does not use a character for both ends', () => {
    expect(matcherOf('aba*ba')('aba')).toBeUndefined()
    expect(matcherOf('aba*ba')('ababa')).toEqual(['aba*ba', ''])
  })

  test('means anything where there is a * alone, also nothing', () => {
    expect(matcherOf('*')('')).toEqual(['*', ''])
    expect(matcherOf('*')('x/y')).toEqual(['*', 'x/y'])
  })

  test('of no wildcard is passed over', () => {
    expect(matcherOf('gpt-4o', 'x*')('gpt-4o')).toBeUndefined()
  })

  test('is matched as text: no character of it is special', () => {
    expect(matcherOf('a.b*')('axb1')).toBeUndefined()
    expect(matcherOf('__proto__*')('__proto__')).toEqual(['__proto__*', ''])
  })
})

test('a name with a * is a wildcard', () => {
  expect([isWildcard('gpt-*'), isWildcard('gpt')]).toEqual([true, false])
})
