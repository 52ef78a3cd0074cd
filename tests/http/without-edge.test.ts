import { expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { createApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { UpstreamFetch } from '../../src/upstream/send.ts'

const silentLog = { debug() {}, info() {}, warn() {}, error() {}, fatal() {} }

function appOver(fetch: UpstreamFetch) {
  const loaded = loadConfig({ OPENAI_API_BASE: 'http://upstream.test/v1' }, { isTerminal: false, readFile: () => '' })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  const sha256 = (text: string | Uint8Array): Uint8Array => createHash('sha256').update(text).digest()
  return createApp({ config: loaded.config, version: '0.0.0', log: silentLog, fetch, sha256 })
}

const chat = (): Request =>
  new Request('http://localhost/v1/chat/completions', {
    method: 'POST',
    headers: { authorization: 'Bearer sk-mine', host: 'localhost' },
    body: '{"model":"m","messages":[{"role":"user","content":"hi"}]}',
  })

test.each([
  ['a JSON answer', '{"a": 1.0}', { 'content-type': 'application/json', 'content-length': '10' }],
  ['a stream', 'data: 1\n\ndata: [DONE]\n\n', { 'content-type': 'text/event-stream' }],
  ['an answer of another kind', 'bytes', { 'content-type': 'application/octet-stream' }],
])('a server that is none of ours gets a standard response: %s', async (_, text, headers) => {
  const seen: string[] = []
  const app = appOver(async (_url, { body }) => {
    seen.push(await new Response(body).text())
    return new Response(text, { headers: { ...headers, 'keep-alive': 'timeout=5' } })
  })
  const response = await app.fetch(chat())
  expect(response.status).toBe(200)
  expect(response.headers.has('keep-alive')).toBe(false)
  expect(await response.text()).toBe(text)
  expect(seen).toEqual(['{"model":"m","messages":[{"role":"user","content":"hi"}]}'])
  expect(app.admission.inFlight()).toBe(0)
})

test('a server that is none of ours gets our errors whole, too', async () => {
  const app = appOver(() => Promise.reject(new Error('unreachable')))
  const response = await app.fetch(chat())
  expect(response.status).toBe(502)
  expect(await response.json()).toMatchObject({ error: { code: 'upstream_unreachable' } })
})
