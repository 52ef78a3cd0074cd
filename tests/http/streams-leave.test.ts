import { afterAll, beforeAll, expect, test } from 'bun:test'
import { hasHead } from '../helpers/received-answers.ts'
import { CHAT, type RequestParts } from '../helpers/send-request.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { byHand, SSE } from '../helpers/upstream-scripts.ts'
import { AT_ONCE_MS, within } from '../helpers/within.ts'

let gateway: TestGateway<'openai'>

beforeAll(async () => {
  gateway = await startGateway({ upstreams: { openai: byHand } })
})

afterAll(() => gateway.stop())

const SHOTS: readonly (readonly [string, RequestParts])[] = [
  ['a streamed chat completion', {}],
  ['a chat completion', { body: CHAT }],
  ['a text completion', { target: '/v1/completions', body: '{"model":"m","prompt":"hi"}' }],
  ['a passthrough POST', { target: '/v1/embeddings', body: '{"model":"m","input":"hi"}' }],
  ['a GET', { method: 'GET', target: '/v1/models', body: null }],
  ['a DELETE', { method: 'DELETE', target: '/v1/files/f', body: null }],
  ['a chat completion without /v1', { target: '/chat/completions' }],
]

test.each(SHOTS)(
  "%s: the client leaves before the first byte, and upstream's connection closes at once",
  async (_, shot) => {
    const { client, record } = await gateway.send(shot)
    const { connection } = await gateway.upstreams.openai.arrival()
    client.leave()
    await within(AT_ONCE_MS, 'closing', connection.closed)
    expect(await record()).toMatchObject({ status: 499, outcome: 'cancelled', bytes: 0, attempts: 1 })
  },
)

test.each(SHOTS)("%s: the client leaves in mid-stream, and upstream's connection closes at once", async (_, shot) => {
  const { client, record } = await gateway.send(shot)
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.startChunked(200, SSE)
  connection.chunk('data: 1\n\n')
  await client.until((received) => received.includes('data: 1'))
  client.leave()
  await within(AT_ONCE_MS, 'closing', connection.closed)
  expect(await record()).toMatchObject({ status: 499, outcome: 'cancelled', bytes: 9, attempts: 1 })
})

test.each(SHOTS)(
  "%s: the client leaves during an answer with a length, and upstream's connection closes at once",
  async (_, shot) => {
    const { client, record } = await gateway.send(shot)
    const { connection } = await gateway.upstreams.openai.arrival()
    connection.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"id":')
    // Nothing of a small JSON answer is sent before all of it is there: give the gateway a moment to be in its midst.
    await Bun.sleep(20)
    client.leave()
    await within(AT_ONCE_MS, 'closing', connection.closed)
    expect(await record()).toMatchObject({ status: 499, outcome: 'cancelled' })
  },
)

test("the client leaves with a reset, and upstream's connection closes at once", async () => {
  const { client, record } = await gateway.send()
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.startChunked(200, SSE)
  await client.until(hasHead)
  client.socket.resetAndDestroy()
  await within(AT_ONCE_MS, 'closing', connection.closed)
  expect(await record()).toMatchObject({ outcome: 'cancelled' })
})

test("the client leaves while it takes nothing of a flood, and upstream's connection closes at once", async () => {
  const { client, record } = await gateway.send()
  const { connection } = await gateway.upstreams.openai.arrival()
  client.socket.pause()
  connection.startChunked(200, SSE)
  const flood = setInterval(() => {
    if (connection.socket.writableLength < 1024 * 1024) connection.chunk(new Uint8Array(256 * 1024))
  }, 1)
  connection.socket.on('close', () => clearInterval(flood))
  await Bun.sleep(300)
  client.leave()
  await within(AT_ONCE_MS, 'closing', connection.closed)
  expect(await record()).toMatchObject({ outcome: 'cancelled' })
})

test("the client leaves during an upload, and upstream's connection closes at once", async () => {
  const { client, record } = await gateway.send({
    target: '/v1/files',
    body: null,
    headers: {
      Authorization: 'Bearer k',
      'Content-Type': 'multipart/form-data; boundary=x',
      'Content-Length': '5000000',
    },
  })
  client.write(new Uint8Array(100_000))
  const { connection } = await gateway.upstreams.openai.arrival()
  client.leave()
  await within(AT_ONCE_MS, 'closing', connection.closed)
  expect(await record()).toMatchObject({ status: 499, outcome: 'cancelled', attempts: 1 })
})

// A client that closes in the proper way can't be noticed here: its FIN waits behind the bytes that nobody takes.
test("the client breaks off an upload that upstream does not take, and upstream's connection closes at once", async () => {
  const { client, record } = await gateway.send({
    target: '/v1/files',
    body: null,
    headers: { Authorization: 'Bearer k', 'Content-Type': 'application/octet-stream', 'Content-Length': '100000000' },
  })
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.socket.pause()
  for (let times = 0; times < 40; times += 1) {
    if (client.socket.writableLength < 1024 * 1024) client.write(new Uint8Array(512 * 1024))
    await Bun.sleep(5)
  }
  client.socket.resetAndDestroy()
  expect(await within(AT_ONCE_MS, 'the record', record())).toMatchObject({ status: 499, outcome: 'cancelled' })
  connection.socket.resume()
  await within(AT_ONCE_MS, 'closing', connection.closed)
})

test.each(['Content-Length: 5000', 'Transfer-Encoding: chunked'])(
  'the client leaves in the midst of a chat body (%s): nothing goes upstream',
  async (framing) => {
    const before = gateway.upstreams.openai.requests.length
    const [name = '', value = ''] = framing.split(': ')
    const { client, record } = await gateway.send({
      body: null,
      headers: { Authorization: 'Bearer k', 'Content-Type': 'application/json', [name]: value },
    })
    client.write(name === 'Content-Length' ? '{"model":' : '9\r\n{"model":\r\n')
    await Bun.sleep(20)
    client.leave()
    expect(await within(AT_ONCE_MS, 'the record', record())).toMatchObject({
      status: 499,
      outcome: 'cancelled',
      attempts: 0,
    })
    expect(gateway.upstreams.openai.requests.length).toBe(before)
  },
)

test('a client that left takes nothing from the others: the next request is served', async () => {
  const { client } = await gateway.send({ body: CHAT })
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.json({ ok: true })
  expect((await client.response()).json()).toEqual({ ok: true })
})
