import { describe, expect, test } from 'bun:test'
import { membersOf } from '../../../../src/formats/json/members.ts'
import { bytesOf, textOf } from './json-texts.ts'

function read(text: string, start?: number): string[] {
  const bytes = bytesOf(text)
  return membersOf(bytes, start).map(({ key, valueStart, valueEnd }) => {
    return `${key}=${textOf(bytes.subarray(valueStart, valueEnd))}`
  })
}

describe('the members of an object', () => {
  test.each([
    ['{}', []],
    ['{ \n}', []],
    ['{"a":1}', ['a=1']],
    [' { "a" : [1, {"b":"]}"}] , "c":null } ', ['a=[1, {"b":"]}"}]', 'c=null']],
    ['{"a":1,"a":2}', ['a=1', 'a=2']],
    ['{"max\\u005ftokens":5}', ['max_tokens=5']],
    ['{"\\ud83d\\ude00":1,"ü":2}', ['😀=1', 'ü=2']],
    ['{"__proto__":{"a":1}}', ['__proto__={"a":1}']],
    ['\uFEFF{"a":1}', ['a=1']],
    [`{"${'k'.repeat(100)}":1}`, [`${'k'.repeat(100)}=1`]],
  ])('%s are found with their values', (text, members) => {
    expect(read(text)).toEqual(members)
  })

  test('are those of the object that begins at the given place', () => {
    expect(read('{"a": {"b":1}}', 5)).toEqual(['b=1'])
  })

  test.each(['[{"a":1}]', '"{"', '1', 'null', '', ' '])('are none in %p, which is no object', (text) => {
    expect(read(text)).toEqual([])
  })

  test.each(['\\"', '\\\\\\"', '\\\\', '\\n\\\\\\\\'])(
    'are found behind a long string with %s in it and at its end',
    (escaped) => {
      for (let length = 0; length < 80; length += 1) {
        const value = `"${'x'.repeat(length)}${escaped}${'y'.repeat(30)}${escaped}"`
        expect(read(`{"a":${value},"b":1}`)).toEqual([`a=${value}`, 'b=1'])
      }
    },
  )

  test('are found behind a value that is nested a million times', () => {
    const deep = '['.repeat(1_000_000) + ']'.repeat(1_000_000)
    expect(read(`{"a":${deep},"b":1}`).at(-1)).toBe('b=1')
  })

  test.each(['{', '{"a', '{"a":', '{"a":"x', '{"a":[1', '{"a":"\\', '{"a":1,,,"b"', '{1:2'])(
    'are searched for in %s, which is not complete, but not for ever',
    (text) => {
      try {
        expect(read(text).length).toBeLessThan(5)
      } catch (error) {
        expect(error).toBeInstanceOf(SyntaxError)
      }
    },
  )
})
