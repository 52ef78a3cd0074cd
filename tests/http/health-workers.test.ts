import { expect, test } from 'bun:test'
import { createApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { WorkersState } from '../../src/server/routes/health.ts'

const silent = (): void => undefined

/** An app that is one of several processes, as the state says. */
function appOf(workers: () => WorkersState) {
  const loaded = loadConfig({ HOST: '127.0.0.1' }, { isTerminal: false, readFile: () => '' })
  if (!loaded.ok) throw new Error('The configuration of this test is not valid.')
  return createApp({
    config: loaded.config,
    version: '0.0.0',
    log: { debug: silent, info: silent, warn: silent, error: silent, fatal: silent },
    sha256: (text) => new Bun.CryptoHasher('sha256').update(text).digest(),
    fetch: async () => new Response(),
    workers,
  })
}

test('with several processes, health and readiness tell how many are up; it is ready once all have been', async () => {
  let state: WorkersState = { up: 1, of: 2, haveStarted: false }
  const app = appOf(() => state)
  const ask = async (path: string): Promise<unknown> => {
    const answer = await app.fetch(new Request(`http://localhost${path}`, { headers: { host: 'localhost' } }))
    return [answer.status, await answer.json()]
  }
  expect(await ask('/health')).toEqual([200, { status: 'ok', workers: { up: 1, of: 2 } }])
  expect(await ask('/ready')).toEqual([503, { status: 'starting', workers: { up: 1, of: 2 } }])

  state = { up: 2, of: 2, haveStarted: true }
  expect(await ask('/ready')).toEqual([200, { status: 'ready', workers: { up: 2, of: 2 } }])

  // One that was lost: the others serve, and should not be taken out for it.
  state = { up: 1, of: 2, haveStarted: true }
  expect(await ask('/ready')).toEqual([200, { status: 'ready', workers: { up: 1, of: 2 } }])
  expect(await ask('/health')).toEqual([200, { status: 'ok', workers: { up: 1, of: 2 } }])

  void app.admission.drain()
  expect(await ask('/ready')).toEqual([503, { status: 'draining', workers: { up: 1, of: 2 } }])
  expect(await ask('/health')).toEqual([200, { status: 'ok', workers: { up: 1, of: 2 } }])
})
