import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../../../../src/config/load.ts'
import { Secret } from '../../../../src/config/secret.ts'
import type { UpstreamSettings } from '../../../../src/config/sections/upstreams/upstream.ts'
import type { Settings } from '../../../../src/config/settings.ts'
import { openFolder } from '../../../../src/process/cassettes/open-folder.ts'
import { explainFolder } from '../../../../src/process/cassettes/open-writer.ts'
import { serverSecrets } from '../../../../src/process/cassettes/server-secrets.ts'
import { keysOf, pairsOf } from '../../../helpers/secrets.ts'

let path: string

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'nexcode-cassettes-'))
})

afterEach(async () => {
  await rm(path, { recursive: true, force: true })
})

describe('a folder of cassettes', () => {
  test('has no files where it is not there yet, and is made with the first one', async () => {
    const folder = openFolder(join(path, 'deep', 'tapes'))
    expect(await folder.list()).toEqual([])
    expect(await folder.create('a.json', 'text')).toBe(true)
    expect(await folder.list()).toEqual(['a.json'])
    expect(await folder.read('a.json')).toBe('text')
  })

  test('keeps a file that is there', async () => {
    const folder = openFolder(path)
    expect(await folder.create('a.json', 'first')).toBe(true)
    expect(await folder.create('a.json', 'second')).toBe(false)
    expect(await readFile(join(path, 'a.json'), 'utf8')).toBe('first')
  })

  test('that is a file cannot be used, and the cure is told', async () => {
    const file = join(path, 'file')
    await writeFile(file, '')
    const cause: unknown = await openFolder(file)
      .list()
      .catch((thrown: unknown) => thrown)
    expect(explainFolder('file', cause)).toBe(
      'nexcode: the folder of cassettes file cannot be used: a part of the path is a file, not a folder (ENOTDIR). Name a folder, not a file.',
    )
    expect(
      await openFolder(file)
        .create('a', '')
        .catch(() => 'refused'),
    ).toBe('refused')
  })

  test('that nobody may use is told so', () => {
    const cause = Object.assign(new Error('no'), { code: 'EACCES' })
    expect(explainFolder('x', cause)).toEndWith('(EACCES). Name one that this user may read and write.')
  })

  test('that fails without a code is told so', () => {
    expect(explainFolder('x', new Error('no'))).toContain('cannot be used: no.')
  })
})

describe('the secrets of a server', () => {
  test('are its tokens, and the keys of all its upstreams, wherever they stand', () => {
    const env = {
      OPENAI_API_KEY: 'sk-of-the-environment',
      API_TOKEN: 'token-of-more-than-16-chars',
      REQUIRE_AUTH: 'true',
    }
    const loaded = loadConfig(env, { isTerminal: false, readFile: () => '' })
    if (!loaded.ok) throw new Error('not valid')
    const { config } = loaded
    const [first] = config.settings.upstreams
    const other: UpstreamSettings = {
      ...(first as UpstreamSettings),
      keys: keysOf('key-of-another', 'key-of-its-pool'),
      headers: pairsOf({ 'x-portkey-api-key': 'key-in-a-header', 'x-plain': 'no-secret' }),
      query: pairsOf({ 'api-version': '2024-10-21', key: 'key-in-a-query' }),
      proxy: new Secret('http://me:password%2Fof-a-proxy@proxy:3128'),
    }
    const cache = { ...config.settings.cache, store: new Secret('redis://:password-of-a-store@redis:6379') }
    const settings: Settings = { ...config.settings, cache, upstreams: [...config.settings.upstreams, other] }
    expect([...serverSecrets({ ...config, settings })].toSorted()).toEqual([
      'key-in-a-header',
      'key-in-a-query',
      'key-of-another',
      'key-of-its-pool',
      'password%2Fof-a-proxy',
      'password-of-a-store',
      'password/of-a-proxy',
      'sk-of-the-environment',
      'token-of-more-than-16-chars',
    ])
  })

  test('are none where it has none', () => {
    const loaded = loadConfig({}, { isTerminal: false, readFile: () => '' })
    if (!loaded.ok) throw new Error('not valid')
    expect(serverSecrets(loaded.config)).toEqual([])
  })
})
