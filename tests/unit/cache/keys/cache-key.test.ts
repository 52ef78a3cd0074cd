import { describe, expect, test } from 'bun:test'
import {
  cacheKey,
  cacheKeyInSteps,
  isCoveredByKey,
  type KeyParts,
  variantOf,
} from '../../../../src/cache/keys/cache-key.ts'
import type { Scope } from '../../../../src/cache/keys/scope.ts'
import { inSlices } from '../../../../src/timing/slices.ts'
import { bytesOf } from '../../formats/json/json-texts.ts'
import { sha256, tokenScope } from '../scopes.ts'

const PARTS: KeyParts = {
  scope: tokenScope('a-token-of-more-than-16-characters'),
  upstream: 'openai',
  method: 'POST',
  path: '/v1/chat/completions',
  query: '',
  body: bytesOf('{"model":"m","temperature":0}'),
}

const keyOf = (changes: Partial<KeyParts> = {}): string => cacheKey({ ...PARTS, ...changes }, sha256)

test('a key is 64 hex digits, and the same for the same request', () => {
  expect(keyOf()).toMatch(/^[0-9a-f]{64}$/)
  expect(keyOf()).toBe(keyOf())
})

test("order of names and white space in the body don't matter", () => {
  expect(keyOf({ body: bytesOf('{ "temperature": 0,\n "model": "m" }') })).toBe(keyOf())
})

test.each<Partial<KeyParts>>([
  { scope: tokenScope('another-token') },
  { upstream: 'azure' },
  { method: 'GET' },
  { path: '/v1/completions' },
  { query: 'a=1' },
  { body: bytesOf('{"model":"m","temperature":0.0}') },
  { body: bytesOf('{"model":"m","temperature":0,"temperature":0}') },
  { body: new Uint8Array() },
  { extra: '' },
  { extra: 'x' },
])('another part is another key: %p', (changes) => {
  expect(keyOf(changes)).not.toBe(keyOf())
})

test('no text can move from one part to the next', () => {
  expect(keyOf({ path: '/v1/a', query: 'b' })).not.toBe(keyOf({ path: '/v1/ab', query: '' }))
  expect(keyOf({ upstream: '6:openai', method: 'P' })).not.toBe(keyOf({ upstream: '6', method: ':openaiP' }))
  expect(keyOf({ query: '', extra: '1:x' })).not.toBe(keyOf({ query: '1:x', extra: '' }))
})

test('a body that is no JSON has a key by its bytes', () => {
  const broken = new Uint8Array([0x22, 0xff, 0x22])
  expect(keyOf({ body: broken })).toBe(keyOf({ body: broken.slice() }))
  expect(keyOf({ body: broken })).not.toBe(keyOf({ body: new Uint8Array([0x22, 0xfe, 0x22]) }))
  expect(keyOf({ body: bytesOf('not json') })).not.toBe(keyOf({ body: bytesOf('not  json') }))
})

test('a key without a scope, or with a text for one, does not type-check', () => {
  const { scope: _scope, ...rest } = PARTS
  // @ts-expect-error: the scope is required.
  const withoutScope: KeyParts = rest
  // @ts-expect-error: only `scopeOf` makes a scope.
  const madeUp: KeyParts = { ...PARTS, scope: 'shared' }
  // @ts-expect-error: a scope that may be absent is none.
  const maybe: KeyParts = { ...PARTS, scope: undefined as Scope | undefined }
  expect([withoutScope, madeUp, maybe]).toHaveLength(3)
})

test('the headers that choose an account or a form of the answer are a part of the key, and no others', () => {
  const of = (headers: Record<string, string>): string => variantOf(new Headers(headers))
  const variants = [
    of({}),
    of({ 'openai-organization': 'a' }),
    of({ 'openai-project': 'a' }),
    of({ 'openai-beta': 'a' }),
    of({ 'accept-encoding': 'gzip' }),
    of({ accept: 'a' }),
    of({ 'accept-language': 'a' }),
    of({ 'x-nexcode-cache-key': 'a' }),
    of({ 'x-nexcode-cache-key': '' }),
    of({ 'openai-organization': 'a', 'openai-project': 'b' }),
    of({ 'openai-organization': 'a,1:b' }),
  ]
  expect(new Set(variants).size).toBe(variants.length)
  expect(of({ 'user-agent': 'a', 'x-stainless-retry-count': '1', traceparent: 'b' })).toBe(of({}))
})

test.each<[string | null, boolean]>([
  [null, true],
  ['', true],
  ['Origin, Accept-Encoding', true],
  ['accept-encoding,authorization', true],
  ['*', false],
  ['User-Agent', false],
  ['Origin, X-Tenant', false],
])('what an answer varies by is in the key: %p is %p', (vary, isCovered) => {
  expect(isCoveredByKey(vary)).toBe(isCovered)
})

test('a charset other than UTF-8 makes another request of the same bytes', () => {
  const of = (type: string): string => variantOf(new Headers({ 'content-type': type }))
  const usual = variantOf(new Headers())
  for (const type of ['application/json', 'text/plain;charset=utf-8', 'application/json; charset="UTF8"']) {
    expect(of(type)).toBe(usual)
  }
  const others = [
    'application/json; charset=utf-16',
    'application/json; charset=utf-7',
    'a/b; charset=utf-8; charset=utf-7',
  ]
  expect(new Set([usual, ...others.map(of)]).size).toBe(others.length + 1)
})

describe('the key of a long body', () => {
  const LONG = 'é😀"\\n'.replaceAll('"', '\\"').repeat(60_000)
  const longKey = async (text: string): Promise<string> =>
    inSlices(cacheKeyInSteps({ ...PARTS, body: bytesOf(text) }, sha256))

  test('is that of all that say the same, and of no other', async () => {
    const key = await longKey(`{"a":"${LONG}","b":[1, 2]}`)
    expect(key).toMatch(/^[0-9a-f]{64}$/)
    expect(await longKey(` {"b":[1,2],\n"a":"${LONG}"}`)).toBe(key)
    expect(await longKey(`{"a":"${LONG}","b":[1, 3]}`)).not.toBe(key)
    expect(await longKey(`{"a":"${LONG.slice(0, -2)}x","b":[1, 2]}`)).not.toBe(key)
    expect(await longKey(`{"b":[1,2],"a":"x","a":"${LONG}"}`)).not.toBe(key)
  })

  test('a short one has the key that it has without slices', async () => {
    expect(await longKey('{"a": 1}')).toBe(keyOf({ body: bytesOf('{"a":1}') }))
  })

  test('characters of two halves count wherever the text is cut', async () => {
    const at = (lead: number, face: string): string => `["${'a'.repeat(lead)}${face.repeat(200_000)}"]`
    for (const lead of [0, 1, 2, 3]) expect(await longKey(at(lead, '😀'))).not.toBe(await longKey(at(lead, '😁')))
  })

  test('of one beyond what is read, or of very many members, the bytes count', async () => {
    const huge = `["${'a'.repeat(5_000_000)}"]`
    expect(await longKey(huge)).toBe(await longKey(huge))
    expect(await longKey(huge)).not.toBe(await longKey(`${huge} `))
    const members = Array.from({ length: 20_000 }, (_, at) => `"${at}":0`)
    expect(await longKey(`{${members.join()}}`)).not.toBe(await longKey(`{${members.toReversed().join()}}`))
  })
})
