import { expect, test } from 'bun:test'
import type { Scope } from '../../../src/cache/scope.ts'
import { scopeFor, tokenScope } from './rig.ts'

test('a token has a scope of its own, by its id and its digest', () => {
  expect(tokenScope('secret-of-the-first')).toMatch(/^token-1-[0-9a-f]{64}$/)
  expect(tokenScope('secret-of-the-first')).toBe(tokenScope('secret-of-the-first'))
  // A list of tokens that gets another order must not hand one's answers to another.
  expect(tokenScope('secret-of-the-first')).not.toBe(tokenScope('secret-of-another'))
  expect(tokenScope('secret-of-the-first')).not.toBe(tokenScope('secret-of-the-first', 'token-2'))
})

test("a token's scope does not depend on what else it brings", () => {
  const principal = { kind: 'token', id: 'token-1', secret: 's' } as const
  expect(scopeFor(principal, { authorization: 'Bearer s' })).toBe(scopeFor(principal, { 'x-api-key': 's' }))
})

test('a caller has the scope of all keys that it brings: a placeholder in common is not enough', () => {
  const caller = { kind: 'caller' } as const
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
  const caller = { kind: 'caller' } as const
  expect(scopeFor(caller, { authorization: 'Bearer a' }, 'shared')).toBe('shared' as Scope)
  expect(scopeFor(caller, { authorization: 'Bearer b' }, 'shared')).toBe('shared' as Scope)
})

test('no key or token can be read from a scope', () => {
  const secret = 'sk-a-very-secret-key'
  for (const scope of [tokenScope(secret), scopeFor({ kind: 'caller' }, { authorization: `Bearer ${secret}` })]) {
    expect(scope).not.toContain(secret)
    expect(scope).not.toContain(btoa(secret))
  }
})
