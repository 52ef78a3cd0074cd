import { describe, expect, test } from 'bun:test'
import {
  applyEdits,
  changeMembers,
  type Edit,
  editedParts,
  renameKey,
  replaceValue,
} from '../../../../src/formats/json/edit.ts'
import { type Member, membersOf, objectStart } from '../../../../src/formats/json/members.ts'
import { bytesOf, textOf } from './json-texts.ts'

function edited(text: string, edit: (member: (key: string) => Member) => readonly Edit[]): string {
  const bytes = bytesOf(text)
  const member = (key: string): Member => {
    const found = membersOf(bytes).find((one) => one.key === key)
    if (found === undefined) throw new Error(`no member ${key} in ${text}`)
    return found
  }
  return textOf(applyEdits(bytes, edit(member)))
}

function changed(text: string, gone: string, inserted: readonly (readonly [string, string])[] = []): string {
  const bytes = bytesOf(text)
  const members = membersOf(bytes)
  const removed = new Set(members.filter(({ key }) => gone.includes(key)))
  return textOf(applyEdits(bytes, changeMembers(objectStart(bytes), members, { removed, inserted })))
}

describe('edits', () => {
  test('of none give the very bytes that came', () => {
    const bytes = bytesOf('{}')
    expect(applyEdits(bytes, [])).toBe(bytes)
  })

  test('are made in any order, and of two at one place the one that only inserts comes first', () => {
    const bytes = bytesOf('abcdef')
    const edits = [
      { start: 4, end: 5, text: 'ü' },
      { start: 1, end: 3, text: '' },
      { start: 1, end: 1, text: '😀' },
      { start: 6, end: 6, text: '!' },
    ]
    expect(textOf(applyEdits(bytes, edits))).toBe('a😀düf!')
    expect(textOf(applyEdits(bytes, edits.toReversed()))).toBe('a😀düf!')
  })

  test('do not change the bytes that they are made of', () => {
    const bytes = bytesOf('{"a":1}')
    applyEdits(bytes, [{ start: 1, end: 2, text: 'x' }])
    expect(textOf(bytes)).toBe('{"a":1}')
  })

  test('replace a value and leave the whitespace around it', () => {
    expect(edited('{ "a" : [1 ] , "b":2}', (member) => [replaceValue(member('a'), '"x"')])).toBe('{ "a" : "x" , "b":2}')
  })

  test('rename a member, and leave its value and whitespace', () => {
    expect(edited('{ "a\\u0062" : 1.0 }', (member) => [renameKey(member('ab'), 'c"d')])).toBe('{ "c\\"d" : 1.0 }')
  })
})

describe('members', () => {
  test.each([
    ['{"a":1,"b":2,"c":3}', 'a', '{"b":2,"c":3}'],
    ['{"a":1,"b":2,"c":3}', 'b', '{"a":1,"c":3}'],
    ['{"a":1,"b":2,"c":3}', 'c', '{"a":1,"b":2}'],
    ['{"a":1,"b":2,"c":3}', 'ab', '{"c":3}'],
    ['{"a":1,"b":2,"c":3}', 'ac', '{"b":2}'],
    ['{"a":1,"b":2,"c":3}', 'bc', '{"a":1}'],
    ['{"a":1,"b":2,"c":3}', 'abc', '{}'],
    ['{ "a" : 1 , "b" : 2 , "c" : 3 }', 'b', '{ "a" : 1 , "c" : 3 }'],
    ['{ "a" : 1 , "b" : 2 , "c" : 3 }', 'ab', '{ "c" : 3 }'],
    ['{ "a" : 1 , "b" : 2 , "c" : 3 }', 'abc', '{  }'],
    ['{"a":1,"b":2,"a":3}', 'a', '{"b":2}'],
    ['{"a":1}', '', '{"a":1}'],
  ])('of %s: %p are removed with as many commas', (text, gone, result) => {
    expect(changed(text, gone)).toBe(result)
  })

  test.each([
    ['{}', '', '{"x":1,"y":"z"}'],
    ['{ }', '', '{"x":1,"y":"z" }'],
    ['{"a":1}', '', '{"x":1,"y":"z","a":1}'],
    ['{"a":1}', 'a', '{"x":1,"y":"z"}'],
    ['{"a":1,"b":2}', 'ab', '{"x":1,"y":"z"}'],
    ['{"a":1,"b":2}', 'a', '{"x":1,"y":"z","b":2}'],
    ['\uFEFF {"a":1}', '', '\uFEFF {"x":1,"y":"z","a":1}'],
  ])('are inserted into %s without %p before all others', (text, gone, result) => {
    const inserted = [
      ['x', '1'],
      ['y', '"z"'],
    ] as const
    expect(changed(text, gone, inserted)).toBe(result)
  })
})

test('the parts of a changed text, one behind the other, are that text', () => {
  const bytes = bytesOf('{"a":1,"b":"ü","c":3}')
  const edits: Edit[] = [
    { start: 18, end: 19, text: '"drei"' },
    { start: 1, end: 1, text: '"é":0,' },
    { start: 5, end: 6, text: '' },
  ]
  expect(Buffer.concat(editedParts(bytes, edits)).toString()).toBe(textOf(applyEdits(bytes, edits)))
  expect(Buffer.concat(editedParts(bytes, [])).toString()).toBe(textOf(bytes))
})
