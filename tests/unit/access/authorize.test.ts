import { describe, expect, test } from 'bun:test'
import { type AuthorizeDeps, createAuthorize } from '../../../src/access/authorize.ts'
import { Secret } from '../../../src/config/secret.ts'
import { principalName } from '../../../src/exchange/principal.ts'
import { ApiError } from '../../../src/openai/api-error.ts'
import { sha256 } from '../../../src/process/sha256.ts'
import { opened } from '../../helpers/secrets.ts'

const ALICE = { name: 'alice', token: new Secret('alices-token-0123456789') }
const UNNAMED = { name: undefined, token: new Secret('another-token-9876543210') }
const DEPS: AuthorizeDeps = { required: false, tokens: [], lendsToLocal: false, corsOrigins: [], sha256 }

type Headers_ = Readonly<Record<string, string>>

/** The principal of a request with these headers, or the error that it is refused with. */
function principalOf(headers: Headers_, deps: Partial<AuthorizeDeps> = {}) {
  const authorize = createAuthorize({ ...DEPS, ...deps })
  return authorize({
    received: new Headers({ host: 'localhost', ...headers }),
    isHttp10: false,
    requestTarget: '/v1/models',
  })
}

function refusalOf(headers: Headers_, deps: Partial<AuthorizeDeps> = {}): ApiError {
  try {
    principalOf(headers, deps)
  } catch (refusal) {
    if (refusal instanceof ApiError) return refusal
    throw refusal
  }
  throw new Error('It was let in.')
}

const bearer = (key: string): Headers_ => ({ authorization: `Bearer ${key}` })

describe('with REQUIRE_AUTH', () => {
  const required = { required: true, tokens: [ALICE, UNNAMED] }

  test('the holder of a token goes by its name, or by a short digest of it', () => {
    const alice = principalOf(bearer('alices-token-0123456789'), required)
    expect(opened(alice)).toEqual({ kind: 'token', id: 'alice', token: 'alices-token-0123456789' })
    const other = principalOf(bearer('another-token-9876543210'), required)
    expect([principalName(alice), principalName(other)]).toEqual([
      'alice',
      expect.stringMatching(/^token-[0-9a-f]{8}$/),
    ])
  })

  test('the principal holds the configured token and not the text that came', () => {
    const alice = principalOf(bearer('alices-token-0123456789'), required)
    expect(alice.kind === 'token' && alice.token).toBe(ALICE.token)
  })

  test('a program of this machine needs a token as well, although the key is lent to such elsewhere', () => {
    expect(refusalOf({}, { ...required, lendsToLocal: true }).kind).toBe('missing_api_key')
    expect(refusalOf({}, { ...required, isFree: true }).kind).toBe('missing_api_key')
  })

  test('where there is no token, nobody comes in', () => {
    expect(refusalOf(bearer('anything'), { required: true }).kind).toBe('incorrect_api_key')
    expect(refusalOf({}, { required: true }).kind).toBe('missing_api_key')
  })

  test('every token is compared, by digests of one length, wherever the right one stands', () => {
    const digested: string[] = []
    const counting = (text: string): Uint8Array => {
      digested.push(text)
      return sha256(text)
    }
    const authorize = createAuthorize({ ...DEPS, ...required, sha256: counting })
    digested.length = 0
    authorize({
      received: new Headers(bearer('alices-token-0123456789')),
      isHttp10: false,
      requestTarget: '/v1/models',
    })
    // The tokens were digested at the start: a call digests only what came with it.
    expect(digested).toEqual(['alices-token-0123456789'])
  })

  test('digests that differ in a single byte, or in length, are different tokens', () => {
    const digests: Record<string, readonly number[]> = { right: [1, 2, 3, 4], near: [1, 2, 3, 5], short: [1, 2, 3] }
    const fake = (text: string) => Uint8Array.from(digests[text] ?? [0])
    const deps = { required: true, tokens: [{ name: 'one', token: new Secret('right') }], sha256: fake }
    expect(principalOf(bearer('right'), deps)).toMatchObject({ id: 'one' })
    for (const wrong of ['near', 'short', 'other'])
      expect(refusalOf(bearer(wrong), deps).kind).toBe('incorrect_api_key')
  })

  test.each([
    ['sk-wrong-AbCdEfGhIjKlMnOpQrStUv', 'sk-********StUv'],
    ['sixteen-letters!', 'six********ers!'],
    ['fifteen-letters', '********'],
    ['x', '********'],
  ])('the refusal of %s shows %s, never the middle of it', (key, shown) => {
    const { message } = refusalOf(bearer(key), required)
    expect(message).toStartWith(`Incorrect API key provided: ${shown}. This server takes API tokens of its own`)
  })
})

describe('without REQUIRE_AUTH', () => {
  test('whoever brings a key is known by a digest of it, the same each time', () => {
    const authorize = createAuthorize(DEPS)
    const call = (key: string) =>
      authorize({ received: new Headers(bearer(key)), isHttp10: false, requestTarget: '/v1/models' })
    const first = call('sk-mine')
    expect(first).toEqual({ kind: 'caller', id: expect.stringMatching(/^caller-[0-9a-f]{8}$/) })
    expect(JSON.stringify(first)).not.toContain('sk-mine')
    expect(call('sk-mine')).toBe(first)
    expect(call('sk-other')).not.toEqual(first)
  })

  test('a key is digested once, however often it comes, and callers without end are forgotten', () => {
    let digests = 0
    const counting = (text: string): Uint8Array => {
      digests += 1
      return sha256(text)
    }
    const authorize = createAuthorize({ ...DEPS, sha256: counting })
    const call = (key: string) =>
      authorize({ received: new Headers(bearer(key)), isHttp10: false, requestTarget: '/v1/models' })
    const first = call('sk-0')
    for (let n = 0; n < 10; n += 1) call('sk-0')
    expect(digests).toBe(1)
    for (let n = 1; n <= 1024; n += 1) call(`sk-${n}`)
    expect(digests).toBe(1025)
    // It was forgotten, and has the same name again.
    expect(call('sk-0')).toEqual(first)
    expect(digests).toBe(1026)
  })

  test('tokens mean nothing then: one is a key like any other, which goes upstream', () => {
    expect(principalOf(bearer('alices-token-0123456789'), { tokens: [ALICE] }).kind).toBe('caller')
  })

  test('who brings nothing is lent the key only from this machine, and where it is lent at all', () => {
    const lending = { lendsToLocal: true }
    expect(principalOf({}, lending)).toEqual({ kind: 'local' })
    expect(principalName(principalOf({}, lending))).toBe('local')
    expect(refusalOf({}, {}).kind).toBe('missing_api_key')
    expect(refusalOf({ 'x-forwarded-for': '1.2.3.4' }, lending).kind).toBe('missing_api_key')
    expect(refusalOf({ origin: 'https://a.example' }, lending).kind).toBe('missing_api_key')
    expect(principalOf({ origin: 'https://a.example' }, { ...lending, corsOrigins: ['https://a.example'] })).toEqual({
      kind: 'local',
    })
  })

  test('where only cassettes answer nobody needs a key, wherever they call from', () => {
    expect(principalOf({ 'x-forwarded-for': '1.2.3.4' }, { isFree: true })).toEqual({ kind: 'local' })
    expect(principalOf(bearer('sk-mine'), { isFree: true }).kind).toBe('caller')
  })

  test('who is refused is sent to OpenAI for a key, and not to the operator for a token', () => {
    expect(refusalOf({}).message).not.toContain('operator')
    expect(refusalOf({}, { required: true, tokens: [ALICE] }).message).toContain('Ask its operator for one.')
  })
})
