import { Database } from 'bun:sqlite'
import { afterEach, expect, test } from 'bun:test'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OpenLedgerError, RecordsChangedError } from '../../../../src/ledger/ledger.ts'
import type { KeyRecord } from '../../../../src/ledger/records.ts'
import { openSqliteBooks, type SqliteBooks } from '../../../../src/ledger/sqlite/sqlite-books.ts'
import { makeBooking, NOON } from '../make-booking.ts'

const DAY = 86_400
const MIDNIGHT = NOON - (NOON % DAY)

const folder = mkdtempSync(join(tmpdir(), 'nexcode-books-'))
const opened: SqliteBooks[] = []

afterEach(() => {
  for (const books of opened.splice(0)) books.close()
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
})

function open(name = 'ledger.db'): SqliteBooks {
  const books = openSqliteBooks(name === ':memory:' ? name : join(folder, name))
  opened.push(books)
  return books
}

function key(id: string, parts: Partial<KeyRecord> = {}): KeyRecord {
  const digest = new Bun.CryptoHasher('sha256').update(id).digest('hex')
  const names = { id, projectId: 'proj_a', ownerId: 'svc_acct_a', name: id, redacted: 'sk-nex-...abcd' }
  const limits = { spend: { day: 5n }, rates: [] }
  return { kind: 'key', ...names, digest, createdAt: NOON, limits, metadata: {}, managedBy: 'api', ...parts }
}

function failureOf(path: string): unknown {
  try {
    openSqliteBooks(path).close()
    return undefined
  } catch (thrown) {
    return thrown
  }
}

test('one connection sees what another has edited, and refuses an edit of what has changed meanwhile', () => {
  const [one, other] = [open(), open()]
  const before = one.version()
  expect(one.edit({ put: [key('key_1'), key('key_2')], remove: [], audit: [] })).toBe(before + 1)
  expect(other.changesSince(before)?.changed.map(({ id }) => id)).toEqual(['key_1', 'key_2'])
  expect(other.changesSince(before + 1)).toBeUndefined()
  const was = [one.find('key', 'key_1')].filter((record) => record !== undefined)
  other.edit({ was, put: [key('key_1', { name: 'new' })], remove: [], audit: [] })
  const late = { was, put: [key('key_1', { name: 'late' })], remove: ['key_2'], audit: [] }
  expect(() => one.edit(late)).toThrow(RecordsChangedError)
  expect(one.find('key', 'key_1')?.name).toBe('new')
  expect(one.list({ kind: 'key', limit: 1, order: 'asc' })).toMatchObject({ data: [{ id: 'key_1' }], hasMore: true })
  one.edit({ put: [], remove: ['key_2', 'key_nobody'], audit: [] })
  expect(other.changesSince(before + 2)?.removed).toMatchObject([{ id: 'key_2' }])
  expect(other.directory('')).toContain('key_1')
  expect(other.directory('')).not.toContain('key_2')
})

test('bookings are added up once, by all that can be asked for, and forgotten by age', () => {
  const books = open()
  const rows = ['01', '02', '03'].map((id, index) =>
    makeBooking({
      id: id.padStart(32, '0'),
      at: (NOON + index * 3600) * 1000,
      cost: 100 + index,
      keyId: `key_${index % 2}`,
    }),
  )
  books.book(JSON.stringify(rows))
  books.book(JSON.stringify(rows.slice(1)))
  const query = { from: MIDNIGHT, to: MIDNIGHT + DAY, where: {}, groupBy: [] } as const
  expect(books.usage({ ...query, bucketSeconds: 86_400 }).sums).toMatchObject([
    { bucket: MIDNIGHT, requests: 3, cost: 303n },
  ])
  expect(books.usage({ ...query, bucketSeconds: 3600, groupBy: ['key'] }).sums).toHaveLength(3)
  expect(books.usage({ ...query, bucketSeconds: 60, groupBy: ['key'], where: { key: ['key_0'] } }).sums).toHaveLength(2)
  expect(books.spent({}, MIDNIGHT, MIDNIGHT + DAY)).toBe(303n)
  expect(books.spent({ keyId: 'key_0' }, NOON + 900, MIDNIGHT + DAY)).toBe(102n)
  expect(books.spent({ projectId: 'nobody' }, 0, Number.POSITIVE_INFINITY)).toBe(0n)
  expect(books.lastUsed(['key_0', 'key_nobody'])).toEqual(new Map([['key_0', NOON + 7200]]))
  books.forget(NOON + 1)
  expect(books.usage({ ...query, bucketSeconds: 86_400 }).sums).toMatchObject([{ requests: 3, cost: 303n }])
  expect(books.bookings(undefined, 10)).toHaveLength(2)
})

test('the file and those beside it are their owner’s alone', () => {
  const books = open()
  books.edit({ put: [key('key_1')], remove: [], audit: [] })
  for (const name of ['ledger.db', 'ledger.db-wal', 'ledger.db-shm']) {
    expect([name, statSync(join(folder, name)).mode & 0o777]).toEqual([name, 0o600])
  }
})

test('a file of another program, and one of a newer version, are refused and stay as they are', () => {
  const foreign = join(folder, 'foreign.db')
  const database = new Database(foreign)
  database.run('CREATE TABLE theirs (id INTEGER)')
  database.close()
  const text = join(folder, 'text')
  writeFileSync(text, 'this is no database, but a text of some length that is somebody’s '.repeat(20))
  const newer = join(folder, 'newer.db')
  openSqliteBooks(newer).close()
  const ours = new Database(newer)
  ours.run('PRAGMA user_version = 99')
  ours.run('PRAGMA wal_checkpoint(TRUNCATE)')
  ours.close()
  for (const [path, wrong] of [
    [foreign, 'is a file of another program'],
    [newer, 'was made by a newer version'],
    [text, 'can not be opened'],
  ] as const) {
    const before = readFileSync(path)
    const thrown = failureOf(path)
    expect(thrown).toBeInstanceOf(OpenLedgerError)
    expect(String(thrown)).toContain(wrong)
    expect(readFileSync(path).equals(before)).toBe(true)
  }
})

test('a path that is none, and a folder, are refused with what to do', () => {
  chmodSync(folder, 0o700)
  for (const [path, wrong] of [
    ['', 'names no file'],
    [join(folder, 'missing', 'ledger.db'), 'there is no folder'],
    [folder, 'is a folder'],
  ] as const) {
    expect(String(failureOf(path))).toContain(wrong)
  }
  expect(failureOf(':memory:')).toBeUndefined()
})
