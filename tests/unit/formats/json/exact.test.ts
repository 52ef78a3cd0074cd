import { describe, expect, test } from 'bun:test'
import { canonicalText } from '../../../../src/formats/json/canonical-json.ts'
import { isExactObject, isRawNumber, parseExact } from '../../../../src/formats/json/exact.ts'

const again = (text: string): string => JSON.stringify(parseExact(text))

describe('a text that is parsed exactly', () => {
  test('keeps numbers as written, which a double would change', () => {
    for (const number of ['9007199254740993', '1.0', '-0', '-0.0', '1e-05', '1E400', '0.1', '5', '1e21']) {
      expect(again(`[${number}]`)).toBe(`[${number}]`)
      expect(again(number)).toBe(number)
    }
  })

  test('gives plain values where nothing is lost', () => {
    expect(parseExact('{"a":[1,"\\u0041",null,true,{}],"b":-2.5}')).toEqual({ a: [1, 'A', null, true, {}], b: -2.5 })
  })

  test('takes __proto__ for a name like any other', () => {
    expect(again('{"__proto__":{"a":1}}')).toBe('{"__proto__":{"a":1}}')
  })

  test('is none where it is no JSON', () => {
    for (const text of ['', '{', '{"a":1,}', '[1 2]', 'nothing', '{"a":1}{"b":2}', '"open', '01']) {
      expect(parseExact(text)).toBeUndefined()
    }
  })

  test('is none where an object has a name twice, however it is written', () => {
    for (const text of ['{"a":1,"a":1}', '[{"b":{"a":1,"\\u0061":2}}]']) expect(parseExact(text)).toBeUndefined()
    expect(parseExact('[{"a":1},{"a":2}]')).toEqual([{ a: 1 }, { a: 2 }])
  })

  test('may have colons and brackets in its strings', () => {
    expect(parseExact('{"a:b":"{[\\":\\"]"}')).toEqual({ 'a:b': '{[":"]' })
    expect(parseExact(JSON.stringify('['.repeat(2000)))).toBe('['.repeat(2000))
  })

  test('is none where it nests deeper than anyone can follow', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
    expect(parseExact(nested(500))).toBeDefined()
    for (const depth of [501, 200_000]) expect(parseExact(nested(depth))).toBeUndefined()
  })
})

describe('the canonical text', () => {
  const canonical = (text: string): string => {
    const value = parseExact(text)
    if (value === undefined) throw new Error('no JSON')
    return canonicalText(value)
  }

  test('is the same for any order of names and any white space', () => {
    expect(canonical('{ "b": [1, {"d": 1, "c": 2}],\n"a": "\\u0041" }')).toBe('{"a":"A","b":[1,{"c":2,"d":1}]}')
  })

  test('tells apart what is written differently: numbers, and the order of an array', () => {
    expect(canonical('1.0')).not.toBe(canonical('1'))
    expect(canonical('9007199254740993')).not.toBe(canonical('9007199254740992'))
    expect(canonical('[1,2]')).not.toBe(canonical('[2,1]'))
  })
})

test('a number that is kept as written is no object', () => {
  const value = parseExact('1.0')
  expect([isRawNumber(value), isExactObject(value)]).toEqual([true, false])
  expect([isRawNumber({ rawJSON: '1.0' }), isExactObject({ rawJSON: '1.0' })]).toEqual([false, true])
  expect([isExactObject([]), isExactObject(null), isExactObject('')]).toEqual([false, false, false])
})
