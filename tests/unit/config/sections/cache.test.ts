import { expect, test } from 'bun:test'
import type { TSchema } from '@sinclair/typebox'
import { Secret } from '../../../../src/config/secret.ts'
import { CACHE_DEFAULTS, CACHE_ENV, CACHE_FIELDS } from '../../../../src/config/sections/cache.ts'
import { SOURCES } from '../../../architecture/sources.ts'
import { opened } from '../../../helpers/secrets.ts'
import { BASE, load } from '../load-file.ts'

function good(text: string, base = BASE) {
  const loaded = load(text, {}, base)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  return loaded.settings
}

test('without a word about it, what the environment says holds', () => {
  const base = { ...BASE, cache: { ...CACHE_DEFAULTS, store: new Secret('memory'), ttlMs: 5 } }
  expect(good('debug_headers: true', base).cache).toEqual(base.cache)
})

test('cache: every key has its place, memory is the store where none is named, and false switches it off', () => {
  const text = `cache: { store: "sqlite:/tmp/c.db", ttl: 5m, ttl_max: 1h, max_bytes: 1000, max_entries: 10,
    max_answer_bytes: 100, requests: all, scope: shared, pace: original }`
  expect(opened(good(text).cache)).toEqual({
    store: 'sqlite:/tmp/c.db',
    ttlMs: 300_000,
    ttlMaxMs: 3_600_000,
    bytesMax: 1000,
    entriesMax: 10,
    answerBytesMax: 100,
    requests: 'all',
    scope: 'shared',
    pace: 'original',
  })
  expect(opened(good('cache: { ttl: 1m }').cache)).toEqual({ ...CACHE_DEFAULTS, store: 'memory', ttlMs: 60_000 })
  const base = { ...BASE, cache: { ...CACHE_DEFAULTS, store: new Secret('memory') } }
  expect(good('cache: false', base).cache.store).toBeUndefined()
})

test('a store that there is none of, and a ttl over its maximum, are problems at their places; the store is never shown', () => {
  const loaded = load('cache:\n  store: "redsi://:canary@host"\n  ttl: 2h\n  ttl_max: 1h\n')
  if (loaded.ok) throw new Error('no problem')
  expect(loaded.problems.map(({ line, path, wrong }) => [line, path, wrong])).toEqual([
    [1, 'cache', 'has a ttl longer than its ttl_max'],
    [2, 'cache.store', 'is no store that there is'],
  ])
  expect(JSON.stringify(loaded.problems)).not.toContain('canary')
})

test('a setting stands in the file of the section and nowhere else in src/config/', () => {
  const section = CACHE_FIELDS.cache['anyOf'].find(({ properties }: TSchema) => properties !== undefined)
  const declared = [...Object.keys(CACHE_DEFAULTS), ...Object.keys(CACHE_ENV), ...Object.keys(section.properties)]
  // A plain word such as "store" is said elsewhere, too; a name with a capital or an underscore is the setting's own.
  const names = declared.filter((name) => /[A-Z_]/.test(name) && name !== 'CACHE')
  expect(names).toEqual(expect.arrayContaining(['ttlMaxMs', 'CACHE_TTL', 'max_answer_bytes']))
  const pattern = new RegExp(`\\b(?:${names.join('|')})\\b`)
  const files = SOURCES.filter(({ path, code }) => path.startsWith('config/') && pattern.test(code))
  expect(files.map(({ path }) => path)).toEqual(['config/sections/cache.ts'])
})
