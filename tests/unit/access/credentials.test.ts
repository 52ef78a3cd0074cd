import { describe, expect, test } from 'bun:test'
import {
  applyCredentials,
  setOwnCredentials,
  spendsOwnKey,
  type UpstreamAccount,
  withoutToken,
} from '../../../src/access/credentials.ts'
import { Secret } from '../../../src/config/secret.ts'
import type { Principal } from '../../../src/exchange/principal.ts'
import { NO_LIMITS } from '../../../src/ledger/first-records.ts'
import { ApiError } from '../../../src/openai/api-error.ts'
import { pairsOf } from '../../helpers/secrets.ts'

const TOKEN = 'alices-token-0123456789'
const KEY = new Secret('sk-of-the-server')
const PRINCIPALS = {
  token: { kind: 'token', id: 'alice', token: new Secret(TOKEN) },
  key: {
    kind: 'key',
    id: 'key_1',
    token: new Secret(TOKEN),
    entry: { id: 'key_1', kind: 'key', expiresAt: 0, limits: NO_LIMITS, project: undefined, organization: undefined },
  },
  caller: { kind: 'caller', id: 'caller-1' },
  local: { kind: 'local' },
} as const satisfies Record<Principal['kind'], Principal>
const AUTHS = ['server', 'caller', 'none', 'either'] as const

type Headers_ = Readonly<Record<string, string>>

const accountOf = (auth: UpstreamAccount['auth'], more: Partial<UpstreamAccount> = {}): UpstreamAccount => ({
  auth,
  keyHeader: 'authorization',
  anthropicKeyHeader: 'authorization',
  headers: [],
  ...more,
})

/** The headers that the upstream sees, and the key that the call spends. */
function applied(
  principal: Principal,
  account: UpstreamAccount,
  headers: Headers_ = {},
  { hasKey = true, mayBorrow = false } = {},
) {
  const sent = new Headers(headers)
  const spent = applyCredentials(sent, principal, account, hasKey ? KEY : undefined, () => mayBorrow)
  return { sent: Object.fromEntries(sent), spent: spent?.reveal() }
}

const BROUGHT = { authorization: 'Bearer brought', 'x-kept': '1' }
const SERVERS = { authorization: 'Bearer sk-of-the-server' }

describe('whose key is spent', () => {
  const cases: readonly (readonly [Principal['kind'], UpstreamAccount['auth'], Headers_, string | undefined])[] = [
    ['token', 'server', SERVERS, 'sk-of-the-server'],
    ['token', 'either', SERVERS, 'sk-of-the-server'],
    ['token', 'none', {}, undefined],
    ['token', 'caller', {}, undefined],
    ['key', 'server', SERVERS, 'sk-of-the-server'],
    ['key', 'either', SERVERS, 'sk-of-the-server'],
    ['key', 'none', {}, undefined],
    ['key', 'caller', {}, undefined],
    ['caller', 'caller', { authorization: 'Bearer brought' }, undefined],
    ['caller', 'either', { authorization: 'Bearer brought' }, undefined],
    ['caller', 'none', {}, undefined],
    ['local', 'server', SERVERS, 'sk-of-the-server'],
    ['local', 'either', SERVERS, 'sk-of-the-server'],
    ['local', 'none', {}, undefined],
  ]

  test.each(cases)('a %s before an upstream with auth: %s', (kind, auth, expected, spent) => {
    expect(applied(PRINCIPALS[kind], accountOf(auth), BROUGHT)).toEqual({ sent: { ...expected, 'x-kept': '1' }, spent })
  })

  test('spendsOwnKey says so in advance: only callers, and only where their key may be spent', () => {
    const own = Object.values(PRINCIPALS).flatMap((principal) =>
      AUTHS.filter((auth) => spendsOwnKey(principal, { auth })).map((auth) => `${principal.kind} ${auth}`),
    )
    expect(own).toEqual(['caller caller', 'caller either'])
  })

  test('a caller with a key of its own is refused where the upstream wants the server’s', () => {
    const refused = () => applied(PRINCIPALS.caller, accountOf('server'), BROUGHT)
    expect(refused).toThrow(ApiError)
    expect(refused).toThrow('for callers who present one of this server')
  })

  test('unless it is a program of this machine, whose key stays here then', () => {
    const { sent, spent } = applied(PRINCIPALS.caller, accountOf('server'), BROUGHT, { mayBorrow: true })
    expect({ sent, spent }).toEqual({ sent: { ...SERVERS, 'x-kept': '1' }, spent: 'sk-of-the-server' })
  })

  test('whether a caller may borrow is asked only where it matters', () => {
    const never = (): boolean => {
      throw new Error('It was asked.')
    }
    for (const auth of ['caller', 'none', 'either'] as const) {
      applyCredentials(new Headers(BROUGHT), PRINCIPALS.caller, accountOf(auth), KEY, never)
    }
    applyCredentials(new Headers(BROUGHT), PRINCIPALS.local, accountOf('server'), KEY, never)
  })

  test('where the server has no key, nothing is put in and nothing spent', () => {
    for (const kind of ['token', 'local'] as const) {
      expect(applied(PRINCIPALS[kind], accountOf('server'), BROUGHT, { hasKey: false })).toEqual({
        sent: { 'x-kept': '1' },
        spent: undefined,
      })
    }
  })
})

describe('what the upstream sees beside the key', () => {
  const others = pairsOf({ 'openai-organization': 'org-1', 'x-team': 'red' })

  test('the headers of the account go with the server’s key', () => {
    const { sent } = applied(PRINCIPALS.token, accountOf('server', { headers: others }), { 'x-team': 'blue' })
    expect(sent).toEqual({ ...SERVERS, 'openai-organization': 'org-1', 'x-team': 'red' })
  })

  test('they go with the caller’s own key where the upstream takes no other, and not where either may be spent', () => {
    const own = { authorization: 'Bearer brought' }
    expect(applied(PRINCIPALS.caller, accountOf('caller', { headers: others }), own).sent).toEqual({
      ...own,
      'openai-organization': 'org-1',
      'x-team': 'red',
    })
    expect(applied(PRINCIPALS.caller, accountOf('either', { headers: others }), own).sent).toEqual(own)
  })

  test('a key goes alone in any header but authorization', () => {
    const { sent } = applied(PRINCIPALS.token, accountOf('server', { keyHeader: 'api-key' }), BROUGHT)
    expect(sent).toEqual({ 'api-key': 'sk-of-the-server', 'x-kept': '1' })
    const headers = new Headers()
    setOwnCredentials(headers, { keyHeader: 'authorization', headers: others }, new Secret('k'))
    expect(Object.fromEntries(headers)).toMatchObject({ authorization: 'Bearer k', 'x-team': 'red' })
  })

  test('a session does not go where another key is spent, and does where the caller’s own is', () => {
    const session = { cookie: 'session=1' }
    for (const auth of ['server', 'none'] as const) {
      expect(applied(PRINCIPALS.local, accountOf(auth), session).sent).not.toHaveProperty('cookie')
    }
    expect(applied(PRINCIPALS.caller, accountOf('caller'), { ...BROUGHT, ...session }).sent).toMatchObject(session)
  })
})

describe('a token of ours', () => {
  test.each(AUTHS)('never reaches an upstream with auth: %s, whichever header holds it', (auth) => {
    const { sent } = applied(PRINCIPALS.token, accountOf(auth), {
      authorization: `Bearer ${TOKEN}`,
      'x-api-key': TOKEN,
      cookie: `a=b; t=${TOKEN}`,
      'x-my-own': `before ${TOKEN} behind`,
      referer: `http://localhost/?t=${TOKEN}`,
      'sec-websocket-protocol': `realtime, openai-insecure-api-key.${TOKEN}`,
      'x-kept': 'alices-token',
    })
    expect(JSON.stringify(sent)).not.toContain(TOKEN)
    expect(sent).toMatchObject({ 'x-kept': 'alices-token', 'sec-websocket-protocol': 'realtime' })
    expect(sent).not.toHaveProperty('x-my-own')
  })

  test.each([
    ['/v1/models', '/v1/models'],
    [`/v1/models?key=${TOKEN}`, '/v1/models'],
    [`/v1/models?a=1&key=${TOKEN}&b=%20`, '/v1/models?a=1&b=%20'],
    [`/v1/models?a=1&${TOKEN}`, '/v1/models?a=1'],
    [`/v1/models?a=%61lices-token-0123456789&b=2`, '/v1/models?b=2'],
    [`/v1/models?a=1?b&c=${TOKEN}`, '/v1/models?a=1?b'],
    ['/v1/models?', '/v1/models?'],
    ['/v1/models?key=alices-token', '/v1/models?key=alices-token'],
  ])('is taken out of the query of %s, and no other byte changes', (target, expected) => {
    expect(withoutToken(target, PRINCIPALS.token)).toBe(expected)
  })

  test.each([`/v1/${TOKEN}`, `/v1/${TOKEN}?a=1`, `/v1/%61lices%2Dtoken-0123456789/x`])(
    'in the path %s is an invalid target: nothing else could be meant',
    (target) => {
      expect(() => withoutToken(target, PRINCIPALS.token)).toThrow(ApiError)
    },
  )

  test('is looked for only where the principal holds one', () => {
    const target = `/v1/${TOKEN}?key=${TOKEN}`
    expect([withoutToken(target, PRINCIPALS.caller), withoutToken(target, PRINCIPALS.local)]).toEqual([target, target])
  })
})
