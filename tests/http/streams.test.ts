import { afterAll, beforeAll, expect, test } from 'bun:test'
import fc from 'fast-check'
import { hasHead } from '../helpers/received-answers.ts'
import { OWN_KEY } from '../helpers/send-request.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { byHand, SSE } from '../helpers/upstream-scripts.ts'
import { AT_ONCE_MS, within } from '../helpers/within.ts'

let gateway: TestGateway<'openai'>

beforeAll(async () => {
  gateway = await startGateway({ upstreams: { openai: byHand } })
})

afterAll(() => gateway.stop())

const STREAM = new TextEncoder().encode(
  'data: {"choices":[{"delta":{"content":"你好 🦊"}}]}\r\n\r\n: a comment\n\nevent: x\rdata: 1.0\r\rdata: [DONE]\n\n',
)

test('every chunk goes on as it arrives: the client has it before the next one is sent', async () => {
  const { client, record } = await gateway.send()
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.startChunked(200, SSE)
  for (const event of ['data: 1\n\n', 'data: 2\n\n', 'data: 3']) {
    connection.chunk(event)
    await within(
      AT_ONCE_MS,
      'a chunk',
      client.until((received) => received.includes(event)),
    )
  }
  connection.endChunks()
  const response = await client.response()
  expect(response.text()).toBe('data: 1\n\ndata: 2\n\ndata: 3')
  expect(response.isComplete).toBe(true)
  expect(await record()).toMatchObject({ status: 200, outcome: 'complete', bytes: 25, attempts: 1, stream: true })
})

test('a stream sent byte by byte, with split UTF-8 and CRLF, arrives byte-exact', async () => {
  const { client } = await gateway.send()
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.startChunked(200, SSE)
  for (const byte of STREAM) {
    connection.chunk(new Uint8Array([byte]))
    await new Promise((resolve) => setImmediate(resolve))
  }
  connection.endChunks()
  const response = await client.response()
  expect([...response.body]).toEqual([...STREAM])
  expect(response.isComplete).toBe(true)
})

test('any chunking of a stream is invisible', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 2000 }),
      fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 12 }),
      fc.boolean(),
      async (behind, sizes, isPaced) => {
        const bytes = Buffer.concat([Buffer.from('data: 1\n\n'), behind])
        const { client } = await gateway.send()
        const { connection } = await gateway.upstreams.openai.arrival()
        connection.startChunked(200, SSE)
        for (let at = 0, turn = 0; at < bytes.byteLength; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1
          connection.chunk(bytes.subarray(at, at + size))
          at += size
          if (isPaced) await new Promise((resolve) => setImmediate(resolve))
        }
        connection.endChunks()
        const response = await client.response()
        client.leave()
        expect(response.isComplete).toBe(true)
        expect(response.body.equals(bytes)).toBe(true)
      },
    ),
    { numRuns: 60 },
  )
})

test("response headers go out when upstream's come, not with the first event", async () => {
  const { client } = await gateway.send()
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.startChunked(200, { ...SSE, 'x-ratelimit-remaining-requests': '7' })
  const head = (await within(AT_ONCE_MS, 'the head', client.until(hasHead))).toString()
  expect(head).toContain('HTTP/1.1 200')
  expect(head).toContain('x-ratelimit-remaining-requests: 7')
  expect(head).toContain('x-accel-buffering: no')
  connection.chunk('data: 1\n\n')
  connection.endChunks()
  expect((await client.response()).isComplete).toBe(true)
})

test("response headers go out when upstream's come, also where a length says that a body follows", async () => {
  const { client } = await gateway.send({ method: 'GET', target: '/v1/files/f/content', body: null })
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.write('HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ncontent-length: 3\r\n\r\n')
  await within(AT_ONCE_MS, 'the head', client.until(hasHead))
  connection.write('abc')
  expect((await client.response()).text()).toBe('abc')
})

test('a stream that upstream ends by closing the connection (HTTP/1.0 style) is complete', async () => {
  const { client, record } = await gateway.send()
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: [DONE]\n\n')
  await client.until((received) => received.includes('[DONE]'))
  connection.socket.end()
  expect(await client.response()).toMatchObject({ isComplete: true })
  expect(await record()).toMatchObject({ outcome: 'complete', bytes: 14 })
})

test('an encoded stream passes encoded, byte for byte', async () => {
  const encoded = Bun.gzipSync(STREAM)
  const { client } = await gateway.send({ headers: { ...OWN_KEY, 'Accept-Encoding': 'gzip' } })
  const { request, connection } = await gateway.upstreams.openai.arrival()
  expect(request.header('accept-encoding')).toBe('gzip')
  connection.startChunked(200, { ...SSE, 'content-encoding': 'gzip' })
  connection.chunk(encoded.subarray(0, 10))
  connection.chunk(encoded.subarray(10))
  connection.endChunks()
  const response = await client.response()
  expect(response.headers.get('content-encoding')).toBe('gzip')
  expect(response.body.equals(encoded)).toBe(true)
})

test.each(['/v1/completions', '/v1/responses', '/v1/audio/speech'])(
  '%s streams too, chunk by chunk',
  async (target) => {
    const { client } = await gateway.send({ target })
    const { connection } = await gateway.upstreams.openai.arrival()
    connection.startChunked(200, SSE)
    await within(AT_ONCE_MS, 'the head', client.until(hasHead))
    connection.chunk('data: 1\n\n')
    await within(
      AT_ONCE_MS,
      'a chunk',
      client.until((received) => received.includes('data: 1')),
    )
    connection.endChunks()
    expect(await client.response()).toMatchObject({ status: 200, isComplete: true })
  },
)
