import { afterAll, beforeAll, expect, test } from 'bun:test'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { hasHead } from '../helpers/received-answers.ts'
import { CHAT, OWN_KEY } from '../helpers/send-request.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { byHand, SSE } from '../helpers/upstream-scripts.ts'
import { AT_ONCE_MS, within } from '../helpers/within.ts'

const SERVER_KEY = 'sk-server-own-0123456789'
const STARS = '*'.repeat(SERVER_KEY.length)
/** A program on this machine without a key: it spends the server's. */
const NO_KEY = {}

let gateway: TestGateway<'openai'>

beforeAll(async () => {
  gateway = await startGateway({ upstreams: { openai: byHand }, env: { OPENAI_API_KEY: SERVER_KEY } })
})

afterAll(() => gateway.stop())

const BODIES: readonly (readonly [string, string, Uint8Array | string])[] = [
  [
    'JSON',
    'application/json',
    '{ "error": {"message":"no", "type":"tokens","param":null,"code":"rate_limit_exceeded", "n": 1.0} }\n',
  ],
  ['HTML', 'text/html', '<html><h1>413 Request Entity Too Large</h1></html>'],
  ['text', 'text/plain; charset=utf-8', 'upstream connect error'],
  ['bytes of no type', '', new Uint8Array([0, 255, 1, 254])],
  ['nothing', 'application/json', ''],
]

for (const [whose, headers, statuses] of [
  ["the caller's key", OWN_KEY, [400, 401, 404, 413, 429, 500, 503]],
  ["the server's key", NO_KEY, [400, 403, 404, 413, 429, 500, 503]],
] as const) {
  test.each(BODIES)(`the upstream's own errors pass through untouched, with ${whose}: %s`, async (_, type, body) => {
    for (const status of statuses) {
      const { client, record } = await gateway.send({ body: CHAT, headers })
      const { connection } = await gateway.upstreams.openai.arrival()
      connection.respond(
        status,
        { ...(type !== '' && { 'content-type': type }), 'retry-after': '7', 'x-request-id': 'up-1' },
        body,
      )
      const response = await client.response()
      expect(response.status).toBe(status)
      expect(response.body.equals(Buffer.from(body))).toBe(true)
      expect(response.headers.get('content-type')).toBe(type === '' ? undefined : type)
      expect(response.headers.get('content-length')).toBe(String(Buffer.byteLength(body)))
      expect(response.headers.get('retry-after')).toBe('7')
      expect(response.headers.get('x-request-id')).toBe('up-1')
      expect(await record()).toMatchObject({ status, outcome: 'complete', bytes: Buffer.byteLength(body), attempts: 1 })
      client.leave()
    }
  })

  test(`an encoded error passes through untouched, with ${whose}`, async () => {
    const encoded = gzipSync('{"error":{"message":"no"}}')
    for (const isChunked of [false, true]) {
      const { client } = await gateway.send({ body: CHAT, headers })
      const { connection } = await gateway.upstreams.openai.arrival()
      const head = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
      if (!isChunked) connection.respond(429, head, encoded)
      else {
        connection.startChunked(429, head)
        connection.chunk(encoded)
        connection.endChunks()
      }
      const response = await client.response()
      expect(response.headers.get('content-encoding')).toBe('gzip')
      expect(response.body.equals(encoded)).toBe(true)
    }
  })
}

const ECHO = `{"error":{"message":"Incorrect API key provided: ${SERVER_KEY}. Again: ${SERVER_KEY}","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`
const MASKED = ECHO.replaceAll(SERVER_KEY, STARS)

test.each(['application/json', 'text/plain', 'text/html'])(
  "the server's own key, should an upstream echo it (%s), is masked with the same length",
  async (type) => {
    const { client } = await gateway.send({ body: CHAT, headers: NO_KEY })
    const { request, connection } = await gateway.upstreams.openai.arrival()
    expect(request.header('authorization')).toBe(`Bearer ${SERVER_KEY}`)
    connection.respond(500, { 'content-type': type, 'x-echo': `key=${SERVER_KEY}` }, ECHO)
    const response = await client.response()
    expect(response.text()).toBe(MASKED)
    expect(response.headers.get('content-length')).toBe(String(ECHO.length))
    expect(response.headers.get('x-echo')).toBe(`key=${STARS}`)
  },
)

test("the server's own key is masked across the boundaries of chunks, byte by byte", async () => {
  const { client } = await gateway.send({ body: CHAT, headers: NO_KEY })
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.startChunked(500, { 'content-type': 'application/json' })
  for (const byte of ECHO) {
    connection.chunk(byte)
    await new Promise((resolve) => setImmediate(resolve))
  }
  connection.endChunks()
  const response = await client.response()
  expect(response.text()).toBe(MASKED)
  expect(response.isComplete).toBe(true)
})

test.each([
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
] as const)("the server's own key is masked in a %s body, which goes on decoded", async (coding, encode) => {
  for (const isChunked of [false, true]) {
    const { client, record } = await gateway.send({ body: CHAT, headers: NO_KEY })
    const { connection } = await gateway.upstreams.openai.arrival()
    const head = { 'content-type': 'application/json', 'content-encoding': coding }
    if (!isChunked) connection.respond(500, head, encode(ECHO))
    else {
      connection.startChunked(500, head)
      for (const byte of encode(ECHO)) connection.chunk(new Uint8Array([byte]))
      connection.endChunks()
    }
    const response = await client.response()
    expect(response.text()).toBe(MASKED)
    expect(response.headers.get('content-encoding')).toBeUndefined()
    expect(response.isComplete).toBe(true)
    expect(await record()).toMatchObject({ status: 500, bytes: ECHO.length })
  }
})

test("a caller's own key is not touched", async () => {
  const echo = ECHO.replaceAll(SERVER_KEY, 'sk-callers-own')
  const { client } = await gateway.send({ body: CHAT, headers: OWN_KEY })
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.respond(401, { 'content-type': 'application/json' }, echo)
  expect((await client.response()).text()).toBe(echo)
})

test('an error body that breaks off is visibly broken, or a 502 where it was small JSON', async () => {
  for (const [type, isTyped] of [
    ['application/json', true],
    ['text/plain', false],
  ] as const) {
    const { client } = await gateway.send({ body: CHAT, headers: NO_KEY })
    const { connection } = await gateway.upstreams.openai.arrival()
    connection.write(`HTTP/1.1 500 X\r\ncontent-type: ${type}\r\ncontent-length: 100\r\n\r\n{"error":`)
    // Of small JSON nothing is sent before all of it is there.
    if (isTyped) await Bun.sleep(20)
    else await client.until(hasHead)
    connection.reset()
    const response = await client.response()
    expect(response.status).toBe(isTyped ? 502 : 500)
    expect(response.isComplete).toBe(isTyped)
  }
})

test('a small JSON answer that is cut short is a typed 502', async () => {
  const { client, record } = await gateway.send({ body: CHAT })
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"id":')
  connection.socket.end()
  const response = await client.response()
  expect(response.status).toBe(502)
  expect(response.json()).toMatchObject({ error: { code: 'upstream_unreachable', param: null, type: 'server_error' } })
  expect(await record()).toMatchObject({ status: 502, outcome: 'failed', attempts: 1 })
})

test.each([
  ['with a length', 'content-length: 5000000'],
  ['in chunks', 'transfer-encoding: chunked'],
])('a large JSON answer %s that is cut short is visibly broken', async (_, framing) => {
  const { client, record } = await gateway.send({ body: CHAT })
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${framing}\r\n\r\n3\r\n"id\r\n`)
  await client.until((received) => received.includes('"id'))
  connection.socket.end()
  const response = await client.response()
  expect(response.status).toBe(200)
  expect(response.isComplete).toBe(false)
  expect(await record()).toMatchObject({ status: 200, outcome: 'failed', error: 'upstream_unreachable' })
})

const INVALID_RESPONSE = {
  error: {
    message: 'The upstream API answered with something that is not an API answer. You can retry your request.',
    type: 'server_error',
    param: null,
    code: 'upstream_invalid_response',
  },
}

test.each([
  ['chat', {}],
  ['completions', { target: '/v1/completions', body: '{"prompt":"hi"}' }],
  [
    'a passthrough that asks for JSON',
    { target: '/v1/models', method: 'GET', body: null, headers: { ...OWN_KEY, Accept: 'application/json' } },
  ],
])('HTML where JSON was asked for is a 502: %s', async (_, shot) => {
  const { client, record } = await gateway.send(shot)
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.respond(200, { 'content-type': 'Text/HTML; charset=utf-8' }, '<html>please log in</html>')
  const response = await client.response()
  expect(response.status).toBe(502)
  expect(response.json()).toEqual(INVALID_RESPONSE)
  expect(await record()).toMatchObject({ outcome: 'failed', cause: 'upstream answered with a text/html page' })
})

test.each([301, 302, 303, 307, 308])('a %d redirect on chat is a 502, and no key follows it', async (status) => {
  const { client } = await gateway.send({ body: CHAT, headers: NO_KEY })
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.respond(status, { location: `${gateway.upstreams.openai.url}/elsewhere` }, '')
  const response = await client.response()
  expect(response.status).toBe(502)
  expect(response.json()).toEqual(INVALID_RESPONSE)
  expect(gateway.upstreams.openai.requests.filter(({ target }) => target === '/elsewhere')).toEqual([])
})

test('a redirect of a passthrough passes through, with no key followed', async () => {
  const { client } = await gateway.send({ method: 'GET', target: '/v1/files/f/content', body: null })
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.respond(302, { location: 'https://storage.example/f' }, '')
  const response = await client.response()
  expect(response.status).toBe(302)
  expect(response.headers.get('location')).toBe('https://storage.example/f')
})

test.each([99, 600, 999])('a status that HTTP does not have (%d) is a 502, and upstream is let go', async (status) => {
  const { client } = await gateway.send({ body: CHAT })
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.write(`HTTP/1.1 ${status} X\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n`)
  expect((await client.response()).json()).toEqual(INVALID_RESPONSE)
  await within(AT_ONCE_MS, 'closing', connection.closed)
})

test.each([204, 205])('a %d has no body, and no client waits for one', async (status) => {
  const { client } = await gateway.send({ method: 'DELETE', target: '/v1/files/f', body: null })
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.write(`HTTP/1.1 ${status} X\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`)
  const response = await client.response()
  expect(response.status).toBe(status)
  expect(response.body.byteLength).toBe(0)
  expect(response.headers.get('content-length') ?? '0').toBe('0')
})

test.each(['', 'Všechno v pořádku', 'Very Fine'])(
  'a reason phrase of any kind (%j) does not harm the answer',
  async (reason) => {
    const { client } = await gateway.send({ body: CHAT })
    const { connection } = await gateway.upstreams.openai.arrival()
    connection.write(`HTTP/1.1 200 ${reason}\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`)
    expect(await client.response()).toMatchObject({ status: 200, isComplete: true })
  },
)

test('an error event within a stream passes as it came', async () => {
  const { client } = await gateway.send()
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.startChunked(200, SSE)
  connection.chunk('data: {"error":{"message":"server overloaded"}}\n\n')
  connection.endChunks()
  const response = await client.response()
  expect(response.text()).toBe('data: {"error":{"message":"server overloaded"}}\n\n')
  expect(response.isComplete).toBe(true)
})
