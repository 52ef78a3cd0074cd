import { expect, test } from 'bun:test'
import { createAuthorizeAdmin } from '../../../src/access/authorize-admin.ts'
import { tokenKeys } from '../../../src/access/token-keys.ts'
import { Secret } from '../../../src/config/secret.ts'
import { NO_LIMITS } from '../../../src/ledger/first-records.ts'
import type { KeyEntry } from '../../../src/ledger/records.ts'
import { ApiError } from '../../../src/openai/api-error.ts'
import { sha256 } from '../../../src/process/sha256.ts'
import { PLAIN_PROJECT } from '../../helpers/ledger-keys.ts'

const ADMIN_KEY = 'the-key-that-manages-0123456789ab'
const entry = (kind: KeyEntry['kind'], expiresAt = 0): KeyEntry => ({
  id: `${kind}_1`,
  kind,
  expiresAt,
  limits: NO_LIMITS,
  project: undefined,
  organization: undefined,
})
const ENTRIES = new Map<string, KeyEntry>([
  ['made', entry('admin_key')],
  ['late', entry('admin_key', 5)],
  ['callers', { ...entry('key'), project: PLAIN_PROJECT }],
  ['archived', { ...entry('key'), project: { ...PLAIN_PROJECT, archivedAt: 1 } }],
])

function answerTo(credential: string | undefined, { isFresh = true, adminKey = ADMIN_KEY } = {}): string {
  const authorize = createAuthorizeAdmin({
    directory: {
      find: (text) => ENTRIES.get(text),
      isFresh,
      isLoaded: true,
      version: 1,
      project: () => PLAIN_PROJECT,
      organization: undefined,
    },
    tokenKeys: () => tokenKeys([{ name: 'alice', token: new Secret('a-token-0123456789') }], sha256),
    adminKey: () => (adminKey === '' ? undefined : new Secret(adminKey)),
    sha256,
    now: () => 5000,
  })
  try {
    return authorize(new Headers(credential === undefined ? {} : { authorization: `Bearer ${credential}` })).id
  } catch (cause) {
    if (cause instanceof ApiError) return cause.kind
    throw cause
  }
}

test('ADMIN_KEY and admin keys of the ledger manage; callers’ keys are known, and those of no project in force are not', () => {
  const credentials = [ADMIN_KEY, 'made', 'late', 'callers', 'a-token-0123456789', 'archived', 'sk-unknown', undefined]
  expect(credentials.map((credential) => answerTo(credential))).toEqual([
    'ADMIN_KEY',
    'admin_key_1',
    'incorrect_api_key',
    'key_1',
    'key_token.alice',
    'incorrect_api_key',
    'incorrect_api_key',
    'missing_api_key',
  ])
  expect(answerTo(ADMIN_KEY, { adminKey: '' })).toBe('incorrect_api_key')
})

test('while the ledger can’t be read, ADMIN_KEY and known keys go on, and an unknown one may be good', () => {
  const answers = [ADMIN_KEY, 'made', 'sk-unknown'].map((credential) => answerTo(credential, { isFresh: false }))
  expect(answers).toEqual(['ADMIN_KEY', 'admin_key_1', 'ledger_unavailable'])
})
