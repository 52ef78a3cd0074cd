import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { canonicalJson } from '../../../../src/formats/json/canonical-json.ts'
import { bytesOf, JSON_TEXT, textOf } from './json-texts.ts'

const RUNS = { numRuns: 3000 }

/** The same by another way: by recursion, token by token, from a regular expression. */
function plainCanonical(text: string): string {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? []
  let at = 0
  const take = (): string => {
    at += 1
    return tokens[at - 1] ?? ''
  }
  const list = (end: string, read: () => string): string[] => {
    const items: string[] = []
    for (;;) {
      if (tokens[at] === end) {
        take()
        return items
      }
      if (items.length > 0) take()
      items.push(read())
    }
  }
  const value = (): string => {
    const token = take()
    if (token === '[') return `[${list(']', value).join()}]`
    if (token.startsWith('"')) return JSON.stringify(JSON.parse(token))
    if (token !== '{') return token
    const members: [key: string, text: string][] = []
    list('}', () => {
      const key = value()
      take()
      members.push([key, value()])
      return key
    })
    const sorted = members.toSorted(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0))
    return `{${sorted.map((pair) => pair.join(':')).join()}}`
  }
  return value()
}

test('the canonical form of any text is what a plain reading of it gives', () => {
  fc.assert(
    fc.property(JSON_TEXT, (text) => {
      expect(canonicalJson(bytesOf(text))).toBe(plainCanonical(text))
    }),
    RUNS,
  )
})

test('the canonical form is JSON that means the same, and is its own canonical form', () => {
  fc.assert(
    fc.property(JSON_TEXT, (text) => {
      const canonical = canonicalJson(bytesOf(text)) as string
      expect(canonicalJson(bytesOf(canonical))).toBe(canonical)
      const once = JSON.stringify(JSON.parse(text))
      const isWithoutDuplicates = once.length === JSON.stringify(JSON.parse(canonical)).length
      if (isWithoutDuplicates) expect(JSON.parse(canonical)).toEqual(JSON.parse(text))
    }),
    RUNS,
  )
})

test('two texts that say different things have two forms, also where one is no JSON', () => {
  fc.assert(
    fc.property(JSON_TEXT, JSON_TEXT, fc.nat(), fc.nat({ max: 255 }), (text, other, place, byte) => {
      const same = plainCanonical(text) === plainCanonical(other)
      expect(canonicalJson(bytesOf(text)) === canonicalJson(bytesOf(other))).toBe(same)
      const damaged = bytesOf(text)
      damaged[place % damaged.length] = byte
      const form = canonicalJson(damaged)
      if (form !== canonicalJson(bytesOf(text))) return
      // The damage has left JSON that says the same: another kind of white space, an escape in the other case.
      expect(plainCanonical(textOf(damaged))).toBe(plainCanonical(text))
    }),
    RUNS,
  )
})
