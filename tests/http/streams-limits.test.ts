import { afterAll, beforeAll, expect, test } from 'bun:test'
import { hasHead } from '../helpers/received-answers.ts'
import { CHAT } from '../helpers/send-request.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { byHand, SSE } from '../helpers/upstream-scripts.ts'
import { AT_ONCE_MS, within } from '../helpers/within.ts'

const PING_MS = 40
const PING = ' \n'
/** Far longer than what is in time takes on a busy machine, since a timer that comes first ends it. */
const FIRST_BYTE_MS = 800
const IDLE_MS = 1000
const TOTAL_MS = 1000

const gateways = new Map<string, TestGateway<'openai'>>()
const ENVIRONMENTS = {
  ping: { SSE_PING_MS: String(PING_MS) },
  firstByte: { FIRST_BYTE_TIMEOUT_MS: String(FIRST_BYTE_MS) },
  idle: { STREAM_IDLE_TIMEOUT_MS: String(IDLE_MS) },
  total: { TOTAL_TIMEOUT_MS: String(TOTAL_MS) },
} as const

beforeAll(async () => {
  for (const [name, env] of Object.entries(ENVIRONMENTS))
    gateways.set(name, await startGateway({ upstreams: { openai: byHand }, env }))
})

afterAll(async () => {
  for (const gateway of gateways.values()) await gateway.stop()
})

function gatewayWith(name: keyof typeof ENVIRONMENTS): TestGateway<'openai'> {
  const gateway = gateways.get(name)
  if (gateway === undefined) throw new Error(`no gateway for ${name}`)
  return gateway
}

test('SSE_PING_MS: a silent stream gets lines that say nothing, at event boundaries only', async () => {
  const { client, record } = await gatewayWith('ping').send()
  const { connection } = await gatewayWith('ping').upstreams.openai.arrival()
  connection.startChunked(200, SSE)
  await within(
    AT_ONCE_MS,
    'the first ping',
    client.until((received) => received.includes(PING)),
  )
  connection.chunk('data: 1')
  await client.until((received) => received.includes('data: 1'))
  const inMidst = client.received().toString()
  await Bun.sleep(PING_MS * 3)
  expect(client.received().toString()).toBe(inMidst)
  connection.chunk('\n')
  connection.chunk('\n')
  await within(
    AT_ONCE_MS,
    'the next ping',
    client.until((received) => received.toString().slice(inMidst.length).includes(PING)),
  )
  connection.endChunks()
  const response = await client.response()
  expect(response.isComplete).toBe(true)
  expect(response.text()).toMatch(/^( \n)+data: 1\n\n( \n)+$/)
  expect(await record()).toMatchObject({ outcome: 'complete', bytes: 9 })
})

test('SSE_PING_MS: what is no plain event stream gets none', async () => {
  for (const headers of [{ 'content-type': 'application/json' }, { ...SSE, 'content-encoding': 'gzip' }]) {
    const { client } = await gatewayWith('ping').send()
    const { connection } = await gatewayWith('ping').upstreams.openai.arrival()
    connection.startChunked(200, headers)
    await client.until(hasHead)
    await Bun.sleep(PING_MS * 3)
    connection.endChunks()
    expect((await client.response()).body.byteLength).toBe(0)
  }
})

test('SSE_PING_MS: the client leaves between two pings, and upstream’s connection closes at once', async () => {
  const { client, record } = await gatewayWith('ping').send()
  const { connection } = await gatewayWith('ping').upstreams.openai.arrival()
  connection.startChunked(200, SSE)
  await client.until((received) => received.includes(PING))
  client.leave()
  await within(AT_ONCE_MS, 'closing', connection.closed)
  expect(await record()).toMatchObject({ outcome: 'cancelled' })
})

test('SSE_PING_MS: a stream that breaks off between two pings is broken, with its last event', async () => {
  const { client } = await gatewayWith('ping').send()
  const { connection } = await gatewayWith('ping').upstreams.openai.arrival()
  connection.startChunked(200, SSE)
  await client.until((received) => received.includes(PING))
  connection.reset()
  const response = await client.response()
  expect(response.isComplete).toBe(false)
  expect(response.text()).toMatch(/^( \n)+data: \{"error":.*\}\n\n$/)
})

test('without SSE_PING_MS a silent stream gets nothing', async () => {
  const { client } = await gatewayWith('firstByte').send()
  const { connection } = await gatewayWith('firstByte').upstreams.openai.arrival()
  connection.startChunked(200, SSE)
  await client.until(hasHead)
  await Bun.sleep(PING_MS * 4)
  connection.chunk('data: 1\n\n')
  connection.endChunks()
  expect((await client.response()).text()).toBe('data: 1\n\n')
})

test.each([
  ['POST', '/v1/chat/completions'],
  ['POST', '/v1/embeddings'],
  ['GET', '/v1/models'],
] as const)(
  'FIRST_BYTE_TIMEOUT_MS: %s %s that upstream does not answer is a 504 within its timer',
  async (method, target) => {
    const gateway = gatewayWith('firstByte')
    const startedAt = performance.now()
    const { client, record } = await gateway.send({ method, target, ...(method === 'GET' && { body: null }) })
    const { connection } = await gateway.upstreams.openai.arrival()
    const response = await client.response()
    expect(performance.now() - startedAt).toBeWithin(FIRST_BYTE_MS - 5, FIRST_BYTE_MS + AT_ONCE_MS)
    expect(response.status).toBe(504)
    expect(response.json()).toEqual({
      error: {
        message: 'The upstream request timed out: the upstream API did not answer in time.',
        type: 'server_error',
        param: null,
        code: 'upstream_timeout',
      },
    })
    await within(AT_ONCE_MS, 'closing', connection.closed)
    expect(await record()).toMatchObject({ status: 504, outcome: 'failed', error: 'upstream_timeout', attempts: 1 })
  },
)

test('FIRST_BYTE_TIMEOUT_MS ends with the headers: it never cuts a stream', async () => {
  const { client } = await gatewayWith('firstByte').send()
  const { connection } = await gatewayWith('firstByte').upstreams.openai.arrival()
  connection.startChunked(200, SSE)
  await Bun.sleep(FIRST_BYTE_MS * 2)
  connection.chunk('data: 1\n\n')
  connection.endChunks()
  expect(await client.response()).toMatchObject({ status: 200, isComplete: true })
})

test('FIRST_BYTE_TIMEOUT_MS: a long upload does not trip it, also where the client pauses longer than that', async () => {
  const { client } = await gatewayWith('firstByte').send({
    target: '/v1/files',
    body: null,
    headers: { Authorization: 'Bearer k', 'Content-Type': 'application/octet-stream', 'Content-Length': '2' },
  })
  const { request, connection } = await gatewayWith('firstByte').upstreams.openai.arrival()
  for (const byte of 'ab') {
    await Bun.sleep(FIRST_BYTE_MS * 1.5)
    client.write(byte)
  }
  expect(new TextDecoder().decode(await request.body)).toBe('ab')
  connection.json({ ok: true })
  expect(await client.response()).toMatchObject({ status: 200, isComplete: true })
})

test('STREAM_IDLE_TIMEOUT_MS counts from chunk to chunk, and cuts a silent stream within its timer', async () => {
  const gateway = gatewayWith('idle')
  const { client, record } = await gateway.send()
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.startChunked(200, SSE)
  for (let times = 0; times < 15; times += 1) {
    connection.chunk('data: 1\n\n')
    await Bun.sleep(IDLE_MS / 10)
  }
  const silentAt = performance.now()
  const response = await client.response()
  expect(performance.now() - silentAt).toBeLessThan(IDLE_MS + AT_ONCE_MS)
  expect(response.isComplete).toBe(false)
  expect(await record()).toMatchObject({ outcome: 'failed', error: 'upstream_timeout', bytes: 135 })
  await within(AT_ONCE_MS, 'closing', connection.closed)
})

test('STREAM_IDLE_TIMEOUT_MS: a JSON answer that stalls is a 504, and one of more than 64 KiB that drips is not cut', async () => {
  const gateway = gatewayWith('idle')
  const stalled = await gateway.send({ body: CHAT })
  const first = await gateway.upstreams.openai.arrival()
  first.connection.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 4\r\n\r\n{')
  expect((await stalled.client.response()).status).toBe(504)
  await within(AT_ONCE_MS, 'closing', first.connection.closed)

  const dripping = await gateway.send({ body: CHAT })
  const second = await gateway.upstreams.openai.arrival()
  second.connection.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 70007\r\n\r\n')
  for (const part of ['{"a":', ...Array.from({ length: 7 }, () => ' '.repeat(10_000)), '1']) {
    second.connection.write(part)
    await Bun.sleep(IDLE_MS / 5)
  }
  second.connection.write('}')
  expect(await dripping.client.response()).toMatchObject({ status: 200, isComplete: true })
})

test('TOTAL_TIMEOUT_MS: an exchange that takes longer is a 504 before its headers, a broken stream behind them', async () => {
  const gateway = gatewayWith('total')
  const silent = await gateway.send()
  await gateway.upstreams.openai.arrival()
  expect((await silent.client.response()).status).toBe(504)

  const busy = await gateway.send()
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.startChunked(200, SSE)
  const talk = setInterval(() => connection.chunk('data: 1\n\n'), 20)
  const startedAt = performance.now()
  const response = await busy.client.response()
  clearInterval(talk)
  expect(performance.now() - startedAt).toBeLessThan(TOTAL_MS + AT_ONCE_MS)
  expect(response.isComplete).toBe(false)
  expect(response.text()).toContain('"code":"upstream_timeout"')
  expect(await busy.record()).toMatchObject({ status: 200, outcome: 'failed', error: 'upstream_timeout' })
})
