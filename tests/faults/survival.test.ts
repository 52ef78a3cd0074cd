import { afterAll, beforeAll, expect, test } from 'bun:test'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { getText, openRawClient, sendRaw } from '../helpers/raw-client.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { byHand, SSE } from '../helpers/upstream-scripts.ts'

const SHOTS = 200

let gateway: TestGateway<'openai'>

beforeAll(async () => {
  gateway = await startGateway({
    upstreams: { openai: byHand },
    env: {
      OPENAI_API_KEY: 'sk-server-own-0123456789',
      FIRST_BYTE_TIMEOUT_MS: '200',
      STREAM_IDLE_TIMEOUT_MS: '200',
      WRITE_IDLE_TIMEOUT_MS: '200',
      UPLOAD_IDLE_TIMEOUT_MS: '200',
      SSE_PING_MS: '10',
    },
    command: gatewayCommand(),
  })
})

afterAll(() => gateway.stop())

const SCRIPTS: readonly Script[] = [
  (_, c) => c.json({ ok: true }),
  (_, c) => c.reset(),
  () => undefined,
  (_, c) => c.write('garbage\r\n\r\n'),
  (_, c) => {
    c.startChunked(200, SSE)
    c.chunk('data: 1\n\n')
    setTimeout(c.reset, 10)
  },
  (_, c) => {
    c.startChunked(200, SSE)
    c.chunk(new Uint8Array(2_000_000))
  },
  (_, c) => c.respond(500, { 'content-type': 'application/json', 'content-encoding': 'gzip' }, 'not gzip'),
  (_, c) => c.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{'),
  (_, c) => c.write('HTTP/1.1 700 No\r\ntransfer-encoding: chunked\r\n\r\n'),
]

const CHAT = '{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}'
const post = (target: string, body: string, length = body.length): string =>
  `POST ${target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n${body}`

const REQUESTS: readonly string[] = [
  post('/v1/chat/completions', CHAT),
  post('/v1/chat/completions', CHAT, CHAT.length + 100),
  post('/v1/files', 'x'.repeat(1000), 100_000),
  post('/v1/responses', CHAT),
  getText('/v1/models'),
  getText('/v1/models', {}, 'HEAD'),
  getText('/v1/models', {}, 'TRACE'),
  'POST /v1/files HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
  'POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"mod\r\n',
  'CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'GET /v1/realtime HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  'GET / HTTP/1.1\r\n\r\n',
  '\x16\x03\x01\x02\x00\x01',
]

test(`no request can end the process: ${SHOTS} aborts and faults at once, and the next request is served`, async () => {
  let turn = 0
  gateway.upstreams.openai.play((request, connection) => {
    turn += 1
    return SCRIPTS[turn % SCRIPTS.length]?.(request, connection)
  })
  const shots = Array.from({ length: SHOTS }, async (_, index) => {
    const client = await openRawClient(gateway.port)
    client.write(REQUESTS[index % REQUESTS.length] ?? '')
    // Some read nothing, some leave at once or a little later, some with a reset, the others stay until they are cut.
    if (index % 5 === 0) client.socket.pause()
    if (index % 3 === 0) await Bun.sleep(index % 40)
    if (index % 3 === 1) await Promise.race([client.response().catch(() => undefined), Bun.sleep(1000)])
    if (index % 2 === 0) client.leave()
    else client.socket.resetAndDestroy()
  })
  await Promise.all(shots)
  expect((await sendRaw(gateway.port, getText('/health'))).status).toBe(200)
  gateway.upstreams.openai.play((_request, connection) => connection.json({ fine: true }))
  expect((await sendRaw(gateway.port, post('/v1/chat/completions', CHAT))).json()).toEqual({ fine: true })
  expect(gateway.child?.exitCode).toBeNull()
  expect(gateway.stderr()).toBe('')
  // A defect of ours, caught or not, would be a line of level error.
  expect(gateway.lines.filter(({ level }) => Number(level) >= 50)).toEqual([])
}, 60_000)
