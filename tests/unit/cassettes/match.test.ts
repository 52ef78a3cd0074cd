import { describe, expect, test } from 'bun:test'
import type { NamedCassette } from '../../../src/cassettes/cassette.ts'
import { createMatcher } from '../../../src/cassettes/match.ts'
import { readIgnored, requestKey } from '../../../src/cassettes/request-key.ts'
import { cassetteOf } from './memory-recorder.ts'

const ignored = readIgnored()
const keyOf = (json: unknown, path = '/v1/chat/completions', query?: string) =>
  requestKey({ method: 'POST', path, ...(query !== undefined && { query }), body: { json } }, ignored)
const matcherOf = (...cassettes: NamedCassette[]) => createMatcher(cassettes, ignored)

describe('a request gets', () => {
  test('the cassette that is like it', () => {
    const matcher = matcherOf(cassetteOf('1', { n: 1 }), cassetteOf('2', { n: 2 }))
    expect(matcher.take(keyOf({ n: 2, user: 'u' }))?.name).toBe('2')
    expect(matcher.take(keyOf({ n: 1 }))?.name).toBe('1')
    expect(matcher.take(keyOf({ n: 3 }))).toBeUndefined()
    expect(matcher.count()).toBe(2)
  })

  test('for the n-th time the n-th that was recorded, and then the last again', () => {
    const matcher = matcherOf(cassetteOf('1', { n: 1 }), cassetteOf('2', { n: 2 }), cassetteOf('3', { n: 1 }))
    const names = Array.from({ length: 4 }, () => matcher.take(keyOf({ n: 1 }))?.name)
    expect(names).toEqual(['1', '3', '3', '3'])
    expect(matcher.take(keyOf({ n: 2 }))?.name).toBe('2')
  })

  test('also what has been added later', () => {
    const matcher = matcherOf()
    matcher.add(cassetteOf('1', { n: 1 }))
    expect(matcher.take(keyOf({ n: 1 }))?.name).toBe('1')
    matcher.add(cassetteOf('2', { n: 1 }))
    expect(matcher.take(keyOf({ n: 1 }))?.name).toBe('2')
    expect(matcher.count()).toBe(2)
  })
})

describe('a miss is explained', () => {
  test('by the nearest cassette, and what differs', () => {
    const matcher = matcherOf(
      cassetteOf('0001-far.json', { model: 'x', n: 9, messages: [] }),
      cassetteOf('0002-near.json', { model: 'm', n: 1, messages: [{ content: 'a' }] }),
    )
    expect(matcher.explainMiss(keyOf({ model: 'm', n: 1, messages: [{ content: 'b' }] }))).toBe(
      'No cassette fits POST /v1/chat/completions. The nearest is 0002-near.json: messages[0].content: "a" was recorded, "b" came.',
    )
  })

  test('with three differences at most, and how many more there are', () => {
    const matcher = matcherOf(cassetteOf('1.json', { a: 1, b: 1, c: 1, d: 1 }))
    const four = matcher.explainMiss(keyOf({ a: 2, b: 2, c: 2, d: 2 }))
    expect(four).toEndWith('c: 1 was recorded, 2 came; and 1 more difference.')
    expect(matcher.explainMiss(keyOf({ a: 2, b: 2, c: 2, d: 2, e: 2 }))).toEndWith('; and 2 more differences.')
    const many = Array.from({ length: 1000 }, (_, index) => index)
    expect(matcherOf(cassetteOf('1.json', [])).explainMiss(keyOf(many))).toEndWith(
      '; and more than 97 more differences.',
    )
  })

  test('by the query, where that differs', () => {
    const told = matcherOf(cassetteOf('1.json', {})).explainMiss(keyOf({}, '/v1/chat/completions', 'a=1'))
    expect(told).toEndWith('query: "" was recorded, "a=1" came.')
  })

  test('by the paths that there are, where none is for its own', () => {
    expect(matcherOf().explainMiss(keyOf({}))).toBe(
      'No cassette is for POST /v1/chat/completions; there are no cassettes at all.',
    )
    const other = (path: string): NamedCassette => ({
      name: path,
      cassette: { cassette: 1, request: { method: 'GET', path }, response: { status: 200 } },
    })
    const few = matcherOf(other('/v1/a'), other('/v1/a'), other('/v1/b'))
    expect(few.explainMiss(keyOf({}))).toEndWith('there are some for GET /v1/a, GET /v1/b.')
    const many = matcherOf(...['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => other(`/v1/${name}`)))
    expect(many.explainMiss(keyOf({}))).toEndWith('GET /v1/e and 2 more.')
  })

  test('in few words, whatever came', () => {
    const long = 'x'.repeat(100_000)
    const matcher = matcherOf(cassetteOf('1.json', { [long]: long, a: { [long]: 1 }, b: [long] }))
    expect(matcher.explainMiss(keyOf({ [`${long}y`]: `${long}y`, b: [`${long}z`] })).length).toBeLessThan(1000)
    expect(matcher.explainMiss(keyOf({}, `/v1/${long}`)).length).toBeLessThan(300)
  })
})
