import { afterAll, expect, test } from 'bun:test'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { getText, postText, sendRaw } from '../helpers/raw-client.ts'
import { makeSelfSigned } from '../helpers/self-signed.ts'
import { CHAT, OWN_KEY } from '../helpers/send-request.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { AT_ONCE_MS } from '../helpers/within.ts'

const FIRST_BYTE_MS = 500

const stops: (() => unknown)[] = []

afterAll(async () => {
  for (const stop of stops) await stop()
})

async function gatewayTo(baseUrl: string): Promise<TestGateway> {
  const gateway = await startGateway({
    env: { OPENAI_API_BASE: baseUrl, FIRST_BYTE_TIMEOUT_MS: String(FIRST_BYTE_MS) },
  })
  stops.push(() => gateway.stop())
  return gateway
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  stops.push(() => server.close())
  return (server.address() as AddressInfo).port
}

/** Sends a chat completion and a GET; both must end with this error within the timer. */
async function expectBoth(gateway: TestGateway, status: number, code: string, cause?: RegExp): Promise<void> {
  const requests = [postText('/v1/chat/completions', CHAT, OWN_KEY), getText('/v1/models', OWN_KEY)]
  for (const [index, request] of requests.entries()) {
    const startedAt = performance.now()
    const response = await sendRaw(gateway.port, request)
    expect(performance.now() - startedAt).toBeLessThan(FIRST_BYTE_MS + AT_ONCE_MS)
    expect(response.status).toBe(status)
    const { error } = response.json() as { error: Record<string, unknown> }
    expect(Object.keys(error)).toEqual(['message', 'type', 'param', 'code'])
    expect(error).toMatchObject({ type: 'server_error', param: null, code })
    const record = await gateway.exchange(index + 1)
    expect(record).toMatchObject({ status, outcome: 'failed', error: code, attempts: 1 })
    if (cause === undefined) continue
    expect(String(record['cause'])).toMatch(cause)
    // The cause is logged, never sent.
    expect(response.text()).not.toMatch(cause)
  }
}

test('an upstream that refuses connections is a 502, with the cause in the log', async () => {
  const server = createServer()
  const port = await listening(server)
  await new Promise((resolve) => void server.close(resolve))
  await expectBoth(
    await gatewayTo(`http://127.0.0.1:${port}/v1`),
    502,
    'upstream_unreachable',
    /ECONNREFUSED|ConnectionRefused/,
  )
})

test('an upstream name that does not resolve is a 502, with the cause in the log', async () => {
  const gateway = await gatewayTo('http://nexcode.invalid/v1')
  const startedAt = performance.now()
  const response = await sendRaw(gateway.port, postText('/v1/chat/completions', CHAT, OWN_KEY))
  expect(performance.now() - startedAt).toBeLessThan(FIRST_BYTE_MS + AT_ONCE_MS)
  // A resolver that does not answer in time is a timeout like any other.
  expect([502, 504]).toContain(response.status)
  const record = await gateway.exchange(1)
  expect(record).toMatchObject({ outcome: 'failed', attempts: 1 })
  if (response.status === 502) expect(String(record['cause'])).toMatch(/ENOTFOUND|EAI_AGAIN|DNS/i)
})

test('an upstream that accepts and says nothing is a 504 within its timer', async () => {
  const port = await listening(createServer((socket) => void socket.on('error', () => undefined)))
  await expectBoth(await gatewayTo(`http://127.0.0.1:${port}/v1`), 504, 'upstream_timeout')
})

test('a self-signed upstream is a 502, with the cause in the log', async () => {
  const { cert, key, remove } = makeSelfSigned()
  stops.push(remove)
  const server = createTlsServer({ cert, key }, (socket) => {
    socket.on('error', () => undefined)
    socket.on('data', () => {
      throw new Error('a request was sent to an upstream that nobody vouches for')
    })
  })
  server.on('tlsClientError', () => undefined)
  const port = await listening(server)
  await expectBoth(await gatewayTo(`https://127.0.0.1:${port}/v1`), 502, 'upstream_unreachable', /SELF_SIGNED|CERT/)
})

test('an upstream that speaks no TLS where https was configured is a 502', async () => {
  const port = await listening(
    createServer((socket) => {
      socket.on('error', () => undefined)
      socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n')
    }),
  )
  await expectBoth(await gatewayTo(`https://127.0.0.1:${port}/v1`), 502, 'upstream_unreachable')
})

test('after a fault the gateway serves the next request', async () => {
  const server = createServer()
  const port = await listening(server)
  await new Promise((resolve) => void server.close(resolve))
  const gateway = await gatewayTo(`http://127.0.0.1:${port}/v1`)
  expect((await sendRaw(gateway.port, getText('/v1/models', OWN_KEY))).status).toBe(502)
  const back = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'))
  })
  await new Promise<void>((resolve) => void back.listen(port, '127.0.0.1', () => resolve()))
  stops.push(() => back.close())
  expect((await sendRaw(gateway.port, getText('/v1/models', OWN_KEY))).text()).toBe('{}')
})
