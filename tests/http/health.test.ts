import { afterAll, beforeAll, expect, test } from 'bun:test'
import { getText, openRawClient, sendRaw } from '../helpers/raw-client.ts'
import { all, answersOf } from '../helpers/received-answers.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const TOKEN = 'token-one-0123456789abcdef'

let gateway: TestGateway<'openai'>

beforeAll(async () => {
  gateway = await startGateway({
    upstreams: { openai: answerOk },
    env: { REQUIRE_AUTH: 'true', API_TOKEN: TOKEN, MAX_IN_FLIGHT: '1' },
  })
})

afterAll(() => gateway.stop())

test('GET /health and /healthz, and the names that others use, say that the process lives', async () => {
  const paths = ['/health', '/healthz', '/livez', '/health/liveliness', '/health?probe=1']
  const requests = Object.fromEntries(paths.map((path) => [path, getText(path)]))
  const answers = await answersOf(gateway.port, requests, (response) => [response.status, response.json()])
  expect(answers).toEqual(all(paths, [200, { status: 'ok' }]))
  expect((await sendRaw(gateway.port, getText('/health'))).headers.get('cache-control')).toBe('no-store')
})

test('GET /ready says that new requests are taken', async () => {
  const paths = ['/ready', '/readyz', '/health/readiness']
  const requests = Object.fromEntries(paths.map((path) => [path, getText(path)]))
  const answers = await answersOf(gateway.port, requests, (response) => [response.status, response.json()])
  expect(answers).toEqual(all(paths, [200, { status: 'ready' }]))
})

test('health never calls a model', () => {
  expect(gateway.upstreams.openai.connectionCount()).toBe(0)
})

test('HEAD works for probes that use it, and the connection stays open', async () => {
  const client = await openRawClient(gateway.port)
  client.write(getText('/health', {}, 'HEAD') + getText('/ready'))
  await client.until((bytes) => bytes.includes('{"status":"ready"}'))
  client.leave()
})

test('/ says in one line what this is, and the docs page has no outside assets', async () => {
  const home = await sendRaw(gateway.port, getText('/'))
  expect(home.text()).toMatch(/^[^\n]*NexCode[^\n]*\n?$/)
  const docs = await sendRaw(gateway.port, getText('/docs'))
  expect(docs.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(docs.text()).not.toMatch(/<(script|img|iframe|link)[\s>]|@import|url\(/i)
})

test('GET /openapi.json describes the two endpoints', async () => {
  const answer = await sendRaw(gateway.port, getText('/openapi.json', { Authorization: `Bearer ${TOKEN}` }))
  const document = answer.json() as { openapi: string; paths: Record<string, unknown> }
  expect(document.openapi).toMatch(/^3\./)
  expect(Object.keys(document.paths).join(' ')).toContain('/chat/completions')
})

test('health answers while every place for a request is taken', async () => {
  const hold = Promise.withResolvers<void>()
  gateway.upstreams.openai.play(async (_request, { json }) => {
    await hold.promise
    json({ ok: true })
  })
  const held = sendRaw(gateway.port, getText('/v1/models', { Authorization: `Bearer ${TOKEN}` }))
  await gateway.upstreams.openai.request(1)
  expect((await sendRaw(gateway.port, getText('/health'))).status).toBe(200)
  expect((await sendRaw(gateway.port, getText('/ready'))).status).toBe(200)
  hold.resolve()
  expect((await held).status).toBe(200)
})

test("every answer of the server's own carries its request id", async () => {
  for (const path of ['/health', '/ready', '/', '/docs', '/nowhere']) {
    const response = await sendRaw(gateway.port, getText(path, { 'x-request-id': `probe-${path.length}` }))
    expect([path, response.headers.get('x-request-id')]).toEqual([path, `probe-${path.length}`])
  }
})
