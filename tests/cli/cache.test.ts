import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { haveEntries, numbered } from '../helpers/cache-calls.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { REDIS_MISSING, startRedis } from '../helpers/redis.ts'
import { runProgram } from '../helpers/run-program.ts'
import { startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

const TOKENS = ['token-of-the-first-0001', 'token-of-the-second-0002'] as const
const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

function newPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nexcode-cache-'))
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'cache.db')
}

/** A server whose two callers have two answers kept each; gives the command's environment, and the keys. */
async function serve(cache: string) {
  const upstream = await startScriptedUpstream(numbered())
  cleanUps.push(() => upstream.close())
  const env = {
    CACHE: cache,
    OPENAI_API_BASE: `${upstream.url}/v1`,
    OPENAI_API_KEY: 'sk-the-servers',
    REQUIRE_AUTH: 'true',
    API_TOKEN: `alice:${TOKENS[0]},bob:${TOKENS[1]}`,
    DEBUG_HEADERS: 'true',
  }
  const gateway = await startGateway({ env, command: gatewayCommand() })
  cleanUps.push(() => gateway.stop())
  const ask = async (token: string, input: number): Promise<string> => {
    const answer = await fetch(`${gateway.url}/v1/embeddings`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', input }),
    })
    await answer.arrayBuffer()
    return `${answer.headers.get('x-nexcode-cache')} ${answer.headers.get('cache-status')}`
  }
  const keys: string[] = []
  for (const token of TOKENS)
    for (const input of [1, 2]) keys.push(/key="(\w+)"/.exec(await ask(token, input))?.[1] ?? '')
  const words = async (): Promise<string[]> => {
    const all: string[] = []
    for (const token of TOKENS) for (const input of [1, 2]) all.push((await ask(token, input)).split(' ')[0] ?? '')
    return all
  }
  await haveEntries(env, 4, words)
  return { env, keys, words }
}

async function works(cache: string): Promise<void> {
  const { env, keys, words } = await serve(cache)
  const said = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runProgram(['cache', ...args], env)
    expect([code, stderr]).toEqual([0, ''])
    return stdout
  }
  expect(await said('stats')).toMatch(/\n {2}entries {2}4\n {2}bytes {4}[1-9]\d+\n$/)
  expect(JSON.parse(await said('stats', '--json'))).toMatchObject({ entries: 4, store: cache.split(':')[0] })
  expect(await said('purge', '--key', keys[0] ?? '')).toBe('1 entry purged\n')
  expect(await said('purge', '--key', keys[0] ?? '')).toBe('nothing is kept under this key\n')
  expect(await words()).toEqual(['MISS', 'HIT', 'HIT', 'HIT'])
  await haveEntries(env, 4, words)
  expect(await said('purge', '--scope', 'bob')).toBe('2 entries purged of bob\n')
  expect(await words()).toEqual(['HIT', 'HIT', 'MISS', 'MISS'])
  await haveEntries(env, 4, words)
  expect(await said('purge', '--scope', 'local')).toBe('0 entries purged of local\n')
  expect(await said('purge')).toBe('4 entries purged\n')
  expect(await said('stats')).toContain('entries  0\n')
}

describe('nexcode cache', () => {
  test('counts, and takes out all, a token’s or one, while the server goes on: SQLite', () =>
    works(`sqlite:${newPath()}`))

  test.skipIf(REDIS_MISSING !== undefined)('the same with Redis, whose password is not shown', async () => {
    const redis = await startRedis([], 'pass-word')
    cleanUps.push(() => redis.kill())
    await works(redis.url)
    const { stdout } = await runProgram(['cache', 'stats'], { CACHE: redis.url })
    expect(stdout).toContain(`redis at 127.0.0.1:${redis.port}`)
    expect(stdout).not.toContain('pass-word')
    await redis.kill()
    const away = await runProgram(['cache', 'stats'], { CACHE: redis.url })
    expect([away.code, away.stdout]).toEqual([1, ''])
    expect(away.stderr).toContain('nexcode cache: the store does not do what it was asked for')
    expect(away.stderr).not.toContain('pass-word')
  })

  test('a SQLite file that is not there yet holds nothing, and is not made: it would not be the server’s', async () => {
    const path = newPath()
    const { code, stdout } = await runProgram(['cache', 'stats'], { CACHE: `sqlite:${path}` })
    expect([code, stdout]).toEqual([0, `sqlite:${path}\n  entries  0\n  bytes    0\n`])
    expect((await runProgram(['cache', 'purge'], { CACHE: `sqlite:${path}` })).stdout).toBe('0 entries purged\n')
    expect(existsSync(path)).toBe(false)
  })

  test('refuses what can not be: exit code 2, and why', async () => {
    const sqlite = { CACHE: `sqlite:${newPath()}` }
    const cases: readonly (readonly [readonly string[], Readonly<Record<string, string>>, string])[] = [
      [['stats'], { CACHE: 'memory' }, "in the server's own memory"],
      [['stats'], {}, 'no cache is configured'],
      [[], sqlite, 'nexcode cache stats'],
      [['clear'], sqlite, 'Did you mean: nexcode cache purge'],
      [['stats', '--scope', 'local'], sqlite, 'are for purge'],
      [['purge', '--json'], sqlite, '--json is for stats'],
      [['purge', '--scope', 'local', '--key', 'a'], sqlite, 'not both'],
      [['purge', '--key', ''], sqlite, '--key wants a value'],
      [
        ['purge', '--scope', 'token-3'],
        { ...sqlite, API_TOKEN: `alice:${TOKENS[0]},bob:${TOKENS[1]}`, REQUIRE_AUTH: 'true', OPENAI_API_KEY: 'sk-1' },
        'scopes go by names: there are alice, bob',
      ],
      [['purge', '--scope', 'token-1'], sqlite, 'API_TOKEN has none'],
      [['stats'], { CACHE: 'sqlite:/' }, 'is a folder'],
    ]
    for (const [args, env, said] of cases) {
      const { code, stdout, stderr } = await runProgram(['cache', ...args], env)
      expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: '' })
      expect(stderr).toContain(said)
    }
  })
})
