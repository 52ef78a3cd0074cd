import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { writeConfigFile } from '../helpers/config-file.ts'
import { freePort } from '../helpers/free-port.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { perTest } from '../helpers/per-test.ts'
import { getText, openRawClient, postText, sendRaw } from '../helpers/raw-client.ts'
import { errorOf } from '../helpers/received-answers.ts'
import { makeSelfSigned, type SelfSigned } from '../helpers/self-signed.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)
const HAS_OPENSSL = Bun.which('openssl') !== null
const KEY = 'sk-of-the-server-0123456789'
const CHAT = JSON.stringify({ model: 'm', messages: MESSAGES })
const JSON_TYPE = { 'content-type': 'application/json' }

/** A server whose heads are told, and which answers each with the same bytes, or pours them on to where a tunnel leads. */
interface Seen {
  readonly port: number
  readonly heads: string[]
  readonly close: () => void
}

const open: (() => void)[] = []
let self: SelfSigned | undefined

beforeAll(() => {
  if (HAS_OPENSSL) self = makeSelfSigned()
})
afterAll(() => {
  for (const close of open) close()
  self?.remove()
})

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'

async function listen(onHead: (socket: Socket, head: string) => void, isTls = false): Promise<Seen> {
  const heads: string[] = []
  const sockets = new Set<Socket>()
  const onSocket = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('data', (data: Buffer) => {
      heads.push(data.toString('latin1'))
      onHead(socket, data.toString('latin1'))
    })
  }
  const server = isTls ? createTlsServer({ key: self?.key, cert: self?.cert }, onSocket) : createServer(onSocket)
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  const close = (): void => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  open.push(close)
  return { port: (server.address() as AddressInfo).port, heads, close }
}

function answer(socket: Socket, head: string): void {
  socket.write(/^upgrade: websocket/im.test(head) ? SWITCH : ANSWER)
}

/** A proxy: opens tunnels to 127.0.0.1, and answers all else itself. */
function tunnel(socket: Socket, head: string): void {
  if (!head.startsWith('CONNECT ')) {
    answer(socket, head)
    return
  }
  const upstream = connect(Number(/:(\d+) HTTP/.exec(head)?.[1]), '127.0.0.1')
  upstream.on('error', () => socket.destroy())
  upstream.on('connect', () => {
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
    socket.pipe(upstream).pipe(socket)
  })
  socket.on('close', () => upstream.destroy())
}

function post(url: string): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, { method: 'POST', headers: JSON_TYPE, body: CHAT })
}

async function statusOfWebSocket(port: number): Promise<string> {
  const client = await openRawClient(port)
  const upgrade = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'x',
  }
  client.write(getText('/v1/realtime?model=m', upgrade))
  const received = await client.until((bytes) => bytes.includes('\r\n\r\n'))
  client.leave()
  return received.toString('latin1').slice(0, 12)
}

test('an upstream’s own time to the first byte ends a call with a 504, and leaves the other upstreams’ alone', async () => {
  const { promise: never } = Promise.withResolvers<void>()
  const gateway = await start({
    upstreams: { silent: () => never, fine: answerOk },
    settings: { silent: { timeouts: { first_byte: 500 } } },
    file: { models: { slow: { targets: [{ upstream: 'silent' }] }, '*': { targets: [{ upstream: 'fine' }] } } },
    env: { FIRST_BYTE_TIMEOUT_MS: '60s' },
  })
  expect(await errorOf(await gateway.chat({ model: 'slow' }))).toMatchObject([504, { code: 'upstream_timeout' }])
  expect(await errorOf(await gateway.chat({ model: 'slow' }, {}, '/v1/embeddings'))).toMatchObject([504, {}])
  expect((await gateway.chat({ model: 'other' })).status).toBe(200)
  expect(gateway.upstreams.silent.requests).toHaveLength(2)
  expect(await gateway.exchange(1)).toMatchObject({ error: 'upstream_timeout', status: 504 })
})

test('an upstream’s own limit on the whole, and that between two chunks, cut a stream that goes on too long', async () => {
  for (const timeouts of [{ total: 1000 }, { stream_idle: 500 }]) {
    const gateway = await start({
      upstreams: {
        only: async (request, connection) => {
          await request.body
          connection.startChunked(200, { 'content-type': 'text/event-stream' })
          connection.chunk('data: {"a":1}\n\n')
        },
      },
      settings: { only: { timeouts } },
    })
    const body = JSON.stringify({ model: 'm', messages: MESSAGES, stream: true })
    const cut = await sendRaw(gateway.port, postText('/v1/chat/completions', body))
    const text = cut.text()
    expect(cut.isComplete).toBe(false)
    expect(text).toStartWith('data: {"a":1}\n\n')
    expect(text).toContain('"code":"upstream_timeout"')
  }
})

test.skipIf(!HAS_OPENSSL)(
  'tls_ca has an upstream trusted by its own authority, and only that one (needs openssl)',
  async () => {
    const tls = await listen(answer, true)
    const trusting = { base_url: `https://localhost:${tls.port}/v1`, tls_ca: self?.certFile }
    const gateway = await start({
      upstreams: { unused: answerOk },
      file: {
        upstreams: { trusting, wary: { base_url: `https://127.0.0.1:${tls.port}/v1` } },
        models: { good: { targets: [{ upstream: 'trusting' }] }, bad: { targets: [{ upstream: 'wary' }] } },
      },
    })
    expect(await (await gateway.chat({ model: 'good' })).json()).toEqual({ ok: true })
    expect((await sendRaw(gateway.port, getText("/v1/{id}?q='a'"))).json()).toEqual({ ok: true })
    expect(await statusOfWebSocket(gateway.port)).toBe('HTTP/1.1 101')
    const heads = tls.heads.length
    expect(await errorOf(await gateway.chat({ model: 'bad' }))).toMatchObject([502, { code: 'upstream_unreachable' }])
    expect(tls.heads).toHaveLength(heads)
  },
)

test('an upstream’s proxy is asked for it by its whole URL, with the proxy’s credentials and none of them upstream', async () => {
  const proxy = await listen(tunnel)
  const gateway = await start({
    upstreams: { unused: answerOk },
    file: {
      upstreams: {
        far: {
          base_url: 'http://upstream.invalid/v1',
          api_key: KEY,
          proxy: `http://user:p%40ss@127.0.0.1:${proxy.port}`,
        },
      },
    },
  })
  expect(await (await post(gateway.url)).json()).toEqual({ ok: true })
  expect((await sendRaw(gateway.port, getText("/v1/{id}?q='a'"))).json()).toEqual({ ok: true })
  for (const [index, start_] of [
    'POST http://upstream.invalid/v1/chat/completions ',
    "GET http://upstream.invalid/v1/{id}?q='a' ",
  ].entries()) {
    const head = proxy.heads[index] ?? ''
    expect(head).toStartWith(start_)
    expect(head.toLowerCase()).toContain('host: upstream.invalid\r\n')
    expect(head).toContain(`Bearer ${KEY}`)
    expect(head).toMatch(new RegExp(`^proxy-authorization: Basic ${btoa('user:p@ss')}`, 'im'))
  }
})

test.skipIf(!HAS_OPENSSL)(
  'an https upstream behind its proxy is reached by a tunnel, with its own authority (needs openssl)',
  async () => {
    const [proxy, tls] = await Promise.all([listen(tunnel), listen(answer, true)])
    const far = {
      ...{ base_url: `https://localhost:${tls.port}/v1`, api_key: KEY, tls_ca: self?.certFile },
      proxy: `http://127.0.0.1:${proxy.port}`,
    }
    const gateway = await start({ upstreams: { unused: answerOk }, file: { upstreams: { far } } })
    expect(await (await post(gateway.url)).json()).toEqual({ ok: true })
    expect(await statusOfWebSocket(gateway.port)).toBe('HTTP/1.1 101')
    for (const head of proxy.heads) {
      expect(head).toStartWith(`CONNECT localhost:${tls.port} HTTP/1.1\r\n`)
      expect(head).not.toContain(KEY)
    }
    expect(proxy.heads).toHaveLength(2)
    expect(tls.heads[0]).toContain(`Bearer ${KEY}`)
  },
)

test('proxy: none goes to the upstream directly, whatever HTTP_PROXY says; the others go by that', async () => {
  const [proxy, upstream] = await Promise.all([listen(tunnel), listen(answer)])
  const file = writeConfigFile({
    upstreams: {
      near: { base_url: `http://127.0.0.1:${upstream.port}/v1`, proxy: 'none' },
      far: { base_url: 'http://upstream.invalid/v1' },
    },
    models: { far: { targets: [{ upstream: 'far' }] } },
  })
  const gateway = await startGateway({
    env: { NEXCODE_CONFIG: file.path, HTTP_PROXY: `http://127.0.0.1:${proxy.port}` },
    command: gatewayCommand(),
  })
  try {
    expect(await (await post(gateway.url)).json()).toEqual({ ok: true })
    expect((await sendRaw(gateway.port, getText("/v1/{id}?q='a'"))).json()).toEqual({ ok: true })
    expect(await statusOfWebSocket(gateway.port)).toBe('HTTP/1.1 101')
    expect([proxy.heads.length, upstream.heads.length]).toEqual([0, 3])
    const far = await fetch(`${gateway.url}/v1/embeddings`, {
      method: 'POST',
      headers: JSON_TYPE,
      body: '{"model":"far"}',
    })
    expect(await far.json()).toEqual({ ok: true })
    expect(proxy.heads[0]).toStartWith('POST http://upstream.invalid/v1/embeddings ')
  } finally {
    await gateway.stop()
    file.remove()
  }
})

test('a proxy that is not there is an upstream that cannot be reached', async () => {
  const far = { base_url: 'http://upstream.invalid/v1', proxy: `http://127.0.0.1:${await freePort()}` }
  const gateway = await start({ upstreams: { unused: answerOk }, file: { upstreams: { far } } })
  expect(await errorOf(await post(gateway.url))).toMatchObject([502, { code: 'upstream_unreachable' }])
})
