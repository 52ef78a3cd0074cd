import { expect, test } from 'bun:test'
import { BASE, load } from '../load-file.ts'

function good(text: string, base = BASE) {
  const loaded = load(text, {}, base)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  return loaded.settings
}

test('without a word about it, those that the environment names hold', () => {
  const base = { ...BASE, extensions: [{ path: '/x.ts', options: {}, onError: 'fail' as const, timeoutMs: 1 }] }
  expect(good('debug_headers: true', base).extensions).toEqual(base.extensions)
})

test('a path alone or with its settings, as seen from the file', () => {
  const text = 'extensions: [./a.ts, { path: /b.ts, options: { x: [1] }, on_error: skip, timeout: 50 }]'
  expect(good(text).extensions).toEqual([
    { path: expect.stringMatching(/a\.ts$/), options: {}, onError: 'fail', timeoutMs: 5000 },
    { path: '/b.ts', options: { x: [1] }, onError: 'skip', timeoutMs: 50 },
  ])
})
