import { expect, test } from 'bun:test'
import { differences, renderDifference } from '../../../src/cassettes/differences.ts'
import { type ExactJson, parseExact } from '../../../src/formats/json/exact.ts'

const lines = (recorded: ExactJson | undefined, came: ExactJson | undefined): string[] =>
  [...differences(recorded, came)].map(renderDifference)

test('equal values differ nowhere, in whatever order their names are', () => {
  expect(lines({ a: [1, { b: null, c: 2 }] }, { a: [1, { c: 2, b: null }] })).toEqual([])
  expect(lines(undefined, undefined)).toEqual([])
})

test('each place that differs is named by its path', () => {
  const recorded = { messages: [{ role: 'user' }, { content: 'a' }], n: 1, gone: true }
  const came = { messages: [{ role: 'user' }, { content: 'b' }, {}], n: 2, added: [1] }
  expect(lines(recorded, came)).toEqual([
    'messages[1].content: "a" was recorded, "b" came',
    'messages[2]: nothing was recorded, {} came',
    'n: 1 was recorded, 2 came',
    'gone: true was recorded, nothing came',
    'added: nothing was recorded, [1] came',
  ])
})

test('values of another shape differ as a whole', () => {
  expect(lines({ stop: ['a'] }, { stop: 'a' })).toEqual(['stop: ["a"] was recorded, "a" came'])
  expect(lines({ a: 1 }, [1])).toEqual(['body: {"a":1} was recorded, [1] came'])
  expect(lines('{}', undefined)).toEqual(['body: "{}" was recorded, nothing came'])
  expect(lines({ a: null }, {})).toEqual(['a: null was recorded, nothing came'])
})

test('numbers differ as they are written', () => {
  const exact = (text: string): ExactJson | undefined => parseExact(text)
  expect(lines(exact('[1.0]'), exact('[1]'))).toEqual(['[0]: 1.0 was recorded, 1 came'])
})

test('names of an object’s own ancestors are names like others', () => {
  expect(lines({}, { toString: 1 })).toEqual(['toString: nothing was recorded, 1 came'])
})

test('long texts are shown where they part, and long values only in their beginning', () => {
  const start = 'x'.repeat(100)
  expect(lines(`${start}one${start}`, `${start}two${start}`)).toEqual([
    `body: "…${'x'.repeat(15)}one${'x'.repeat(42)}…" was recorded, "…${'x'.repeat(15)}two${'x'.repeat(42)}…" came`,
  ])
  const [line = ''] = lines(
    Array.from({ length: 50 }, () => 12),
    'a',
  )
  expect(line).toBe(`body: [${'12,'.repeat(19)}12… was recorded, "a" came`)
})

test('a long path is cut, and never in the middle of a letter', () => {
  const name = '😀'.repeat(60)
  const [line = ''] = lines({ [`a${name}`]: 1 }, {})
  expect(line.length).toBeLessThan(130)
  expect(line.isWellFormed()).toBe(true)
})
