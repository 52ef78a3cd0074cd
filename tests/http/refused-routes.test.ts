import { afterAll, beforeAll, expect, test } from 'bun:test'
import { getText, sendRaw } from '../helpers/raw-client.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const TOKEN = 'a-token-of-more-than-16-characters'

let guarded: TestGateway<'openai'>
beforeAll(async () => {
  guarded = await startGateway({
    upstreams: { openai: answerOk },
    env: { REQUIRE_AUTH: 'true', API_TOKEN: TOKEN, LOG_LEVEL: 'debug' },
  })
})
afterAll(() => guarded.stop())

/** What the log calls the route of one request. */
async function routeOf(method: string, path: string, headers: Readonly<Record<string, string>>) {
  const id = crypto.randomUUID()
  const { status } = await sendRaw(guarded.port, getText(path, { 'X-Request-Id': id, ...headers }, method))
  const line = await guarded.line(({ msg, request_id }) => msg === 'exchange' && request_id === id)
  return { status, route: line['route'] }
}

const KEY = { Authorization: `Bearer ${TOKEN}` }
const UPGRADE = {
  ...{ Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' },
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

const API: readonly (readonly [string, string, string])[] = [
  ['POST', '/v1/chat/completions', 'chat.completions'],
  ['POST', '/chat/completions?a=b', 'chat.completions'],
  ['POST', '/v1/completions', 'completions'],
  ['GET', '/v1/chat/completions', 'chat'],
  ['GET', '/v1/models', 'models'],
  ['GET', '/files/file-abc', 'files'],
  ['POST', '/v1/no-such-thing', 'other'],
  ['GET', '/openapi.json', 'openapi'],
]

test.each(API)(
  '%s %s: what is refused for want of a token has the same route in the log as what is let in',
  async (...row) => {
    const [method, path, route] = row
    expect(await routeOf(method, path, {})).toEqual({ status: 401, route })
    expect(await routeOf(method, path, { Authorization: 'Bearer wrong' })).toEqual({ status: 401, route })
    // POST without a body is refused by its route, and GET of an API goes through.
    expect((await routeOf(method, path, KEY)).route).toBe(route)
  },
)

test.each([
  ...API,
  ['GET', '/', 'home'],
  ['GET', '/docs', 'docs'],
  ['GET', '/favicon.ico', 'favicon'],
  ['GET', '/health', 'health'],
  ['GET', '/health/liveliness', 'health'],
  ['GET', '/readyz', 'ready'],
] as const)('%s %s: what the guard refuses has its route in the log, too', async (method, path, route) => {
  expect(await routeOf(method, path, { Host: 'a/b' })).toEqual({ status: 400, route })
  expect((await routeOf(method, path, KEY)).route).toBe(route)
})

test('a WebSocket that is refused has the route of its path', async () => {
  expect(await routeOf('GET', '/v1/realtime?model=m', UPGRADE)).toEqual({ status: 401, route: 'realtime' })
})

test('what leads nowhere, or may be read in two ways, has no route', async () => {
  for (const path of ['/nothing', '/v1', '/v1/v1/models'])
    expect((await routeOf('GET', path, KEY)).route).toBe('unknown')
  expect(await routeOf('GET', '/nothing', {})).toEqual({ status: 401, route: 'unknown' })
  expect(await routeOf('GET', '/v1/files/../models', KEY)).toEqual({ status: 400, route: 'unknown' })
})
