import { afterEach, beforeEach, expect, test } from 'bun:test'
import { KeyDirectory } from '../../../../src/ledger/directory/key-directory.ts'
import { makeFirstRecords } from '../../../../src/ledger/first-records.ts'
import { type Ledger, LedgerError } from '../../../../src/ledger/ledger.ts'
import { openLedger } from '../../../../src/ledger/open-ledger.ts'
import { addKey, digestOfKey, keyRecord, newKey } from '../../../helpers/ledger-keys.ts'

const sha256 = (text: string): Uint8Array => new Bun.CryptoHasher('sha256').update(text).digest()

let ledger: Ledger
let clock = 0
let isDown = false
let directory: KeyDirectory

beforeEach(async () => {
  ledger = await openLedger('memory')
  await makeFirstRecords(ledger, 1)
  clock = 0
  isDown = false
  const orDown = <T>(work: () => Promise<T>): Promise<T> => (isDown ? Promise.reject(new LedgerError('down')) : work())
  directory = new KeyDirectory({
    ledger: {
      directory: () => orDown(ledger.directory),
      changesSince: (version) => orDown(() => ledger.changesSince(version)),
      list: (query) => orDown(() => ledger.list(query)),
    },
    sha256,
    now: () => clock,
  })
})

afterEach(() => ledger.close())

test('knows no key before it has looked, and all of them then, with their limits and projects', async () => {
  const limits = { spend: { day: 5_000_000_000n }, rates: [], concurrency: 2 }
  const key = await addKey(ledger, 'key_1', { limits, expiresAt: 99 })
  expect([directory.isLoaded, directory.isFresh, directory.find(key)]).toEqual([false, false, undefined])
  await directory.follow()
  expect([directory.isLoaded, directory.isFresh]).toEqual([true, true])
  expect(directory.find(key)).toMatchObject({
    id: 'key_1',
    kind: 'key',
    expiresAt: 99,
    limits,
    project: { id: 'proj_default' },
    organization: { id: 'org-nexcode' },
  })
  expect(directory.find(newKey())).toBeUndefined()
})

test('follows what is added, changed and removed; what has not changed costs a look at the version alone', async () => {
  await directory.follow()
  const { version } = directory
  await directory.follow()
  expect(directory.version).toBe(version)
  const key = await addKey(ledger, 'key_1')
  expect(directory.find(key)).toBeUndefined()
  await directory.follow()
  expect(directory.find(key)?.limits.concurrency).toBeUndefined()
  await ledger.edit({
    put: [keyRecord('key_1', key, { limits: { spend: {}, rates: [], concurrency: 3 } })],
    remove: [],
    audit: [],
  })
  await directory.follow()
  expect(directory.find(key)?.limits.concurrency).toBe(3)
  await ledger.edit({ put: [], remove: ['key_1'], audit: [] })
  await directory.follow()
  expect(directory.find(key)).toBeUndefined()
})

test('a rotated key is found by its former digest, too, which expires with its grace time or with the key', async () => {
  const [before, after] = [newKey(), newKey()]
  const former = [{ digest: digestOfKey(before), until: 100 }]
  const put = (more: object) =>
    ledger.edit({ put: [keyRecord('key_1', after, { former, ...more })], remove: [], audit: [] })
  await put({})
  await directory.follow()
  expect([directory.find(before)?.expiresAt, directory.find(after)?.expiresAt]).toEqual([100, 0])
  await put({ expiresAt: 50 })
  await directory.follow()
  expect([directory.find(before)?.expiresAt, directory.find(after)?.expiresAt]).toEqual([50, 50])
  await ledger.edit({ put: [], remove: ['key_1'], audit: [] })
  await directory.follow()
  expect([directory.find(before), directory.find(after)]).toEqual([undefined, undefined])
})

test('while the ledger is down, known keys stay, and after two seconds an unknown one may be good', async () => {
  const key = await addKey(ledger, 'key_1')
  await directory.follow()
  isDown = true
  clock = 1999
  expect(directory.isFresh).toBe(true)
  await expect(directory.follow()).rejects.toThrow(LedgerError)
  clock = 2000
  expect([directory.isFresh, directory.find(key)?.id]).toEqual([false, 'key_1'])
  isDown = false
  await directory.follow()
  expect(directory.isFresh).toBe(true)
})

test('a look that is asked for while another is under way sees what was written before it', async () => {
  const first = directory.follow()
  const key = await addKey(ledger, 'key_1')
  await directory.follow()
  expect(directory.find(key)?.id).toBe('key_1')
  await first
})
