import { Database } from 'bun:sqlite'
import { afterAll, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore, StoreError } from '../../../src/storage/open-store.ts'

const OPTIONS = { bytesMax: 1_000_000, entriesMax: 1000, now: Date.now, log: { warn() {} } }
const folder = mkdtempSync(join(tmpdir(), 'nexcode-open-store-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function errorOf(spec: string): StoreError {
  try {
    openStore(spec, OPTIONS)
  } catch (cause) {
    if (cause instanceof StoreError) return cause
  }
  throw new Error(`${spec} was opened.`)
}

test.each([
  ['memory', 'memory'],
  [`sqlite:${folder}/a.db`, 'sqlite'],
  [`sqlite:${folder}/with space & ?mode=ro#.db`, 'sqlite'],
  ['redis://127.0.0.1:1', 'redis'],
  ['redis://:secret@127.0.0.1/0', 'redis'],
  ['rediss://user:secret@[::1]:6380/', 'redis'],
] as const)('%p is a store', async (spec, name) => {
  const store = openStore(spec, OPTIONS)
  expect(store.name).toBe(name)
  await store.close()
})

test('a path of SQLite that means something to it is a file all the same', async () => {
  const before = process.cwd()
  process.chdir(folder)
  try {
    const store = openStore('sqlite::memory:', OPTIONS)
    await store.set('a', new Uint8Array([1]), { ttlMs: 1000, scope: 's' })
    const other = openStore(`sqlite:${folder}/:memory:`, OPTIONS)
    expect(await other.get('a')).toEqual(new Uint8Array([1]))
    await store.close()
    await other.close()
  } finally {
    process.chdir(before)
  }
})

test.each(['', 'yes', 'Memory', 'disk:/tmp/x', 'reddis://:hunter2@host', 'http://host'])('%p is none', (spec) => {
  const { message, wrong, cure } = errorOf(spec)
  expect(wrong).toBe('is none that there is')
  expect(cure).toBe('Use memory, sqlite:PATH, redis://HOST:PORT or rediss://HOST:PORT.')
  expect(message).toBe(`The store ${wrong}. ${cure}`)
})

test.each([
  ['redis:', 'a URL that can not be read'],
  ['redis://', 'a URL that can not be read'],
  ['redis:host:6379', 'a URL that can not be read'],
  ['redis://:hunter2@host:port', 'a URL that can not be read'],
  ['redis://:hunter2/x@host', 'a URL that can not be read'],
  ['redis://:hunter2@host/abc', 'is not the number of a database'],
  ['redis://:hunter2@host/0/1', 'is not the number of a database'],
  ['redis://:hunter2@host/0?x=hunter2', 'is not the number of a database'],
  ['redis://:hunter2@host/#hunter2', 'is not the number of a database'],
])('%p is refused without its password', (spec, wrong) => {
  const error = errorOf(spec)
  expect(error.wrong).toContain(wrong)
  expect(error.cure).toContain('redis://HOST:PORT')
  expect(Bun.inspect(error)).not.toContain('hunter2')
})

test('a file is refused with what is wrong and what to do', () => {
  expect(errorOf('sqlite:').message).toBe(
    'The store names no file. Use sqlite:PATH, such as sqlite:/var/lib/nexcode/cache.db.',
  )
  expect(errorOf(`sqlite:${folder}/none/a.db`).message).toBe(
    `The store can not be opened: there is no folder ${folder}/none. Make it, or name another path.`,
  )
  writeFileSync(`${folder}/file`, '')
  expect(errorOf(`sqlite:${folder}/file/a.db`).wrong).toContain(`there is no folder ${folder}/file`)
  mkdirSync(`${folder}/folder`)
  expect(errorOf(`sqlite:${folder}/folder`).message).toBe(
    `The store can not be opened: ${folder}/folder is a folder. Name a file in it.`,
  )
})

test('a database of another program is refused', () => {
  const path = `${folder}/foreign.db`
  const database = new Database(path)
  database.run('CREATE TABLE theirs (x)')
  database.close()
  expect(errorOf(`sqlite:${path}`).message).toBe(
    `The store can not be opened: ${path} is the database of another program. Name another path.`,
  )
})

test('a path that the system refuses is refused with its code', () => {
  const { message } = errorOf('sqlite:/proc/nexcode.db')
  expect(message).toMatch(/^The store can not be opened: \/proc\/nexcode\.db \([A-Z_]+\)\. It has to be a file/)
})
