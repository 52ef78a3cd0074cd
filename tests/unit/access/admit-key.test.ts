import { expect, test } from 'bun:test'
import { createAdmitKey, type Keys } from '../../../src/access/admit-key.ts'
import { heldToken } from '../../../src/exchange/principal.ts'
import { NO_LIMITS } from '../../../src/ledger/first-records.ts'
import type { KeyEntry } from '../../../src/ledger/records.ts'
import { ApiError } from '../../../src/openai/api-error.ts'
import { newKey, PLAIN_PROJECT } from '../../helpers/ledger-keys.ts'

const ENTRY: KeyEntry = {
  id: 'key_1',
  kind: 'key',
  expiresAt: 0,
  limits: NO_LIMITS,
  project: PLAIN_PROJECT,
  organization: undefined,
}
const KEY = newKey()

/** Keys that count how often they are looked for. */
function keysOf(entry: Partial<KeyEntry> | undefined, state: Partial<Keys> = {}) {
  const finds: string[] = []
  const keys = {
    version: 1,
    isLoaded: true,
    isFresh: true,
    organization: undefined,
    project: () => PLAIN_PROJECT,
    ...state,
    find(credential: string) {
      finds.push(credential)
      return entry === undefined || credential !== KEY ? undefined : { ...ENTRY, ...entry }
    },
  }
  return { keys, finds }
}

function refusal(keys: Keys, credential: string, now = 0): readonly [string, string] {
  try {
    createAdmitKey(keys, () => now)(credential)
  } catch (cause) {
    if (cause instanceof ApiError) return [cause.kind, cause.message]
    throw cause
  }
  throw new Error('It was let in, or is not of the ledger.')
}

test('a key is looked for once, and again when the ledger has changed', () => {
  const { keys, finds } = keysOf({})
  const admit = createAdmitKey(keys, () => 0)
  const first = admit(KEY)
  expect(first).toMatchObject({ kind: 'key', id: 'key_1', entry: ENTRY })
  expect(first && heldToken(first)?.reveal()).toBe(KEY)
  expect(admit(KEY)).toBe(first)
  expect(finds).toHaveLength(1)
  keys.version = 2
  expect(admit(KEY)).not.toBe(first)
  expect(finds).toHaveLength(2)
})

test('a known key expires while it is used', () => {
  const { keys } = keysOf({ expiresAt: 100 })
  let now = 99_999
  const admit = createAdmitKey(keys, () => now)
  expect(admit(KEY)?.kind).toBe('key')
  now = 100_000
  expect(() => admit(KEY)).toThrow('expired')
})

test('why a key is refused; nothing of it is in the message', () => {
  const archived = { project: { ...PLAIN_PROJECT, archivedAt: 3 } }
  const cases = [
    [refusal(keysOf({ kind: 'admin_key', project: undefined }).keys, KEY), 'incorrect_api_key', 'only manage'],
    [refusal(keysOf({ expiresAt: 1 }).keys, KEY, 2000), 'incorrect_api_key', 'expired'],
    [refusal(keysOf(archived).keys, KEY), 'incorrect_api_key', 'archived'],
    [refusal(keysOf({ project: undefined }).keys, KEY), 'incorrect_api_key', 'archived'],
    [refusal(keysOf(undefined).keys, KEY), 'incorrect_api_key', 'knows no such key'],
    [refusal(keysOf(undefined).keys, `${KEY}x`), 'incorrect_api_key', 'mistyped'],
    [refusal(keysOf(undefined, { isFresh: false }).keys, KEY), 'ledger_unavailable', 'shortly'],
    [refusal(keysOf(undefined, { isFresh: false }).keys, `${KEY}x`), 'incorrect_api_key', 'mistyped'],
    [refusal(keysOf(undefined, { isLoaded: false, isFresh: false }).keys, 'sk-foreign'), 'ledger_unavailable', ''],
  ] as const
  for (const [[kind, message], wanted, words] of cases) {
    expect([kind, message]).toEqual([wanted, expect.stringContaining(words)])
    expect(message).not.toContain(KEY.slice(7, 20))
  }
})

test('a credential of another form is not of the ledger, but for one that the ledger has; a stale one goes on', () => {
  expect(createAdmitKey(keysOf(undefined).keys, () => 0)('sk-proj-abc')).toBeUndefined()
  expect(createAdmitKey(keysOf(undefined, { isFresh: false }).keys, () => 0)('sk-proj-abc')).toBeUndefined()
  expect(createAdmitKey(keysOf({}, { isFresh: false }).keys, () => 0)(KEY)?.kind).toBe('key')
})
