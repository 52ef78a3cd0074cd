import { expect, spyOn, test } from 'bun:test'
import { loadConfig } from '../../../src/config/load.ts'
import { openCacheStore } from '../../../src/process/open-cache-store.ts'

test('the store in this memory is not taken for one in trouble where the machine holds the process up', () => {
  const loaded = loadConfig({ CACHE: 'memory' }, { isTerminal: false, readFile: () => '' })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  const lines: unknown[] = []
  const note = (fields: object): void => void lines.push(fields)
  const log = { debug: note, info: note, warn: note, error: note, fatal: note }
  const store = openCacheStore(loaded.config.settings.cache, log)
  let at = 0
  // Each look at the clock comes a second after the last.
  using _clock = spyOn(performance, 'now').mockImplementation(() => {
    at += 1000
    return at
  })
  void store.set('key', new Uint8Array([1]), { ttlMs: 3_600_000, scope: 's' })
  expect([store.get('key'), store.get('key')]).toEqual([new Uint8Array([1]), new Uint8Array([1])])
  expect(lines).toEqual([])
})
