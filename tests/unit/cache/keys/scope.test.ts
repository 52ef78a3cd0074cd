import { expect, test } from 'bun:test'
import type { Scope } from '../../../../src/cache/keys/scope.ts'
import { Secret } from '../../../../src/config/secret.ts'
import { NO_LIMITS } from '../../../../src/ledger/first-records.ts'
import { scopeFor, tokenScope } from '../scopes.ts'

test('a token has the scope of its name, so that a new token of the same holder finds what the old one got', () => {
  expect(tokenScope('the-old-secret', 'alice')).toBe('alice' as Scope)
  expect(tokenScope('the-new-secret', 'alice')).toBe('alice' as Scope)
  expect(tokenScope('the-old-secret', 'bob')).not.toBe('alice' as Scope)
})

test('a token without a name has a scope of its own, by its id and its whole digest', () => {
  expect(tokenScope('secret-of-the-first')).toMatch(/^token-0a1b2c3d-[0-9a-f]{64}$/)
  expect(tokenScope('secret-of-the-first')).toBe(tokenScope('secret-of-the-first'))
  expect(tokenScope('secret-of-the-first')).not.toBe(tokenScope('secret-of-another'))
})

test("a token's scope does not depend on what else it brings", () => {
  const principal = { kind: 'token', id: 'alice', token: new Secret('s') } as const
  expect(scopeFor(principal, { authorization: 'Bearer s' })).toBe(scopeFor(principal, { 'x-api-key': 's' }))
})

test('a key of the ledger has the scope of its id, so that it finds the same answers when it has been rotated', () => {
  const entry = { kind: 'key', expiresAt: 0, limits: NO_LIMITS, project: undefined, organization: undefined } as const
  const holder = (id: string, secret: string): Scope =>
    scopeFor(
      { kind: 'key', id, token: new Secret(secret), entry: { id, ...entry } },
      { authorization: `Bearer ${secret}` },
    )
  expect(holder('key_1', 'sk-nex-old')).toBe(holder('key_1', 'sk-nex-new'))
  expect(holder('key_1', 'sk-nex-old')).not.toBe(holder('key_2', 'sk-nex-old'))
  // No token can have such a name.
  expect(holder('key_1', 'sk-nex-old')).toBe('key:key_1' as Scope)
})

test('a caller has the scope of all keys that it brings: a placeholder in common is not enough', () => {
  const caller = { kind: 'caller', id: 'caller-1' } as const
  const scopes = [
    scopeFor(caller, { authorization: 'Bearer sk-one' }),
    scopeFor(caller, { authorization: 'Bearer sk-two' }),
    scopeFor(caller, { authorization: 'Bearer dummy', 'api-key': 'one' }),
    scopeFor(caller, { authorization: 'Bearer dummy', 'api-key': 'two' }),
    scopeFor(caller, { authorization: 'Bearer dummy', 'x-api-key': 'one' }),
    scopeFor(caller, { authorization: 'Bearer dummy', cookie: 'one' }),
    scopeFor(caller, { 'sec-websocket-protocol': 'openai-insecure-api-key.one' }),
  ]
  expect(new Set(scopes).size).toBe(scopes.length)
  expect(scopes[0]).toMatch(/^caller-[0-9a-f]{64}$/)
  expect(scopeFor(caller, { authorization: 'Bearer sk-one', 'user-agent': 'x' })).toBe(scopes[0] as Scope)
})

test('programs of this machine share a scope, but for those with a session', () => {
  expect(scopeFor({ kind: 'local' })).toBe('local' as Scope)
  expect(scopeFor({ kind: 'local' }, { cookie: 'session=1' })).not.toBe(scopeFor({ kind: 'local' }))
  expect(scopeFor({ kind: 'local' }, { cookie: 'session=1' })).toMatch(/^local-[0-9a-f]{64}$/)
})

test('all share one only where the configuration says so', () => {
  const caller = { kind: 'caller', id: 'caller-1' } as const
  expect(scopeFor(caller, { authorization: 'Bearer a' }, 'shared')).toBe('shared' as Scope)
  expect(scopeFor(caller, { authorization: 'Bearer b' }, 'shared')).toBe('shared' as Scope)
})

test('no key or token can be read from a scope', () => {
  const secret = 'sk-a-very-secret-key'
  for (const scope of [
    tokenScope(secret),
    scopeFor({ kind: 'caller', id: 'caller-1' }, { authorization: `Bearer ${secret}` }),
  ]) {
    expect(scope).not.toContain(secret)
    expect(scope).not.toContain(btoa(secret))
  }
})
