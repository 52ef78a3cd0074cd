import { expect, test } from 'bun:test'
import { BASE, load } from '../load-file.ts'

function good(text: string, base = BASE) {
  const loaded = load(text, {}, base)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  return loaded.settings
}

test('without a word about it, what the environment says holds', () => {
  const base = { ...BASE, idempotency: { windowMs: 7, onDisconnect: 'drain' as const } }
  expect(good('debug_headers: true', base).idempotency).toEqual({ windowMs: 7, onDisconnect: 'drain' })
})

test('each of its two keys stands at the top level of the file', () => {
  const text = 'idempotency_window: 0\non_client_disconnect: drain'
  expect(good(text).idempotency).toEqual({ windowMs: 0, onDisconnect: 'drain' })
  expect(good('idempotency_window: 60s').idempotency).toEqual({ windowMs: 60_000, onDisconnect: 'cancel' })
})
