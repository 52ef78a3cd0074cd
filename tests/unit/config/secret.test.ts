import { expect, test } from 'bun:test'
import { inspect } from 'node:util'
import pino from 'pino'
import { freeze } from '../../../src/config/freeze.ts'
import { areSameConfigs, closeSecrets, openSecrets } from '../../../src/config/open-secrets.ts'
import { Secret } from '../../../src/config/secret.ts'

const TEXT = 'sk-canary-0123456789'
const secret = new Secret(TEXT)
const holder = { name: 'alice', secret, list: [secret], map: new Map([['key', secret]]) }

test.each<[string, () => string]>([
  ['a template string', () => `${secret}`],
  ['String()', () => String(secret)],
  ['an addition to a text', () => 'key: '.concat(secret as unknown as string)],
  ['a joined list', () => [secret, secret].join(',')],
  ['JSON', () => JSON.stringify(holder)],
  ['the runtime', () => Bun.inspect(holder)],
  ['node:util', () => inspect(holder, { depth: 9, showHidden: true })],
  ['%s, %o and %j', () => Bun.inspect(secret) + inspect([secret], { showHidden: true })],
  ['its members', () => JSON.stringify([Object.entries(secret), Reflect.ownKeys(secret).map(String)])],
  ['a copy', () => Bun.inspect({ ...secret }) + Bun.inspect(structuredClone(holder))],
  ['an error that carries it', () => inspect(Object.assign(new Error(`no ${secret}`), { secret, cause: holder }))],
])('%s has nothing of a secret', (_where, print) => {
  expect(print()).not.toContain(TEXT)
})

test('the log says that there is a secret, and not which', () => {
  const lines: string[] = []
  pino({}, { write: (line: string) => void lines.push(line) }).info({ secret, holder }, `with ${secret}`)
  expect(lines.join('')).toContain('[redacted]')
  expect(lines.join('')).not.toContain(TEXT)
})

test('it gives its text to whoever asks for it, frozen or not', () => {
  expect(freeze(new Secret(TEXT)).reveal()).toBe(TEXT)
})

test('a configuration travels to another process with its secrets, and has them there', () => {
  const sent = JSON.parse(
    JSON.stringify(openSecrets({ auth: { tokens: [{ name: 'alice', secret }] }, none: undefined })),
  )
  const { auth } = closeSecrets<{ auth: { tokens: { name: string; secret: Secret }[] } }>(structuredClone(sent))
  expect(auth.tokens[0]?.secret).toBeInstanceOf(Secret)
  expect(auth.tokens[0]?.secret.reveal()).toBe(TEXT)
  expect(auth.tokens[0]?.name).toBe('alice')
})

test('two configurations that differ in a secret alone are not the same', () => {
  expect(areSameConfigs({ keys: [new Secret('a')] }, { keys: [new Secret('b')] })).toBe(false)
  expect(areSameConfigs({ keys: [new Secret('a')] }, { keys: [new Secret('a')] })).toBe(true)
})
