import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { countKeys, isEqualJson } from '../../../../src/formats/json/equal.ts'

describe('values of JSON', () => {
  test.each([
    ['1', '1.0', true],
    ['1', '"1"', false],
    ['null', '{}', false],
    ['[]', '{}', false],
    ['{}', '[]', false],
    ['[1,2]', '[2,1]', false],
    ['[1]', '[1,1]', false],
    ['{"a":1,"b":[2]}', '{"b":[2],"a":1}', true],
    ['{"a":1}', '{"b":1}', false],
    ['{"a":1}', '{"a":1,"b":1}', false],
    ['{"__proto__":1}', '{"__proto__":1}', true],
    ['{"toString":null}', '{"a":null}', false],
    ['{"a":1}', '{"__proto__":1}', false],
  ])('%s and %s are equal: %p', (one, other, isEqual) => {
    expect(isEqualJson(JSON.parse(one), JSON.parse(other))).toBe(isEqual)
  })

  test('are equal to what they are when written and read, and their names are counted alike', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const again: unknown = JSON.parse(JSON.stringify(value))
        expect(isEqualJson(again, JSON.parse(JSON.stringify(again)))).toBe(true)
        expect(isEqualJson([again], [[again]])).toBe(false)
        expect(countKeys({ a: again, b: [again] })).toBe(2 + 2 * countKeys(again))
      }),
    )
  })
})
