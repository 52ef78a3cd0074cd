import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { countKeys } from '../../../../src/formats/json/equal.ts'
import { membersOf } from '../../../../src/formats/json/members.ts'
import { countMembers } from '../../../../src/formats/json/skip.ts'
import { bytesOf, JSON_TEXT, OBJECT_TEXT, textOf } from './json-texts.ts'

const RUNS = { numRuns: 1000 }

test('the members of any object are those that JSON.parse finds, the last of equal names among them', () => {
  fc.assert(
    fc.property(OBJECT_TEXT, fc.constantFrom('', ' \n', '\uFEFF'), (text, front) => {
      const bytes = bytesOf(front + text)
      const members = membersOf(bytes)
      const found = members.map(({ key, valueStart, valueEnd }) => {
        return [key, JSON.parse(textOf(bytes.subarray(valueStart, valueEnd)))] as const
      })
      expect(Object.fromEntries(found)).toEqual(JSON.parse(text))
      for (const { key, keyStart, keyEnd } of members) {
        expect(JSON.parse(textOf(bytes.subarray(keyStart, keyEnd)))).toBe(key)
      }
    }),
    RUNS,
  )
})

test('between the members of any object there is nothing but its braces, colons, commas and whitespace', () => {
  fc.assert(
    fc.property(OBJECT_TEXT, (text) => {
      const bytes = bytesOf(text)
      let rest = ''
      let from = 0
      for (const { keyStart, keyEnd, valueStart, valueEnd } of membersOf(bytes)) {
        rest += `${textOf(bytes.subarray(from, keyStart))}${textOf(bytes.subarray(keyEnd, valueStart))}`
        from = valueEnd
      }
      rest += textOf(bytes.subarray(from))
      expect(rest.replace(/\s/g, '')).toMatch(/^\{(?::(?:,:)*)?\}$/)
    }),
    RUNS,
  )
})

test('the members of any text are as many as its names, or more where one occurs twice', () => {
  fc.assert(
    fc.property(JSON_TEXT, (text) => {
      const bytes = bytesOf(text)
      let count = 0
      JSON.parse(text, (_key, value: unknown) => {
        count += countDirect(value)
        return value
      })
      expect(countKeys(JSON.parse(text))).toBe(count)
      expect(countMembers(bytes, 0, bytes.length)).toBeGreaterThanOrEqual(count)
      const once = bytesOf(JSON.stringify(JSON.parse(text)))
      expect(countMembers(once, 0, once.length)).toBe(count)
    }),
    RUNS,
  )
})

function countDirect(value: unknown): number {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value).length : 0
}
