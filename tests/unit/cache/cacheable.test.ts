import { describe, expect, test } from 'bun:test'
import { type CacheRequest, type Judgement, judgeRequest } from '../../../src/cache/cacheable.ts'

const SETTINGS = { requests: 'deterministic', ttlMs: 3_600_000, ttlMaxMs: 86_400_000 } as const

interface Changes extends Partial<Omit<CacheRequest, 'headers'>> {
  readonly headers?: Record<string, string>
}

function judge({ headers = {}, ...changes }: Changes, requests: 'deterministic' | 'all' = 'deterministic'): Judgement {
  const request = { method: 'POST', endpoint: 'chat/completions', body: { temperature: 0 }, ...changes }
  return judgeRequest({ ...request, headers: new Headers(headers) }, { ...SETTINGS, requests })
}

describe('a request for the cache', () => {
  test.each<Changes>([
    { body: { temperature: 0, n: 3, stream: true } },
    { body: { temperature: -0 } },
    { body: { temperature: 1, seed: 7 } },
    { body: { seed: 0, tools: [{ type: 'function' }, { type: 'custom' }], store: false } },
    { endpoint: 'completions', body: { seed: 1 } },
    { endpoint: 'embeddings', body: { input: 'a' } },
    { endpoint: 'moderations', body: { input: 'a' } },
    { endpoint: 'responses', body: { temperature: 0, store: false } },
    { endpoint: 'responses', body: { temperature: 0, store: false, previous_response_id: 'resp_1' } },
    { method: 'GET', endpoint: 'models', body: undefined },
    { method: 'GET', endpoint: 'models/gpt-4o', body: undefined },
    { method: 'GET', endpoint: 'models/meta-llama/Llama-3', body: undefined },
  ])('is deterministic: %j', (request) => {
    expect(judge(request)).toMatchObject({ kind: 'cacheable', why: 'deterministic' })
  })

  test.each<Changes>([
    { body: {} },
    { body: { temperature: 0.1 } },
    { body: { temperature: '0' } },
    { body: { temperature: null, seed: null } },
    { body: { seed: 1, web_search_options: {} } },
    { body: { seed: 1, tools: [{ type: 'function' }, { type: 'web_search' }] } },
    { body: { seed: 1, tools: [null] } },
    { endpoint: 'completions', body: { prompt: 'a' } },
    { endpoint: 'responses', body: { store: false } },
    { endpoint: 'responses', body: { store: false, temperature: 0, tools: [{ type: 'file_search' }] } },
  ])('may sample its answer, and is one only where all are: %j', (request) => {
    expect(judge(request)).toMatchObject({ kind: 'bypass', why: 'not-deterministic' })
    expect(judge(request, 'all')).toMatchObject({ kind: 'cacheable', why: 'all-requests' })
  })
})

describe('a request that is none for the cache, whatever the settings', () => {
  test.each<[Changes, string]>([
    [{ endpoint: 'images/generations' }, 'endpoint'],
    [{ endpoint: 'models/' }, 'endpoint'],
    [{ endpoint: 'modelsx' }, 'endpoint'],
    [{ endpoint: 'chat/completions/' }, 'endpoint'],
    [{ endpoint: 'chat/completions/abc' }, 'endpoint'],
    [{ method: 'GET' }, 'method'],
    [{ method: 'HEAD', endpoint: 'models', body: undefined }, 'method'],
    [{ method: 'DELETE', endpoint: 'models/ft', body: undefined }, 'method'],
    [{ method: 'GET', endpoint: 'models', body: {} }, 'body'],
    [{ body: undefined }, 'body'],
    [{ body: [] }, 'body'],
    [{ headers: { 'if-none-match': '"a"' } }, 'conditional'],
    [{ headers: { range: 'bytes=0-1' } }, 'conditional'],
    [{ body: { temperature: 0, store: true } }, 'kept-upstream'],
    [{ endpoint: 'responses', body: { temperature: 0 } }, 'kept-upstream'],
    [{ endpoint: 'responses', body: { temperature: 0, store: null } }, 'kept-upstream'],
    [{ endpoint: 'responses', body: { temperature: 0, store: false, background: true } }, 'kept-upstream'],
    [{ endpoint: 'responses', body: { temperature: 0, store: false, conversation: 'conv_1' } }, 'kept-upstream'],
    [{ headers: { 'cache-control': 'no-store' } }, 'no-store'],
    [{ headers: { 'cache-control': 'no-cache', 'x-nexcode-cache-ttl': '0' } }, 'no-store'],
  ])('%j: %s', (request, why) => {
    expect(judge(request)).toMatchObject({ kind: 'bypass', why })
    expect(judge(request, 'all')).toMatchObject({ kind: 'bypass', why })
  })
})

describe('what a request says about the cache', () => {
  const controlOf = (headers: Record<string, string>): Judgement['control'] => judge({ headers }).control

  test('is nothing, for most', () => {
    expect(controlOf({})).toEqual({
      mayLook: true,
      mayStore: true,
      maxAgeMs: Number.POSITIVE_INFINITY,
      onlyIfCached: false,
      ttlMs: 3_600_000,
    })
  })

  test.each<[string, Partial<Judgement['control']>]>([
    ['no-store', { mayLook: false, mayStore: false }],
    ['no-cache', { mayLook: false, mayStore: true }],
    ['max-age=30', { mayLook: true, mayStore: true, maxAgeMs: 30_000 }],
    ['max-age=0', { maxAgeMs: 0 }],
    ['max-age=soon', { maxAgeMs: Number.POSITIVE_INFINITY }],
    ['only-if-cached, max-stale', { onlyIfCached: true }],
    ['no-transform, x', { mayLook: true, mayStore: true, onlyIfCached: false }],
  ])('in HTTP’s words: %s', (value, expected) => {
    expect(controlOf({ 'cache-control': value })).toMatchObject(expected)
  })

  test('is told also of a request that is none for the cache', () => {
    const headers = { 'cache-control': 'only-if-cached' }
    expect(judge({ endpoint: 'audio/speech', headers })).toMatchObject({
      kind: 'bypass',
      control: { onlyIfCached: true },
    })
  })

  test.each<[string, number]>([
    ['60', 60_000],
    ['90s', 90_000],
    ['5m', 300_000],
    ['2 h', 7_200_000],
    ['250ms', 250],
    ['48h', 86_400_000],
    ['999999999999999999999', 86_400_000],
    ['', 3_600_000],
    ['-1', 3_600_000],
    ['1.5', 3_600_000],
    ['soon', 3_600_000],
  ])('as its own time to live: %p is %d ms', (value, ttlMs) => {
    expect(controlOf({ 'x-nexcode-cache-ttl': value })).toMatchObject({ ttlMs, mayStore: true })
  })

  test('a time to live of 0 keeps nothing, and still finds what is there', () => {
    expect(judge({ headers: { 'x-nexcode-cache-ttl': '0' } })).toMatchObject({
      kind: 'cacheable',
      control: { mayLook: true, mayStore: false, ttlMs: 0 },
    })
  })
})
