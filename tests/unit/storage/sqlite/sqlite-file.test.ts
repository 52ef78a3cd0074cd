import { Database } from 'bun:sqlite'
import { afterAll, expect, test } from 'bun:test'
import { existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openStore } from '../../../../src/storage/open-store.ts'
import { openSqliteStore } from '../../../../src/storage/sqlite/sqlite-store.ts'
import type { Store } from '../../../../src/storage/store.ts'
import { checkedValue, isChecked } from '../checked-value.ts'
import { makeFolder, WIDE } from '../stores-under-test.ts'

const LONG = { ttlMs: 86_400_000, scope: 's' }
const folder = makeFolder()
let files = 0
let at = Date.now()
let warnings: { readonly fields: unknown; readonly message: unknown }[] = []
const log = { warn: (fields: unknown, message?: unknown) => void warnings.push({ fields, message }) }

afterAll(() => folder.remove())

function freshPath(): string {
  files += 1
  warnings = []
  return join(folder.path, `${files}.db`)
}

function open(path: string, bounds = WIDE): Store {
  return openSqliteStore(path, { ...bounds, now: () => at, log })
}

async function fill(path: string, entries: number): Promise<void> {
  const store = open(path)
  for (let key = 0; key < entries; key += 1) await store.set(`key-${key}`, checkedValue(2_000), LONG)
  await store.close()
}

/** How many of the values of `fill` are there; each is whole. */
async function count(store: Store, entries: number): Promise<number> {
  let found = 0
  for (let key = 0; key < entries; key += 1) {
    const value = await store.get(`key-${key}`)
    if (value === undefined) continue
    expect(isChecked(value)).toBe(true)
    found += 1
  }
  return found
}

test('what was kept is there after a restart, less what has expired since', async () => {
  const path = freshPath()
  const first = open(path)
  await first.set('a', checkedValue(10), { ttlMs: 1000, scope: 's' })
  await first.set('b', checkedValue(10), { ttlMs: 1001, scope: 's' })
  await first.close()
  at += 1000
  const second = open(path)
  expect(await second.get('a')).toBeUndefined()
  expect(await second.get('b')).toBeDefined()
  await second.close()
})

test('a new file is for its owner only, and so are those beside it', async () => {
  const path = freshPath()
  const store = open(path)
  await store.set('a', checkedValue(10), LONG)
  for (const suffix of ['', '-wal', '-shm']) expect(statSync(path + suffix).mode & 0o777).toBe(0o600)
  await store.close()
})

test('a file that is no database is moved aside with one line in the log, and begun anew', async () => {
  const path = freshPath()
  writeFileSync(path, 'this was never a database, and is longer than its header would be'.repeat(50))
  const store = open(path)
  await store.set('a', checkedValue(10), LONG)
  expect(await store.get('a')).toBeDefined()
  expect(readFileSync(`${path}.damaged`, 'utf8')).toStartWith('this was never a database')
  expect(warnings).toEqual([
    {
      fields: { path, movedTo: `${path}.damaged`, claims: 0, lostClaims: 0, allClaims: false },
      message: 'the store was damaged: it is moved aside and begun anew',
    },
  ])
  await store.close()
})

/** Bytes that mean nothing, and are the same each time: what few kinds of damage do that no database can see is not for chance to decide. */
function garbage(seed: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at += 64) {
    const piece = new Bun.CryptoHasher('sha512').update(`${SEED} ${seed} ${at}`).digest()
    bytes.set(piece.subarray(0, Math.min(piece.length, length - at)), at)
  }
  return bytes
}
const SEED = process.env['DAMAGE_SEED'] ?? '1'

test('damage anywhere in the file never serves a wrong value, and never stays', async () => {
  let isRenewed = 0
  for (let round = 0; round < 24; round += 1) {
    const path = freshPath()
    await fill(path, 100)
    const bytes = readFileSync(path)
    // A third of the rounds loses the end of the file; in the others some pages are overwritten.
    if (round % 3 === 0) truncateSync(path, Math.floor((bytes.length * (round + 1)) / 26))
    else {
      for (let page = round % 7; page * 4096 < bytes.length; page += 1 + (round % 11)) {
        const [from, to] = [page * 4096 + 8, Math.min(page * 4096 + 2_000, bytes.length)]
        bytes.set(garbage(`${round} ${page}`, to - from), from)
      }
      writeFileSync(path, bytes)
    }
    const store = open(path)
    await count(store, 100)
    for (let key = 0; key < 100; key += 1) await store.set(`key-${key}`, checkedValue(3_000), LONG)
    expect(await count(store, 100)).toBe(100)
    expect(warnings.length).toBeLessThanOrEqual(1)
    isRenewed += warnings.length
    await store.close()
  }
  expect(isRenewed).toBeGreaterThan(5)
})

test('a value whose bits have changed is not served', async () => {
  const path = freshPath()
  const store = open(path)
  const value = new TextEncoder().encode('a value that is easily found in the file')
  await store.set('a', value, LONG)
  await store.close()
  const bytes = readFileSync(path)
  const found = bytes.indexOf('easily found')
  expect(found).toBeGreaterThan(0)
  bytes[found] = 0x45
  writeFileSync(path, bytes)
  const again = open(path)
  expect(await again.get('a')).toBeUndefined()
  await again.set('a', value, LONG)
  expect(await again.get('a')).toEqual(value)
  await again.close()
})

test('two that find the same damage come to share one new file', async () => {
  const path = freshPath()
  await fill(path, 100)
  const first = open(path)
  const second = open(path)
  // In place: the file stays the one that both have open.
  const bytes = readFileSync(path)
  for (let page = 1; page * 4096 < bytes.length; page += 1) bytes.fill(0xff, page * 4096, page * 4096 + 4096)
  writeFileSync(path, bytes)
  await first.set('a', checkedValue(10), LONG)
  await second.set('b', checkedValue(10), LONG)
  expect(await second.get('a')).toBeDefined()
  expect(await first.get('b')).toBeDefined()
  expect(warnings).toHaveLength(1)
  await first.close()
  await second.close()
})

test('a file that is taken away while it is open is made again before long', async () => {
  const path = freshPath()
  const store = open(path)
  await store.set('a', checkedValue(10), LONG)
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix)
  at += 10_000
  await store.set('b', checkedValue(10), LONG)
  expect(existsSync(path)).toBe(true)
  const other = open(path)
  expect(await other.get('b')).toBeDefined()
  expect(await other.get('a')).toBeUndefined()
  await store.close()
  await other.close()
})

test('a file that can not be opened again is tried again by each call', async () => {
  const path = freshPath()
  const store = open(path)
  await store.set('a', checkedValue(10), LONG)
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix)
  const raw = new Database(path)
  raw.run('CREATE TABLE precious (text TEXT)')
  raw.close()
  at += 10_000
  expect(() => store.set('b', checkedValue(10), LONG)).toThrow('another program')
  expect(() => store.get('b')).toThrow('another program')
  rmSync(path)
  expect(await store.get('b')).toBeUndefined()
  await store.set('b', checkedValue(10), LONG)
  expect(await store.get('b')).toBeDefined()
  await store.close()
})

test('a store that is closed says so, and may be closed twice', async () => {
  const store = open(freshPath())
  await store.close()
  await store.close()
  expect(() => store.get('a')).toThrow('The store is closed.')
  expect(() => store.set('a', checkedValue(10), LONG)).toThrow('The store is closed.')
})

test('what a newer version keeps is refused, and stays as it is: that version may be using it', async () => {
  const path = freshPath()
  await fill(path, 10)
  const raw = new Database(path)
  raw.run('PRAGMA user_version = 999')
  expect(() => open(path)).toThrow('This database is one of a newer version.')
  expect(() => openStore(`sqlite:${path}`, { ...WIDE, now: Date.now, log })).toThrow(
    'made by a newer version of NexCode',
  )
  expect(raw.query('SELECT count(*) AS rows FROM entries').get()).toEqual({ rows: 10 })
  raw.close()
})

test('what an earlier version kept is dropped, but not what was claimed', async () => {
  const path = freshPath()
  await fill(path, 10)
  const first = open(path)
  const claim = { id: 'one', token: 'mine', fingerprint: 'f', scope: 's' }
  const times = { leaseMs: 1000, windowMs: 1000 }
  expect(await first.claims?.take(claim, times)).toEqual({ kind: 'taken' })
  await first.close()
  const raw = new Database(path)
  raw.run('PRAGMA user_version = 0')
  raw.close()
  const store = open(path)
  expect(await store.get('key-1')).toBeUndefined()
  expect(await store.stats()).toMatchObject({ entries: 0 })
  expect(await store.claims?.take({ ...claim, token: 'another' }, times)).toMatchObject({ kind: 'running' })
  await store.set('a', checkedValue(10), LONG)
  expect(await store.get('a')).toBeDefined()
  expect(warnings).toEqual([])
  await store.close()
})

test('a database of another program is refused, and stays as it is', () => {
  const path = freshPath()
  const raw = new Database(path)
  raw.run('CREATE TABLE precious (text TEXT)')
  raw.run("INSERT INTO precious VALUES ('keep me')")
  raw.close()
  const before = readFileSync(path)
  expect(() => open(path)).toThrow('This is the database of another program.')
  expect(Buffer.compare(readFileSync(path), before)).toBe(0)
})

test('what has expired is taken out by those who write, a batch at a time', async () => {
  const path = freshPath()
  const store = open(path)
  for (let key = 0; key < 300; key += 1) await store.set(`key-${key}`, checkedValue(10), { ttlMs: 1000, scope: 's' })
  at += 10_000
  await store.set('a', checkedValue(10), LONG)
  expect((await store.stats()).entries).toBe(45)
  await store.set('b', checkedValue(10), LONG)
  expect((await store.stats()).entries).toBe(2)
  await store.close()
})

test('reading writes at most once a minute for an entry', async () => {
  const path = freshPath()
  const store = open(path)
  await store.set('a', checkedValue(10), LONG)
  const other = new Database(path, { readonly: true })
  const usedAt = (): unknown => other.query('SELECT used_at FROM entries').values()[0]?.[0]
  const setAt = at
  at += 59_999
  await store.get('a')
  expect(usedAt()).toBe(setAt)
  at += 1
  await store.get('a')
  expect(usedAt()).toBe(at)
  other.close()
  await store.close()
})

test('a write waits its turn while another process writes, and reading goes on', async () => {
  const path = freshPath()
  const store = open(path)
  const value = checkedValue(10)
  await store.set('a', value, LONG)
  const other = new Database(path)
  other.run('BEGIN IMMEDIATE')
  const given = new Uint8Array(value)
  const setting = store.set('b', given, LONG)
  given.fill(0)
  const deleting = store.delete('a')
  at += 60_000
  expect(await store.get('a')).toEqual(value)
  expect(await store.get('b')).toBeUndefined()
  other.run('COMMIT')
  await setting
  expect(await deleting).toBe(true)
  expect(await store.get('b')).toEqual(value)
  other.close()
  await store.close()
})
