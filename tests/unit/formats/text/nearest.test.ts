import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { distance, nearest, suggest } from '../../../../src/formats/text/nearest.ts'

describe('the distance of two words', () => {
  test.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['abc', 'abc', 0],
    ['abc', 'abd', 1],
    ['abc', 'acb', 1],
    ['abc', 'ab', 1],
    ['abc', 'abcd', 1],
    ['ca', 'abc', 3],
    ['kitten', 'sitting', 3],
  ])('%j and %j is %d', (one, other, expected) => {
    expect(distance(one, other)).toBe(expected)
  })

  test('is the same both ways, 0 for the same word, and never more than the longer one has letters', () => {
    const words = fc.stringMatching(/^[abc]{0,6}$/)
    fc.assert(
      fc.property(words, words, (one, other) => {
        const found = distance(one, other)
        expect(found).toBe(distance(other, one))
        expect(found === 0).toBe(one === other)
        expect(found).toBeLessThanOrEqual(Math.max(one.length, other.length))
      }),
    )
  })
})

describe('the word that was meant', () => {
  test.each([
    ['upstrem', ['upstream', 'model'], 'upstream'],
    ['upstraem', ['upstream', 'model'], 'upstream'],
    ['apiKey', ['api_keys', 'api_key'], 'api_key'],
    ['API-KEY', ['api_keys', 'api_key'], 'api_key'],
    ['xyz', ['upstream', 'model'], undefined],
    ['b', ['a'], undefined],
    ['modle', [], undefined],
  ])('by %j of %j is %p', (word, words, expected) => {
    expect(nearest(word, words)).toBe(expected)
  })

  test('is named; else all there are, where these are few; else there are other words', () => {
    expect(suggest('modle', ['model'], 'Else.')).toBe('Did you mean "model"?')
    const twelve = Array.from({ length: 12 }, (_, index) => `word-${index}`)
    expect(suggest('zzz', twelve, 'Else.')).toBe(`Known here: ${twelve.join(', ')}.`)
    expect(suggest('zzz', [...twelve, 'one-more'], 'Else.')).toBe('Else.')
    expect(suggest('zzz', [], 'Else.')).toBe('Else.')
  })
})
