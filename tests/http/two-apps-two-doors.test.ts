import { expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { createApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load.ts'

const TOKEN = 'a-token-of-the-second-app'

/** The status of a call with a token that only one app knows, and the key that its upstream saw. */
async function callOf(env: Readonly<Record<string, string>>): Promise<readonly [number, string | null | undefined]> {
  const loaded = loadConfig(
    { HOST: '127.0.0.1', OPENAI_API_BASE: 'http://upstream.test/v1', ...env },
    { isTerminal: false, readFile: () => '' },
  )
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  let seen: string | null | undefined
  const ignore = (): void => undefined
  const app = createApp({
    config: loaded.config,
    version: '0.0.0',
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore, fatal: ignore },
    sha256: (text) => createHash('sha256').update(text).digest(),
    fetch: async (_url, init) => {
      seen = new Headers(init.headers).get('authorization')
      return Response.json({ object: 'list', data: [] })
    },
  })
  const headers = { host: 'localhost', authorization: `Bearer ${TOKEN}` }
  const response = await app.fetch(new Request('http://localhost/v1/models', { headers }))
  await response.text()
  return [response.status, seen]
}

test('two gateways in one process each keep their own door: a token of one is not passed on as the other would', async () => {
  const server = { REQUIRE_AUTH: 'true', OPENAI_API_KEY: 'sk-of-the-server' }
  expect(await callOf({})).toEqual([200, `Bearer ${TOKEN}`])
  expect(await callOf({ ...server, API_TOKEN: TOKEN })).toEqual([200, 'Bearer sk-of-the-server'])
  expect(await callOf({ ...server, API_TOKEN: 'another-token-altogether' })).toEqual([401, undefined])
})
