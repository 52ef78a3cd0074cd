import { NO_LIMITS } from '../../src/ledger/first-records.ts'
import { type ADMIN_KEY_PREFIX, KEY_PREFIX, makeKey } from '../../src/ledger/key-format.ts'
import type { Ledger } from '../../src/ledger/ledger.ts'
import type { KeyRecord, ProjectRecord } from '../../src/ledger/records.ts'

/** A project without limits. */
export const PLAIN_PROJECT: ProjectRecord = {
  kind: 'project',
  id: 'proj_1',
  name: 'one',
  createdAt: 1,
  timeZone: 'UTC',
  limits: NO_LIMITS,
  managedBy: 'api',
}

/** The digest that a ledger keeps of a key, in hex. */
export function digestOfKey(key: string): string {
  return new Bun.CryptoHasher('sha256').update(key).digest('hex')
}

/** A new key of the form of ours. */
export function newKey(prefix: typeof KEY_PREFIX | typeof ADMIN_KEY_PREFIX = KEY_PREFIX): string {
  return makeKey(prefix, (bytes) => crypto.getRandomValues(bytes))
}

/** A record of a key, in the default project. */
export function keyRecord(id: string, key: string, more: Partial<KeyRecord> = {}): KeyRecord {
  return {
    kind: 'key',
    id,
    projectId: 'proj_default',
    ownerId: 'svc_acct_1',
    name: id,
    digest: digestOfKey(key),
    redacted: 'sk-nex-...',
    createdAt: 1,
    limits: { spend: {}, rates: [] },
    metadata: {},
    managedBy: 'api',
    ...more,
  }
}

/** Puts a new key into a ledger, and gives it. */
export async function addKey(ledger: Ledger, id: string, more: Partial<KeyRecord> = {}): Promise<string> {
  const key = newKey()
  await ledger.edit({ put: [keyRecord(id, key, more)], remove: [], audit: [] })
  return key
}
