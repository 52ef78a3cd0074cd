import { expect, test } from 'bun:test'
import { nameTokens, shortId } from '../../../src/access/name-tokens.ts'
import { Secret } from '../../../src/config/secret.ts'
import { sha256 } from '../../../src/process/sha256.ts'
import { opened } from '../../helpers/secrets.ts'

const unnamed = (text: string) => ({ name: undefined, token: new Secret(text) })

test('a token goes by its name, and one without by a short digest, whatever else is in the list and wherever it stands', () => {
  const [alice, digest] = nameTokens([{ name: 'alice', token: new Secret('a') }, unnamed('b')], sha256)
  expect(opened(alice)).toEqual({ name: 'alice', token: 'a' })
  expect(digest?.name).toMatch(/^token-[0-9a-f]{8}$/)
  expect(nameTokens([unnamed('b'), unnamed('c')], sha256)[0]?.name).toBe(digest?.name)
  // As documented: it is the same after a restart, and on another machine.
  expect(shortId('token', 'b', sha256)).toBe(digest?.name ?? '')
})

test('the digest is of this use alone: it is no beginning of the plain one, and a caller with the same key has another', () => {
  const id = shortId('token', 'secret', sha256).slice('token-'.length)
  expect(sha256('secret').toHex()).not.toContain(id)
  expect(shortId('caller', 'secret', sha256)).not.toContain(id)
})

test('two tokens whose digests begin alike are not taken for one', () => {
  const alike = (text: string): Uint8Array =>
    Uint8Array.from([1, 2, 3, 4, ...new TextEncoder().encode(text.slice(-12)), ...Array(16).fill(0)])
  const [one, other] = nameTokens([unnamed('first'), unnamed('other')], alike)
  expect(one?.name).not.toBe(other?.name ?? '')
})
