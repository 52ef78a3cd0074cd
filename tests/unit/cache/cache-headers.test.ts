import { expect, test } from 'bun:test'
import { ageOf, whyUnusable } from '../../../src/cache/answers/freshness.ts'
import { storedHeaders } from '../../../src/cache/answers/stored-headers.ts'
import { type CacheStatus, markCacheStatus } from '../../../src/cache/cache-headers.ts'

const NOW = 1_700_000_000_000

function served(how: CacheStatus, before: Record<string, string> = {}, key?: string): Record<string, string> {
  const headers = new Headers(before)
  markCacheStatus(headers, how, { now: NOW, ...(key !== undefined && { key }) })
  return Object.fromEntries(headers)
}

test.each<[CacheStatus, string]>([
  [{ word: 'MISS', isStored: false }, 'nexcode; fwd=miss'],
  [{ word: 'MISS', isStored: true }, 'nexcode; fwd=miss; stored'],
  [{ word: 'MISS', why: 'stale', isStored: true }, 'nexcode; fwd=stale; stored'],
  [{ word: 'REFRESH', isStored: true }, 'nexcode; fwd=request; stored'],
  [{ word: 'REFRESH', isStored: false }, 'nexcode; fwd=request'],
  [{ word: 'COALESCED' }, 'nexcode; fwd=miss; collapsed'],
  [{ word: 'BYPASS' }, 'nexcode; fwd=bypass'],
  [{ word: 'BYPASS', detail: 'not-deterministic' }, 'nexcode; fwd=bypass; detail=not-deterministic'],
])('%j is told in both headers, and has no age', (how, status) => {
  expect(served(how)).toEqual({ 'x-nexcode-cache': how.word, 'cache-status': status })
})

test('a hit tells how long the answer is good for yet, and its age, in whole seconds', () => {
  expect(served({ word: 'HIT', storedAt: NOW - 12_900, ttlMs: 60_000 })).toEqual({
    'x-nexcode-cache': 'HIT',
    'cache-status': 'nexcode; hit; ttl=47',
    age: '12',
  })
  // Another node's clock may go before ours.
  expect(served({ word: 'HIT', storedAt: NOW + 5000, ttlMs: 60_000 })['age']).toBe('0')
})

test('our status comes behind that of caches further up, with the key where that is shown', () => {
  const { 'cache-status': status } = served({ word: 'COALESCED' }, { 'cache-status': 'cdn; hit' }, 'ab12')
  expect(status).toBe('cdn; hit, nexcode; fwd=miss; collapsed; key="ab12"')
})

test('the headers that say something of the answer are kept, and those of one exchange are not', () => {
  const kept = {
    'cache-control': 'no-cache',
    'content-encoding': 'gzip',
    'content-length': '12',
    'content-type': 'application/json',
    etag: '"a"',
    'openai-version': '2020-10-01',
    'openai-model': 'gpt-4o',
    vary: 'Origin',
    'x-content-type-options': 'nosniff',
  }
  const dropped = {
    'access-control-allow-origin': 'https://a.example',
    age: '1',
    'alt-svc': 'h3',
    'apim-request-id': 'a',
    'cf-cache-status': 'DYNAMIC',
    'cf-ray': 'a',
    connection: 'keep-alive',
    date: 'Thu, 01 Jan 1970 00:00:00 GMT',
    'openai-processing-ms': '12',
    'server-timing': 'a',
    'set-cookie': '__cf_bm=a',
    'x-client-request-id': 'a',
    'x-envoy-upstream-service-time': '5',
    'x-ms-request-id': 'a',
    'x-nexcode-upstream': 'a',
    'x-ratelimit-remaining-requests': '1',
    'x-request-id': 'req_a',
    'anthropic-ratelimit-requests-limit': '1',
    'x-amzn-requestid': 'a',
    'x-should-retry': 'false',
  }
  expect(storedHeaders(new Headers({ ...kept, ...dropped }))).toEqual(Object.entries(kept).toSorted())
})

test.each<[number, number, boolean, 'stale' | 'request' | undefined]>([
  [0, Number.POSITIVE_INFINITY, true, undefined],
  [59_999, Number.POSITIVE_INFINITY, true, undefined],
  [60_000, Number.POSITIVE_INFINITY, true, 'stale'],
  [10_000, 10_000, true, undefined],
  [10_001, 10_000, true, 'request'],
  [1, 0, true, 'request'],
  [0, Number.POSITIVE_INFINITY, false, 'request'],
  [60_000, 0, false, 'stale'],
])('an answer of %d ms, with a limit of %d ms and mayLook %p: %p', (ageMs, maxAgeMs, mayLook, expected) => {
  expect(whyUnusable({ storedAt: NOW - ageMs, ttlMs: 60_000 }, { mayLook, maxAgeMs }, NOW)).toBe(expected)
})

test('nothing is younger than just made', () => {
  expect(ageOf({ storedAt: NOW + 1000 }, NOW)).toBe(0)
})
