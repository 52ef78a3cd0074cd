import { describe, expect, test } from 'bun:test'
import { isHeadStorable, isStorable } from '../../../../src/cache/answers/storable.ts'

const OWN = { isShared: false }
const SHARED = { isShared: true }
const answer = (headers: Record<string, string> = {}, status = 200): Response => new Response(null, { status, headers })

describe('an answer’s head allows that it is kept', () => {
  test.each<Record<string, string>>([
    {},
    { 'cache-control': 'no-cache' },
    { 'cache-control': 'public, max-age=0, must-revalidate' },
    { vary: 'Origin, Accept-Encoding' },
    { 'set-cookie': '__cf_bm=abc; path=/; HttpOnly' },
    { 'set-cookie': '_cfuvid=abc' },
    { 'set-cookie': 'AWSALBCORS=abc' },
  ])('with %j', (headers) => {
    expect(isHeadStorable(answer(headers), OWN)).toBe(true)
    expect(isHeadStorable(answer(headers), SHARED)).toBe(true)
  })

  test.each<[Record<string, string>, number]>([
    [{}, 201],
    [{}, 206],
    [{}, 404],
    [{}, 500],
    [{ 'cache-control': 'max-age=60, No-Store' }, 200],
    [{ vary: '*' }, 200],
    [{ vary: 'user-agent' }, 200],
    [{ 'set-cookie': 'session=abc' }, 200],
    [{ 'set-cookie': '__cf_bm_of_mine=abc' }, 200],
  ])('but not with %j and %d', (headers, status) => {
    expect(isHeadStorable(answer(headers, status), OWN)).toBe(false)
  })

  test('but not with one cookie of a session beside one of a load balancer', () => {
    const both = answer()
    both.headers.append('set-cookie', '__cf_bm=abc')
    both.headers.append('set-cookie', 'session=abc')
    expect(isHeadStorable(both, OWN)).toBe(false)
  })

  test('where it is private: only for a scope of one caller', () => {
    expect(isHeadStorable(answer({ 'cache-control': 'private' }), OWN)).toBe(true)
    expect(isHeadStorable(answer({ 'cache-control': 'private' }), SHARED)).toBe(false)
  })
})

test('only a body that has come to its end is kept', () => {
  expect(isStorable(answer(), { kind: 'complete' }, OWN)).toBe(true)
  expect(isStorable(answer({}, 500), { kind: 'complete' }, OWN)).toBe(false)
  expect(isStorable(answer(), { kind: 'cancelled' }, OWN)).toBe(false)
  expect(isStorable(answer(), { kind: 'failed', cause: undefined }, OWN)).toBe(false)
})
