import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { cacheKey, type KeyParts } from '../../../../src/cache/keys/cache-key.ts'
import type { Scope } from '../../../../src/cache/keys/scope.ts'
import { Secret } from '../../../../src/config/secret.ts'
import { bytesOf } from '../../formats/json/json-texts.ts'
import { scopeFor, sha256 } from '../scopes.ts'

const PAIRS = { numRuns: 10_000 }

const REQUEST: Omit<KeyParts, 'scope' | 'body'> = {
  upstream: 'openai',
  method: 'POST',
  path: '/v1/chat/completions',
  query: '',
}

const key = (scope: Scope, body: string): string => cacheKey({ ...REQUEST, scope, body: bytesOf(body) }, sha256)
const SCOPE = scopeFor({ kind: 'local' })

/** Anybody: few secrets, ids and headers, so that two who are alike come up often. */
const WORD = fc.oneof(
  fc.constantFrom('a', 'b', '', 'token-1', 'shared', 'local', '1:a', '-'),
  fc.string({ maxLength: 4 }),
)
const HEADER_VALUE = WORD.map((word) => word.replace(/[^\x21-\x7e]/g, ''))
/** What a token may be called, and what it is called without a name. */
const NAME = fc.oneof(
  fc.constantFrom('alice', 'caller-1', 'token-1', 'shared-', 'local-'),
  fc.stringMatching(/^[A-Z]{1,3}$/),
)
const DIGEST = fc.constantFrom('token-0a1b2c3d', 'token-0a1b2c3e')
const ANYBODY = fc.oneof(
  fc.record({ kind: fc.constant('token' as const), id: NAME, secret: WORD }).map(({ secret, ...principal }) => ({
    identity: ['token', principal.id],
    scope: scopeFor({ ...principal, token: new Secret(secret) }),
  })),
  fc.record({ kind: fc.constant('token' as const), id: DIGEST, secret: WORD }).map(({ secret, ...principal }) => ({
    identity: ['token', principal.id, secret],
    scope: scopeFor({ ...principal, token: new Secret(secret) }),
  })),
  fc.tuple(HEADER_VALUE, HEADER_VALUE, HEADER_VALUE).map((keys) => ({
    identity: ['caller', ...keys],
    scope: scopeFor(
      { kind: 'caller', id: 'caller-1' },
      { authorization: keys[0], 'api-key': keys[1], cookie: keys[2] },
    ),
  })),
  HEADER_VALUE.map((cookie) => ({ identity: ['local', cookie], scope: scopeFor({ kind: 'local' }, { cookie }) })),
)

const NUMBER_TEXT = fc.oneof(
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 70n }).map(String),
  fc.integer().map(String),
  fc.constantFrom('0', '0.0', '1', '1.0', '1e0', '-0'),
)
const VALUE_TEXT: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    NUMBER_TEXT,
    fc.string().map((text) => JSON.stringify(text)),
    fc.constantFrom('true', 'false', 'null', '{}', '[]', '""'),
    fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join()}]`),
    fc
      .dictionary(fc.string({ maxLength: 3 }), tie('value'), { maxKeys: 3 })
      .map((object) => `{${Object.entries(object).map(([name, text]) => `${JSON.stringify(name)}:${text}`)}}`),
  ),
})).value
/** The members of a body, each name once. */
const MEMBERS = fc.uniqueArray(
  fc.tuple(fc.constantFrom('model', 'seed', 'user', 'n', 'temperature', 'x'), VALUE_TEXT),
  {
    selector: ([name]) => name,
    minLength: 1,
    maxLength: 6,
  },
)

const bodyOf = (members: readonly (readonly [string, string])[], space = ''): string =>
  `{${members.map(([name, text]) => `${space}${JSON.stringify(name)}${space}:${space}${text}`).join(`${space},`)}}`

test('two who are not the same never share a key, and one always does with itself: 10,000 pairs', () => {
  fc.assert(
    fc.property(ANYBODY, ANYBODY, MEMBERS, (one, other, members) => {
      const isSame = JSON.stringify(one.identity) === JSON.stringify(other.identity)
      expect(key(one.scope, bodyOf(members)) === key(other.scope, bodyOf(members))).toBe(isSame)
    }),
    PAIRS,
  )
})

test('the same body in another order of names and with other white space has the same key: 10,000 pairs', () => {
  const shuffled = MEMBERS.chain((members) =>
    fc.tuple(
      fc.constant(members),
      fc.shuffledSubarray(members, { minLength: members.length }),
      fc.constantFrom('', ' ', '\n\t'),
    ),
  )
  fc.assert(
    fc.property(shuffled, ([members, others, space]) => {
      expect(key(SCOPE, bodyOf(others, space))).toBe(key(SCOPE, bodyOf(members)))
    }),
    PAIRS,
  )
})

test('a parameter that is changed, added or taken out is another key: 10,000 pairs', () => {
  fc.assert(
    fc.property(
      MEMBERS,
      fc.nat(),
      VALUE_TEXT,
      fc.constantFrom('change', 'add', 'remove'),
      (members, place, text, what) => {
        const index = place % members.length
        const [name, before] = members[index] as (typeof members)[number]
        fc.pre(what !== 'change' || text !== before)
        const changed =
          what === 'change'
            ? members.with(index, [name, text])
            : what === 'add'
              ? [...members, ['added', text] as const]
              : members.toSpliced(index, 1)
        expect(key(SCOPE, bodyOf(changed))).not.toBe(key(SCOPE, bodyOf(members)))
      },
    ),
    PAIRS,
  )
})

test('two seeds past 2^53 that differ by one are two keys', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 2n ** 53n, max: 2n ** 80n }), (seed) => {
      expect(key(SCOPE, `{"seed":${seed}}`)).not.toBe(key(SCOPE, `{"seed":${seed + 1n}}`))
    }),
  )
})

test('no two lists of parts come to one key', () => {
  const parts = fc.record({
    upstream: WORD,
    method: WORD,
    path: WORD,
    query: WORD,
    extra: fc.option(WORD, { nil: undefined }),
    body: fc.oneof(WORD, fc.constantFrom('{}', '{ }', 'text:', 'bytes:')),
  })
  type Parts = typeof parts extends fc.Arbitrary<infer T> ? T : never
  const keyOf = ({ extra, body, ...rest }: Parts): string =>
    cacheKey({ ...rest, scope: SCOPE, body: bytesOf(body), ...(extra !== undefined && { extra }) }, sha256)
  fc.assert(
    fc.property(parts, parts, (one, other) => {
      const plain = (list: typeof one): string =>
        JSON.stringify({ ...list, body: list.body === '{ }' ? '{}' : list.body.trim() })
      fc.pre(plain(one) !== plain(other))
      expect(keyOf(one)).not.toBe(keyOf(other))
    }),
    PAIRS,
  )
})
