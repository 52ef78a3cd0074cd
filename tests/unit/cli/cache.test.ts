import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '../../../src/storage/open-store.ts'
import { type ProgramRun, runInProcess } from './run-in-process.ts'

// What it does to a server's cache is shown in tests/cli/cache.test.ts; here it runs where its lines are counted.

let folder: string
let program: ProgramRun | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nexcode-cache-'))
})
afterEach(() => {
  program?.restore()
  rmSync(folder, { recursive: true, force: true })
})

async function runCache(args: readonly string[], env: Readonly<Record<string, string>>) {
  program?.restore()
  program = runInProcess(['cache', ...args], env)
  await program.started
  return { code: await program.exited, stdout: program.stdout(), stderr: program.stderr() }
}

async function fill(spec: string): Promise<void> {
  const store = openStore(spec, { bytesMax: 1e6, entriesMax: 10, now: Date.now, log: { warn() {} } })
  for (const key of ['a', 'b', 'c'])
    await store.set(key, new Uint8Array(10), { ttlMs: 60_000, scope: key === 'a' ? 'local' : 'shared' })
  await store.close()
}

describe('nexcode cache, on a SQLite file', () => {
  test('counts, and takes out one entry, a scope, or all', async () => {
    const spec = `sqlite:${join(folder, 'cache.db')}`
    const env = { CACHE: spec }
    expect((await runCache(['stats'], env)).stdout).toBe(`${spec}\n  entries  0\n  bytes    0\n`)
    await fill(spec)
    expect((await runCache(['stats'], env)).stdout).toContain('entries  3\n')
    expect(JSON.parse((await runCache(['stats', '--json'], env)).stdout)).toMatchObject({ store: 'sqlite', entries: 3 })
    expect((await runCache(['purge', '--scope', 'local'], env)).stdout).toBe('1 entry purged of local\n')
    expect((await runCache(['purge', '--key', 'b'], env)).stdout).toBe('1 entry purged\n')
    expect((await runCache(['purge', '--key', 'b'], env)).stdout).toBe('nothing is kept under this key\n')
    const token = { ...env, REQUIRE_AUTH: 'true', API_TOKEN: 'token-of-the-first-0001', OPENAI_API_KEY: 'sk-1' }
    expect((await runCache(['purge', '--scope', 'alice'], token)).stdout).toBe('0 entries purged of alice\n')
    expect(await runCache(['purge'], env)).toEqual({ code: 0, stdout: '1 entry purged\n', stderr: '' })
  })
})

describe('nexcode cache', () => {
  test('says what is wrong: 2 where it is the command or the configuration, 1 where it is the store', async () => {
    const spec = `sqlite:${join(folder, 'cache.db')}`
    for (const [args, cache, said] of [
      [['stats'], 'memory', "in the server's own memory"],
      [['stats'], undefined, 'no cache is configured'],
      [['stats'], 'disk', 'CACHE'],
      [[], spec, 'nexcode cache stats'],
      [['stats', '--key', 'a'], spec, 'are for purge'],
      [['purge', '--json'], spec, 'for stats'],
      [['purge', '--key', 'a', '--scope', 'b'], spec, 'not both'],
      [['purge', '--scope', ''], spec, '--scope wants a value'],
      [['purge', '--scope', 'token-2'], spec, 'scopes go by names: '],
      [['stats'], `sqlite:${folder}`, 'is a folder'],
    ] as const) {
      const { code, stdout, stderr } = await runCache(args, cache === undefined ? {} : { CACHE: cache })
      expect([code, stdout]).toEqual([2, ''])
      expect(stderr).toContain(said)
    }
    // Nobody listens at port 1.
    const away = await runCache(['stats'], { CACHE: 'redis://:pass-word@127.0.0.1:1' })
    expect(away.code).toBe(1)
    expect(away.stderr).not.toContain('pass-word')
  })
})
