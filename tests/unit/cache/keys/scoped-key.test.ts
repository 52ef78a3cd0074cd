import { beforeEach, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { createScopedKeys } from '../../../../src/cache/keys/scoped-key.ts'
import { Secret } from '../../../../src/config/secret.ts'
import type { Principal } from '../../../../src/exchange/principal.ts'
import { sha256 } from '../../../../src/process/sha256.ts'
import type { PreparedRequest } from '../../../../src/requests/prepared-request.ts'

const TOKEN: Principal = { kind: 'token', id: 'token-0a1b2c3d', token: new Secret('nx-a-token-0123456789') }
const BODY = '{"model":"m","input":"a","seed":9007199254740993}'

interface Asked {
  readonly principal: Principal
  readonly headers: Readonly<Record<string, string>>
  readonly method: string
  readonly target: string
  readonly upstream: string
  readonly scope: 'principal' | 'shared'
  readonly body: string
}

const ASKED: Asked = {
  principal: TOKEN,
  headers: {},
  method: 'POST',
  target: '/v1/embeddings',
  upstream: 'one',
  scope: 'principal',
  body: BODY,
}

let digests = 0
let nameOf: ReturnType<typeof createScopedKeys>

beforeEach(() => {
  digests = 0
  nameOf = createScopedKeys((bytes) => {
    digests += 1
    return sha256(bytes)
  })
})

/** A route to some upstreams, as far as a name depends on it. */
function routeTo(...upstreams: readonly string[]) {
  const deployments = upstreams.map((one) => ({
    upstream: { name: one, baseUrl: `http://${one}/v1` },
    model: undefined,
  }))
  return { model: undefined, deployments }
}

/** Names a request; only what a name depends on is there. */
function name(
  changes: Partial<Asked> = {},
  names = nameOf,
  route: object = routeTo(changes.upstream ?? ASKED.upstream),
) {
  const { principal, headers, method, target, scope, body } = { ...ASKED, ...changes }
  const request = new Request('http://localhost/', { method, headers })
  const parts = { exchange: { request, requestTarget: target, principal }, route, settings: { cache: { scope } } }
  const named = names(parts as unknown as PreparedRequest, new TextEncoder().encode(body))
  if (named instanceof Promise) throw new Error('A short body is named at once.')
  return named
}

describe('a request that comes again byte for byte', () => {
  test('has the same name, for one digest', () => {
    const first = name()
    const before = digests
    expect(name()).toEqual(first)
    expect(digests - before).toBe(1)
  })

  test('has the name that it has where it is not known', () => {
    name()
    expect(name()).toEqual(name({}, createScopedKeys(sha256)))
  })
})

test('the same body in another order of its members has the same key', () => {
  expect(name({ body: '{ "seed": 9007199254740993, "input": "a", "model": "m" }' }).key).toBe(name().key)
})

test.each<[string, Partial<Asked>]>([
  ['another token without a name', { principal: { ...TOKEN, token: new Secret('nx-b-token-0123456789') } }],
  ['another name', { principal: { ...TOKEN, id: 'bob' } }],
  [
    'another kind of caller',
    { principal: { kind: 'caller', id: 'caller-1' }, headers: { authorization: 'Bearer nx-a-token-0123456789' } },
  ],
  ['the scope of all', { scope: 'shared' }],
  ['a seed past 2^53 that differs by one', { body: BODY.replace('993', '992') }],
  ['another method', { method: 'PUT' }],
  ['another path', { target: '/v1/moderations' }],
  ['a query', { target: '/v1/embeddings?a=1' }],
  ['another upstream', { upstream: 'two' }],
  ['a key of its own', { headers: { 'x-nexcode-cache-key': 'mine' } }],
])('%s has another key, whichever came first', (_, changes) => {
  expect(name(changes).key).not.toBe(name().key)
  expect(name().key).not.toBe(name(changes).key)
})

test('a route that leads to some of the upstreams of another has another key, also where it was made of that one', () => {
  const both = routeTo('one', 'two')
  const before = name({}, nameOf, both)
  const [only] = both.deployments
  expect(name({}, nameOf, { ...both, deployments: [only] }).key).not.toBe(before.key)
  expect(name({}, nameOf, { ...both, deployments: [only] }).key).toBe(name({}, nameOf, routeTo('one')).key)
  expect(name({}, nameOf, both)).toEqual(before)
})

test('two callers never have a scope or a key in common, known or not', () => {
  const keys = fc.string({ minLength: 1, maxLength: 40 }).filter((key) => !/[^\x21-\x7e]/.test(key))
  fc.assert(
    fc.property(keys, keys, fc.jsonValue(), (one, other, value) => {
      fc.pre(one !== other)
      const ask = (key: string) =>
        name({
          principal: { kind: 'caller', id: 'caller-1' },
          headers: { authorization: `Bearer ${key}` },
          body: JSON.stringify(value),
        })
      const [first, second] = [ask(one), ask(other)]
      expect(first.key).not.toBe(second.key)
      expect(first.scope).not.toBe(second.scope)
      expect(ask(one)).toEqual(first)
      expect(ask(other)).toEqual(second)
    }),
    { numRuns: 1000 },
  )
})
