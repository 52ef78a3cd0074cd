import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { compilePatterns, fillStar, isWildcard, starIn, wildcardOf } from '../../../../src/formats/text/wildcards.ts'

describe('a pattern', () => {
  test.each<[string, string, boolean]>([
    ['gpt-4o', 'gpt-4o', true],
    ['gpt-4o', 'gpt-4o-mini', false],
    ['gpt-*', 'gpt-', true],
    ['gpt-*', 'my-gpt-4', false],
    ['*-mini', 'gpt-4o-mini', true],
    ['a*b*c', 'axxbyyc', true],
    ['a*b*c', 'acb', false],
    ['ab*ba', 'aba', false],
    ['*a*a*', 'a', false],
    ['*', '', true],
    ['**', 'x', true],
    ['', '', true],
    ['', 'x', false],
    ['a.c', 'abc', false],
    ['GPT*', 'gpt-4', false],
  ])('%s fits %p: %p', (pattern, text, fits) => {
    expect(compilePatterns([pattern])(text)).toBe(fits)
  })

  test('fits what a regular expression for it fits', () => {
    const letters = fc.array(fc.constantFrom('a', 'b', '*'), { maxLength: 7 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(letters, letters, (pattern, text) => {
        const expected = new RegExp(`^${pattern.replaceAll('*', '[^]*')}$`).test(text)
        expect(compilePatterns(['never', pattern])(text)).toBe(expected || text === 'never')
      }),
      { numRuns: 2000 },
    )
  })

  test('with many stars takes no longer for a text that nearly fits', () => {
    expect(compilePatterns([`${'*a'.repeat(50)}*b`])('a'.repeat(100_000))).toBe(false)
  })

  test('of an empty list fits nothing', () => {
    expect(compilePatterns([])('')).toBe(false)
  })
})

test('a name with a star stands for many, and tells what its star stands for', () => {
  expect([isWildcard('gpt-*'), isWildcard('gpt')]).toEqual([true, false])
  const wildcard = wildcardOf('a*a')
  expect([wildcardOf('gpt'), wildcard]).toEqual([undefined, { prefix: 'a', suffix: 'a' }])
  expect(wildcard && ['a', 'aa', 'aba', 'ab', 'xaa'].map((name) => starIn(wildcard, name))).toEqual([
    ...[undefined, '', 'b', undefined, undefined],
  ])
  expect(fillStar('azure/*', '$&')).toBe('azure/$&')
})
