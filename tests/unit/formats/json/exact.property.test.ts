import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { canonicalText } from '../../../../src/formats/json/canonical-json.ts'
import { type ExactJson, parseExact } from '../../../../src/formats/json/exact.ts'

const exact = (text: string): ExactJson => {
  const value = parseExact(text)
  if (value === undefined) throw new Error(`no JSON: ${text}`)
  return value
}

/** The same value with the names of each object in the opposite order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, item]) => [name, reversed(item)])
      .toReversed(),
  )
}

test('whatever is JSON comes back as it was', () => {
  fc.assert(
    fc.property(fc.json(), (text) => expect(JSON.stringify(exact(text))).toBe(JSON.stringify(JSON.parse(text)))),
  )
})

test('the canonical text does not depend on the order of names, and is JSON of the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const text = canonicalText(exact(JSON.stringify(value)))
      expect(canonicalText(exact(JSON.stringify(reversed(value), undefined, 1)))).toBe(text)
      expect(canonicalText(exact(text))).toBe(text)
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})
