import { expect, test } from 'bun:test'
import { Secret } from '../../../src/config/secret.ts'
import { ADMIN_KEY_PREFIX, KEY_PREFIX, keyFormOf, makeKey, redactKey } from '../../../src/ledger/key-format.ts'

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes)

test('a new key has its form, also where its bits are the smallest and the largest', () => {
  const bits = [random, (bytes: Uint8Array) => bytes.fill(0), (bytes: Uint8Array) => bytes.fill(255)]
  for (const fill of bits) {
    expect(makeKey(KEY_PREFIX, fill)).toMatch(/^sk-nex-[0-9A-Za-z]{44}$/)
    expect(keyFormOf(makeKey(KEY_PREFIX, fill))).toBe('key')
    expect(keyFormOf(makeKey(ADMIN_KEY_PREFIX, fill))).toBe('admin_key')
  }
  expect(new Set(Array.from({ length: 1000 }, () => makeKey(KEY_PREFIX, random))).size).toBe(1000)
})

test('each other character in any place, and each swap of neighbours but 0 and z, is known by the check digit', () => {
  const key = makeKey(KEY_PREFIX, random)
  let swaps = 0
  for (let at = KEY_PREFIX.length; at < key.length; at += 1) {
    for (const digit of DIGITS) {
      if (digit !== key[at]) expect(keyFormOf(key.slice(0, at) + digit + key.slice(at + 1))).toBe('mistyped')
    }
    const [one = '', other = ''] = key.slice(at, at + 2)
    // Luhn's algorithm does not tell the first digit and the last apart there.
    if (other === '' || one === other || (one + other).match(/^(?:0z|z0)$/)) continue
    expect(keyFormOf(key.slice(0, at) + other + one + key.slice(at + 2))).toBe('mistyped')
    swaps += 1
  }
  expect(swaps).toBeGreaterThan(20)
})

test('a key that is too short or too long is mistyped, and one with another beginning is somebody else’s', () => {
  const key = makeKey(KEY_PREFIX, random)
  for (const text of [`${key}x`, key.slice(0, -1), KEY_PREFIX, `${key} `]) expect(keyFormOf(text)).toBe('mistyped')
  for (const text of ['sk-proj-abc', '', 'sk-nex', key.slice(1), ` ${key}`, key.toUpperCase()])
    expect(keyFormOf(text)).toBe('foreign')
})

test('of a key only its prefix and last four characters are shown; of a foreign one, the last four', () => {
  expect(redactKey(new Secret(`${KEY_PREFIX}${'a'.repeat(40)}1c96`))).toBe('sk-nex-...1c96')
  expect(redactKey(new Secret(`${ADMIN_KEY_PREFIX}${'a'.repeat(40)}1c96`))).toBe('sk-nex-admin-...1c96')
  expect(redactKey(new Secret('a-foreign-key-1c96'))).toBe('...1c96')
})
