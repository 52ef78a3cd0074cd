import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { getText, openRawClient, sendRaw } from '../helpers/raw-client.ts'
import { startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

const TOKEN = 'canary-token-0123456789'
const KEY = 'sk-server-0123456789'
const HANDSHAKE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

interface Seen {
  readonly url: string
  readonly headers: Headers
}

/** An upstream that speaks WebSocket: it sends back what it gets, and closes with 4001 on `bye`. */
function startEcho() {
  const seen: Seen[] = []
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request, bun) {
      seen.push({ url: request.url, headers: new Headers(request.headers) })
      const protocol = request.headers.get('sec-websocket-protocol')?.split(',')[0]
      const headers = protocol === undefined ? undefined : { 'sec-websocket-protocol': protocol }
      return bun.upgrade(request, { data: undefined, ...(headers && { headers }) })
        ? undefined
        : new Response('not a WebSocket', { status: 400 })
    },
    websocket: {
      message(socket, message) {
        if (message === 'bye') socket.close(4001, 'as asked')
        else socket.send(message)
      },
    },
  })
  return { seen, url: `http://127.0.0.1:${server.port}`, stop: () => server.stop(true) }
}

interface Events {
  readonly open: Event
  readonly message: MessageEvent
  readonly close: CloseEvent
}

function nextEvent<T extends keyof Events>(socket: WebSocket, type: T): Promise<Events[T]> {
  return new Promise((resolve, reject) => {
    socket.addEventListener(type, (event) => resolve(event as Events[T]), { once: true })
    if (type !== 'close')
      socket.addEventListener('close', () => reject(new Error(`closed before ${type}`)), { once: true })
  })
}

describe('a WebSocket under /v1', () => {
  let echo: ReturnType<typeof startEcho>
  let gateway: TestGateway

  beforeAll(async () => {
    echo = startEcho()
    gateway = await startGateway({
      env: {
        OPENAI_API_BASE: `${echo.url}/v1`,
        OPENAI_API_KEY: KEY,
        REQUIRE_AUTH: 'true',
        API_TOKEN: TOKEN,
      },
    })
  })
  afterAll(async () => {
    await gateway.stop()
    await echo.stop()
  })

  test('is relayed both ways, text exactly as written and binary, with the query exact', async () => {
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/realtime?model=gpt-realtime&x=%2F`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    })
    socket.binaryType = 'arraybuffer'
    await nextEvent(socket, 'open')
    socket.send('{"a": 1.0,  "b":90071992547409931}')
    expect((await nextEvent(socket, 'message')).data).toBe('{"a": 1.0,  "b":90071992547409931}')
    socket.send(new Uint8Array([0, 255, 10]))
    expect(new Uint8Array((await nextEvent(socket, 'message')).data as ArrayBuffer)).toEqual(
      new Uint8Array([0, 255, 10]),
    )
    expect(echo.seen.at(-1)?.url).toEndWith('/v1/realtime?model=gpt-realtime&x=%2F')
    socket.close()
    await nextEvent(socket, 'close')
  })

  test("closes with the upstream's own code and reason, and is one line of the log", async () => {
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/realtime`, {
      headers: { authorization: `Bearer ${TOKEN}`, 'x-client-request-id': 'bye-1' },
    })
    await nextEvent(socket, 'open')
    const closed = nextEvent(socket, 'close')
    socket.send('bye')
    const { code, reason } = await closed
    expect([code, reason]).toEqual([4001, 'as asked'])
    const line = await gateway.line(({ client_request_id }) => client_request_id === 'bye-1')
    expect(line).toMatchObject({
      route: 'realtime',
      status: 101,
      outcome: 'complete',
      principal: expect.stringMatching(/^token-[0-9a-f]{8}$/),
      stream: true,
    })
  })

  test("spends the server's key, and no part of the token reaches the upstream in any header", async () => {
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/realtime`, [
      'realtime',
      `openai-insecure-api-key.${TOKEN}`,
      'openai-beta.realtime-v1',
    ])
    await nextEvent(socket, 'open')
    expect(socket.protocol).toBe('realtime')
    const headers = echo.seen.at(-1)?.headers ?? new Headers()
    expect(headers.get('authorization')).toBe(`Bearer ${KEY}`)
    expect([...headers].filter(([, value]) => value.includes('canary'))).toEqual([])
    socket.close()
    await nextEvent(socket, 'close')
  })

  test('is refused without a token, in the shape of every other error, and no upstream hears of it', async () => {
    const before = echo.seen.length
    const response = await sendRaw(gateway.port, getText('/v1/realtime', HANDSHAKE))
    expect(response.status).toBe(401)
    expect(response.json()).toMatchObject({ error: { type: 'invalid_request_error', param: null, code: null } })
    expect(echo.seen.length).toBe(before)
  })

  test('is refused outside of the API, with a dot segment, and with two Hosts', async () => {
    const auth = { ...HANDSHAKE, Authorization: `Bearer ${TOKEN}` }
    expect((await sendRaw(gateway.port, getText('/elsewhere', auth))).status).toBe(404)
    expect((await sendRaw(gateway.port, getText('/v1/../realtime', auth))).status).toBe(400)
    const twoHosts = getText('/v1/realtime', auth).replace('Host: localhost', 'Host: localhost\r\nHost: b')
    expect((await sendRaw(gateway.port, twoHosts)).status).toBe(400)
  })
})

test("an upstream's refusal of a WebSocket reaches the client, without the server's key in it", async () => {
  const upstream = await startScriptedUpstream((_request, connection) =>
    connection.json({ error: { message: `no ${KEY}`, type: 'x', param: null, code: null } }, 403),
  )
  const gateway = await startGateway({ env: { OPENAI_API_BASE: `${upstream.url}/v1`, OPENAI_API_KEY: KEY } })
  const response = await sendRaw(gateway.port, getText('/v1/realtime', HANDSHAKE))
  expect(response.status).toBe(403)
  expect(response.text()).toContain(`no ${'*'.repeat(KEY.length)}`)
  expect(response.headers.get('x-request-id')).toStartWith('req_')
  await gateway.stop()
  await upstream.close()
})

test('a WebSocket whose upstream is not there is a typed 502', async () => {
  const gateway = await startGateway({ env: { OPENAI_API_BASE: 'http://127.0.0.1:1/v1' } })
  const response = await sendRaw(gateway.port, getText('/v1/realtime', HANDSHAKE))
  expect(response.status).toBe(502)
  expect(response.json()).toMatchObject({ error: { code: 'upstream_unreachable', type: 'server_error' } })
  await gateway.stop()
})

test('a client that leaves before its WebSocket is answered closes the upstream connection at once', async () => {
  const closed = Promise.withResolvers<void>()
  const upstream = await startScriptedUpstream((_request, connection) => connection.closed.then(closed.resolve))
  const gateway = await startGateway({ env: { OPENAI_API_BASE: `${upstream.url}/v1` } })
  const client = await openRawClient(gateway.port)
  client.write(getText('/v1/realtime', HANDSHAKE))
  await upstream.request(1)
  client.leave()
  await closed.promise
  expect(await gateway.exchange(1)).toMatchObject({ outcome: 'cancelled', status: 499 })
  await gateway.stop()
  await upstream.close()
})
