import { afterAll, beforeAll, expect, test } from 'bun:test'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { parseResponse } from '../helpers/raw-client.ts'
import { hasHead } from '../helpers/received-answers.ts'
import type { UpstreamConnection } from '../helpers/scripted-upstream.ts'
import type { RequestParts } from '../helpers/send-request.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { byHand, SSE } from '../helpers/upstream-scripts.ts'
import { AT_ONCE_MS, within } from '../helpers/within.ts'

const IDLE_MS = 150
const LAST_EVENT = (code: string): RegExp =>
  new RegExp(`\\n\\ndata: {"error":{"message":"[^"]+","type":"server_error","param":null,"code":"${code}"}}\\n\\n$`)

let gateway: TestGateway<'openai'>

beforeAll(async () => {
  gateway = await startGateway({
    upstreams: { openai: byHand },
    env: { STREAM_IDLE_TIMEOUT_MS: String(IDLE_MS) },
    command: gatewayCommand(),
  })
})

afterAll(() => gateway.stop())

const COMPLETIONS: readonly (readonly [string, RequestParts])[] = [
  ['chat', {}],
  ['completions', { target: '/v1/completions', body: '{"model":"m","prompt":"hi","stream":true}' }],
]

const BREAKS = [
  ['resets', 'upstream_unreachable', (connection) => connection.reset()],
  ['ends short', 'upstream_unreachable', (connection) => connection.socket.end()],
  ['sends a chunk size that is none', 'upstream_unreachable', (connection) => connection.write('zz\r\nabc\r\n')],
  ['stalls', 'upstream_timeout', () => undefined],
] as const satisfies readonly (readonly [string, string, (connection: UpstreamConnection) => void])[]

for (const [name, shot] of COMPLETIONS) {
  test.each(BREAKS)(
    `${name}: upstream %s in mid-stream: a last data: {"error":…} event, then a broken stream, never a clean end`,
    async (_, code, breakOff) => {
      const { client, record } = await gateway.send(shot)
      const { connection } = await gateway.upstreams.openai.arrival()
      connection.startChunked(200, SSE)
      connection.chunk('data: {"a":1}\n\n')
      await client.until((received) => received.includes('{"a":1}'))
      breakOff(connection)
      const response = await within(AT_ONCE_MS, 'the break', client.response())
      expect(response.isComplete).toBe(false)
      expect(response.text()).toMatch(LAST_EVENT(code))
      expect(await record()).toMatchObject({ status: 200, outcome: 'failed', bytes: 15, error: code, level: 40 })
      await within(AT_ONCE_MS, "closing upstream's connection", connection.closed)
    },
  )
}

test('upstream breaks off in the midst of an event: nothing is put into it, the break alone tells', async () => {
  const { client, record } = await gateway.send()
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.startChunked(200, SSE)
  connection.chunk('data: {"a":1}\n\ndata: {"b"')
  await client.until((received) => received.includes('{"b"'))
  connection.reset()
  const response = await client.response()
  expect(response.isComplete).toBe(false)
  expect(response.text()).toBe('data: {"a":1}\n\ndata: {"b"')
  expect(await record()).toMatchObject({ outcome: 'failed', bytes: 25 })
})

test('an event whose end came byte by byte is at an event boundary too', async () => {
  const { client } = await gateway.send()
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.startChunked(200, SSE)
  for (const byte of 'data: 1\r\n\r\n') {
    connection.chunk(byte)
    await Bun.sleep(1)
  }
  await client.until((received) => parseResponse(received)?.text() === 'data: 1\r\n\r\n')
  connection.reset()
  const response = await client.response()
  expect(response.text()).toStartWith('data: 1\r\n\r\ndata: {"error":')
  expect(response.isComplete).toBe(false)
})

test('upstream breaks off before the first event: the last event is the only one', async () => {
  const { client } = await gateway.send()
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.startChunked(200, SSE)
  await client.until(hasHead)
  connection.reset()
  const response = await client.response()
  expect(response.text()).toStartWith('data: {"error":')
  expect(response.isComplete).toBe(false)
})

test('an encoded stream that breaks off gets no event of ours', async () => {
  const { client } = await gateway.send()
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.startChunked(200, { ...SSE, 'content-encoding': 'gzip' })
  await client.until(hasHead)
  connection.reset()
  const response = await client.response()
  expect(response.body.byteLength).toBe(0)
  expect(response.isComplete).toBe(false)
})

test('a stream with a Content-Length that breaks off is never filled up with an event of ours', async () => {
  const { client } = await gateway.send()
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 60\r\n\r\ndata: 1\n\n')
  await client.until((received) => received.includes('data: 1'))
  connection.reset()
  const response = await client.response()
  expect(response.text()).toBe('data: 1\n\n')
  expect(response.isComplete).toBe(false)
})

test.each([
  ['GET', '/v1/files/f/content', 'application/octet-stream'],
  ['POST', '/v1/audio/speech', 'audio/mpeg'],
  ['POST', '/v1/responses', 'text/event-stream'],
] as const)(
  '%s %s: upstream resets mid-body: the client sees a broken body, never a clean end',
  async (method, target, type) => {
    const { client, record } = await gateway.send({ method, target, ...(method === 'GET' && { body: null }) })
    const { connection } = await gateway.upstreams.openai.arrival()
    connection.startChunked(200, { 'content-type': type })
    connection.chunk('data: 1\n\n')
    await client.until((received) => received.includes('data: 1'))
    connection.reset()
    const response = await client.response()
    expect(response.text()).toBe('data: 1\n\n')
    expect(response.isComplete).toBe(false)
    expect(await record()).toMatchObject({ outcome: 'failed', error: 'upstream_unreachable' })
  },
)

test('a client of HTTP/1.0, to whom a closed connection is the end, sees a reset where the body broke off', async () => {
  const { client } = await gateway.send({ version: '1.0' })
  const errors: string[] = []
  client.socket.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code ?? ''))
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.startChunked(200, SSE)
  connection.chunk('data: 1\n\n')
  await client.until((received) => received.includes('data: 1'))
  connection.reset()
  await client.closed
  expect(errors).toEqual(['ECONNRESET'])
})

test('the last event reaches a client that is slow to take what was before it', async () => {
  const big = `data: ${'x'.repeat(4 * 1024 * 1024)}\n\n`
  const slowCall = async (): Promise<string> => {
    const { client } = await gateway.send()
    const { connection } = await gateway.upstreams.openai.arrival()
    client.socket.pause()
    connection.startChunked(200, SSE)
    connection.chunk(big)
    await Bun.sleep(50)
    connection.socket.end()
    await Bun.sleep(50)
    client.socket.resume()
    const response = await within(AT_ONCE_MS, 'the end', client.response())
    expect(response.isComplete).toBe(false)
    return response.text()
  }
  // Bytes that the runtime's fetch has queued when the upstream breaks off are lost in it now and then, and with them the
  // boundary that an event of ours needs: then there is none, and what came is a beginning of what was sent.
  for (let times = 0; times < 10; times += 1) {
    const text = await slowCall()
    if (text.startsWith(big)) {
      expect(text.slice(big.length)).toStartWith('data: {"error":')
      return
    }
    // Not `toStartWith`, which would print all of it.
    expect(big.startsWith(text)).toBe(true)
  }
  throw new Error('the last event never arrived')
})

test('nothing goes to stderr past the log', () => {
  expect(gateway.stderr()).toBe('')
  expect(gateway.lines.filter(({ level }) => Number(level) >= 50)).toEqual([])
})
