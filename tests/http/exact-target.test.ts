import { afterEach, beforeEach, expect, test } from 'bun:test'
import { ignoreRejection } from '../../src/formats/ignore-rejection.ts'
import { flood, settled } from '../helpers/flood.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { expectHeldBack } from '../helpers/held-back.ts'
import { getText, parseResponse, sendRaw } from '../helpers/raw-client.ts'
import { hasHead } from '../helpers/received-answers.ts'
import { type Arrival, startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { CHAT, CHAT_STREAM, OWN_KEY, type RequestParts } from '../helpers/send-request.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { byHand, SSE } from '../helpers/upstream-scripts.ts'
import { AT_ONCE_MS, within } from '../helpers/within.ts'

const TIMER_MS = 200
const PATIENCE_MS = 60_000
const MIB = 1024 * 1024
const UPLOAD_BYTES_MAX = 128 * MIB
/** More than any kernel's buffers of four sockets take. */
const FLOOD_BYTES = 96 * MIB
const HTML = { Accept: '*/*', ...OWN_KEY } as const

/** Calls that no standard `fetch` can make, which go another way than all others. */
const GET_BODY: RequestParts = { method: 'GET', target: '/v1/models', body: CHAT, headers: OWN_KEY }
const SHOTS: readonly (readonly [string, RequestParts])[] = [
  ["a chat completion with '", { target: "/v1/chat/completions?q='a'", body: CHAT_STREAM }],
  ['a POST with {}', { target: '/v1/things/{id}', body: CHAT, headers: HTML }],
  ['a GET with {}', { method: 'GET', target: '/v1/things/{id}', body: null, headers: HTML }],
  ['a GET with a body', GET_BODY],
]

/** Each test has its own: what one leaves behind must not be taken for another's. */
let gateway: TestGateway<'openai'>

beforeEach(async () => {
  gateway = await startGateway({
    upstreams: { openai: byHand },
    env: { MAX_UPLOAD_BYTES: String(UPLOAD_BYTES_MAX), OPENAI_MODEL: 'the-default' },
  })
})

afterEach(() => gateway.stop())

const chunkedText = (...parts: readonly string[]): string =>
  `${parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('')}0\r\n\r\n`

async function bodyOf({ request }: Arrival): Promise<string> {
  return Buffer.from(await request.body).toString('latin1')
}

test.each(['GET', 'HEAD'])('%s with a body arrives exactly, with a length and chunked', async (method) => {
  const body = '{"a": 1.0}\r\n'
  const typed = { ...OWN_KEY, 'Content-Type': 'application/json' }
  for (const [headers, wire] of [
    [{ ...OWN_KEY, 'Content-Length': String(body.length) }, body],
    [{ ...typed, 'Content-Length': String(body.length) }, body],
    [{ ...OWN_KEY, 'Transfer-Encoding': 'chunked' }, chunkedText(body.slice(0, 3), body.slice(3))],
    [{ ...typed, 'Transfer-Encoding': 'chunked' }, chunkedText(body)],
  ] as const) {
    const { client } = await gateway.send({ method, target: '/v1/models', body: null, headers })
    client.write(wire)
    const arrival = await gateway.upstreams.openai.arrival()
    const { request } = arrival
    expect([request.method, request.target, await bodyOf(arrival)]).toEqual([method, '/v1/models', body])
    const isChunked = 'Transfer-Encoding' in headers
    expect(request.header('content-length')).toBe(isChunked ? undefined : String(body.length))
    expect(request.header('transfer-encoding')).toBe(isChunked ? 'chunked' : undefined)
    arrival.connection.respond(200, {}, method === 'HEAD' ? '' : 'fine')
    const received = await client.until(hasHead)
    expect(received.toString()).toStartWith('HTTP/1.1 200 ')
    if (method === 'GET') expect((await client.response()).text()).toBe('fine')
    client.leave()
  }
})

test('a body that is larger than MAX_UPLOAD_BYTES is refused with GET too', async () => {
  const shot = { method: 'GET', target: '/v1/models', body: null }
  const before = gateway.upstreams.openai.requests.length
  const declared = await gateway.send({
    ...shot,
    headers: { ...OWN_KEY, 'Content-Length': String(UPLOAD_BYTES_MAX + 1) },
  })
  expect((await declared.client.response()).status).toBe(413)
  declared.client.leave()
  expect(gateway.upstreams.openai.requests.length).toBe(before)

  const small = await startGateway({ upstreams: { openai: byHand }, env: { MAX_UPLOAD_BYTES: '10' } })
  try {
    const { client } = await small.send({ ...shot, headers: { ...OWN_KEY, 'Transfer-Encoding': 'chunked' } })
    client.write(chunkedText('12345678901'))
    expect((await client.response()).status).toBe(413)
  } finally {
    await small.stop()
  }
})

test('only the given headers go with an exact target, and what belongs to the connection', async () => {
  const given = { ...OWN_KEY, 'X-Bytes': '\u00ff', Accept: 'a/b', 'User-Agent': 'mine', 'X-Request-Id': 'one' }
  const shots: readonly (readonly [string, readonly string[]])[] = [
    ['GET', []],
    ['DELETE', []],
    ['OPTIONS', []],
    ['POST', ['content-length: 0']],
    ['PUT', ['content-length: 0']],
  ]
  for (const [method, framing] of shots) {
    const { client } = await gateway.send({ method, target: '/v1/{id}', body: null, headers: given })
    const { request, connection } = await gateway.upstreams.openai.arrival()
    connection.json({ ok: true })
    expect((await client.response()).status).toBe(200)
    client.leave()
    expect(request.headerLines.map(([name, value]) => `${name.toLowerCase()}: ${value}`).toSorted()).toEqual(
      [
        `host: 127.0.0.1:${gateway.upstreams.openai.port}`,
        'connection: close',
        'accept: a/b',
        'authorization: Bearer sk-callers-own',
        'user-agent: mine',
        // The client of this test writes UTF-8; what arrives are its bytes.
        'x-bytes: \u00c3\u00bf',
        'x-request-id: one',
        ...framing,
      ].toSorted(),
    )
  }
})

test('a completion that names no model gets one with an exact target too, with the length that it has now', async () => {
  const { client } = await gateway.send({
    target: "/v1/chat/completions?q='a'",
    body: '{"messages":[{"role":"user"}]}',
  })
  const arrival = await gateway.upstreams.openai.arrival()
  const body = '{"model":"the-default","messages":[{"role":"user"}]}'
  expect(await bodyOf(arrival)).toBe(body)
  expect(arrival.request.header('content-length')).toBe(String(body.length))
  arrival.connection.json({ ok: true })
  expect((await client.response()).json()).toEqual({ ok: true })
  client.leave()
})

test('an answer to an exact target comes as it is: status, reason, repeated headers, coded bytes, no redirect', async () => {
  const gzipped = Bun.gzipSync('text')
  const { client } = await gateway.send({ method: 'GET', target: '/v1/{id}', body: null, headers: HTML })
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.write(
    Buffer.from(
      'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n' +
        'HTTP/1.1 307 Fi\u00c3\u00b1e As Well\r\nlocation: /elsewhere\r\nset-cookie: a=1\r\nset-cookie: b=2\r\nx-a: 1\r\nx-a: \u00ff\r\n' +
        `content-encoding: gzip\r\ncontent-length: ${gzipped.byteLength}\r\n\r\n`,
      'latin1',
    ),
  )
  connection.write(gzipped)
  const response = await client.response()
  const head = client.received().toString('latin1').split('\r\n\r\n')[0] ?? ''
  expect(head).toStartWith('HTTP/1.1 307 Fi\u00c3\u00b1e As Well\r\n')
  expect(head.match(/set-cookie: .*/gi)).toEqual(['set-cookie: a=1', 'set-cookie: b=2'])
  expect(response.headers.get('x-a')).toBe('1, \u00ff')
  expect(response.headers.get('location')).toBe('/elsewhere')
  expect(response.body.equals(gzipped)).toBe(true)
  expect(gateway.upstreams.openai.requests.at(-1)?.target).toBe('/v1/{id}')
  client.leave()
})

test('many and large headers of an answer to an exact target all arrive', async () => {
  const { client } = await gateway.send({ method: 'GET', target: '/v1/{id}', body: null, headers: HTML })
  const { connection } = await gateway.upstreams.openai.arrival()
  const headers = Object.fromEntries(Array.from({ length: 1500 }, (_, index) => [`x-${index}`, 'a'.repeat(40)]))
  connection.json({ ok: true }, 200, headers)
  const response = await client.response()
  expect([...response.headers.keys()].filter((name) => /^x-\d+$/.test(name))).toHaveLength(1500)
  client.leave()
})

test('HEAD, 204, 205 and 304 with an exact target have no body, and their connections close', async () => {
  for (const [method, status] of [
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 205],
    ['GET', 304],
  ] as const) {
    const { client } = await gateway.send({ method, target: '/v1/{id}', body: null, headers: HTML })
    const { connection } = await gateway.upstreams.openai.arrival()
    const length = method === 'HEAD' ? 'content-length: 7\r\n' : status === 205 ? 'content-length: 0\r\n' : ''
    connection.write(`HTTP/1.1 ${status} Fine\r\n${length}etag: "a"\r\n\r\n`)
    const [head = '', rest] = (await client.until(hasHead)).toString('latin1').split('\r\n\r\n')
    expect(head).toStartWith(`HTTP/1.1 ${status} Fine`)
    expect(head).toContain('etag: "a"')
    if (method === 'HEAD') expect(head.toLowerCase()).toContain('content-length: 7')
    expect(rest).toBe('')
    await within(AT_ONCE_MS, 'closing', connection.closed)
    client.leave()
  }
})

test.each(SHOTS)('%s: headers go on at once, and every chunk as it arrives', async (_, shot) => {
  const { client, record } = await gateway.send(shot)
  const arrival = await gateway.upstreams.openai.arrival()
  expect(arrival.request.target).toBe(shot.target ?? '')
  expect(await bodyOf(arrival)).toBe(String(shot.body ?? ''))
  const { connection } = arrival
  connection.startChunked(200, SSE)
  await client.until(hasHead)
  for (const event of ['data: 1\n\n', 'data', ': 2\n\n']) {
    connection.chunk(event)
    await client.until((received) => parseResponse(received)?.text().endsWith(event) === true)
  }
  connection.endChunks()
  const response = await client.response()
  expect([response.isComplete, response.text()]).toEqual([true, 'data: 1\n\ndata: 2\n\n'])
  expect(await record()).toMatchObject({ status: 200, outcome: 'complete', attempts: 1, bytes: 18 })
  client.leave()
})

test('an upload to an exact target goes on as it arrives, and so does its answer', async () => {
  for (const [framing, first, later] of [
    [{ 'Content-Length': '10' }, 'first', 'later'],
    [{ 'Transfer-Encoding': 'chunked' }, '5\r\nfirst\r\n', '5\r\nlater\r\n0\r\n\r\n'],
  ] as const) {
    const { client } = await gateway.send({ target: '/v1/{id}', body: null, headers: { ...HTML, ...framing } })
    const arrival = await gateway.upstreams.openai.arrival()
    client.write(first)
    expect(await arrival.request.firstBytes).toContain('first')
    arrival.connection.startChunked(200, {})
    arrival.connection.chunk('early')
    await client.until((received) => received.includes('early'))
    client.write(later)
    expect(await bodyOf(arrival)).toBe('firstlater')
    arrival.connection.endChunks()
    expect((await client.response()).text()).toBe('early')
    client.leave()
  }
})

test.each([
  ['/v1/{id}', 'application/json'],
  ['/v1/{id}', 'text/plain'],
  ['/v1/id', 'application/json'],
  ['/v1/id', 'text/plain'],
])(
  'an upload to %s that is answered (%s) before its end: the answer arrives, and upstream’s connection closes',
  async (target, type) => {
    const headers = { ...HTML, 'Content-Length': '50000000' }
    const { client, record } = await gateway.send({ target, body: null, headers })
    client.write(new Uint8Array(MIB))
    const { connection, request } = await gateway.upstreams.openai.arrival()
    await request.firstBytes
    connection.respond(413, { 'content-type': type }, '{"error":"enough"}')
    expect((await client.response()).json()).toEqual({ error: 'enough' })
    await within(AT_ONCE_MS, 'closing', connection.closed)
    client.leave()
    expect(await record()).toMatchObject({ status: 413, attempts: 1 })
  },
)

test.each(SHOTS)('%s: the client leaves, and upstream’s connection closes at once', async (_, shot) => {
  const before = await gateway.send(shot)
  const waiting = await gateway.upstreams.openai.arrival()
  before.client.leave()
  await within(AT_ONCE_MS, 'closing before the first byte', waiting.connection.closed)
  expect(await before.record()).toMatchObject({ status: 499, outcome: 'cancelled', bytes: 0, attempts: 1 })

  const during = await gateway.send(shot)
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.startChunked(200, SSE)
  connection.chunk('data: 1\n\n')
  await during.client.until((received) => received.includes('data: 1'))
  during.client.leave()
  await within(AT_ONCE_MS, 'closing in mid-stream', connection.closed)
  expect(await during.record()).toMatchObject({ status: 499, outcome: 'cancelled', bytes: 9, attempts: 1 })
})

test('the client leaves during an upload to an exact target, and upstream’s connection closes at once', async () => {
  const headers = { ...HTML, 'Content-Length': '5000000' }
  const { client, record } = await gateway.send({ target: '/v1/{id}', body: null, headers })
  client.write(new Uint8Array(100_000))
  const { connection } = await gateway.upstreams.openai.arrival()
  client.leave()
  await within(AT_ONCE_MS, 'closing', connection.closed)
  expect(await record()).toMatchObject({ status: 499, outcome: 'cancelled', attempts: 1 })
})

type Strike = (connection: Arrival['connection'], headSeen: () => Promise<unknown>) => void
/** A fault that strikes once the client has the answer's head. */
const behindHead =
  (begin: Strike, strike: (connection: Arrival['connection']) => void): Strike =>
  (connection, headSeen) => {
    begin(connection, headSeen)
    void ignoreRejection(headSeen().then(() => strike(connection)))
  }
const head = (lines: string): string => `HTTP/1.1 200 OK\r\n${lines}\r\n\r\n`

const FAULTS: readonly (readonly [string, string, Strike])[] = [
  ['a reset before headers', 'upstream_unreachable', (c) => c.reset()],
  ['an end before headers', 'upstream_unreachable', (c) => c.socket.end()],
  ['a stall before headers', 'upstream_timeout', () => undefined],
  ['a stall within the head', 'upstream_timeout', (c) => c.write('HTTP/1.1 200 OK\r\ncontent-le')],
  ['garbage', 'upstream_invalid_response', (c) => c.write('hello\r\n\r\n')],
  ['a status that HTTP does not have', 'upstream_invalid_response', (c) => c.write(head('').replace('200', '999'))],
  ['two lengths', 'upstream_invalid_response', (c) => c.write(`${head('content-length: 2\r\ncontent-length: 3')}{}`)],
  ['an endless head', 'upstream_invalid_response', (c) => c.write(head(`x: ${'a'.repeat(MIB)}`))],
  [
    'interim responses without end',
    'upstream_invalid_response',
    (c) => c.write('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(2000)),
  ],
  [
    'a JSON answer with a short length',
    'upstream_unreachable',
    (c) => {
      c.write(`${head('content-type: application/json\r\ncontent-length: 50')}{`)
      c.socket.end()
    },
  ],
  [
    'a JSON answer that stalls',
    'upstream_timeout',
    (c) => c.write(`${head('content-type: application/json\r\ncontent-length: 50')}{`),
  ],
  [
    'a reset mid-body',
    'broken',
    behindHead(
      (c) => c.write(`${head('content-length: 50')}{`),
      (c) => c.reset(),
    ),
  ],
  [
    'a short length',
    'broken',
    behindHead(
      (c) => c.write(`${head('content-length: 50')}{`),
      (c) => c.socket.end(),
    ),
  ],
  [
    'an end mid-stream',
    'broken',
    behindHead(
      (c) => {
        c.startChunked(200, SSE)
        c.chunk('data: 1\n\n')
      },
      (c) => c.socket.end(),
    ),
  ],
  ['a stall mid-stream', 'broken', (c) => c.startChunked(200, SSE)],
  [
    'a chunk size that is none',
    'broken',
    behindHead(
      (c) => c.write(head('transfer-encoding: chunked')),
      (c) => c.write('zz\r\n{}\r\n'),
    ),
  ],
]

async function suffer(faced: TestGateway<'openai'>, shot: RequestParts, end: string, strike: Strike): Promise<void> {
  const before = faced.upstreams.openai.requests.length
  const { client, record } = await faced.send(shot)
  const { connection } = await faced.upstreams.openai.arrival()
  strike(connection, () => client.until(hasHead))
  const response = await within(
    TIMER_MS + AT_ONCE_MS,
    'the end',
    client.response().catch(() => undefined),
  )
  const line = await record()
  expect(line).toMatchObject({ outcome: 'failed', attempts: 1 })
  if (end === 'broken') expect(response?.isComplete ?? false).toBe(false)
  else {
    expect(response?.json()).toMatchObject({ error: { code: end } })
    expect(line).toMatchObject({ error: end, status: response?.status })
  }
  await within(AT_ONCE_MS, "closing upstream's connection", connection.closed)
  expect(faced.upstreams.openai.requests.length).toBe(before + 1)
  client.leave()
}

test.each(FAULTS)(
  'an exact target: %s ends as %s, within its timer, with exactly one upstream request',
  async (fault, end, strike) => {
    // Only what stalls is ended by a timer: for all else none may come first, also on a machine that stands still for a while.
    const limit = String(fault.includes('a stall') || fault.includes('stalls') ? TIMER_MS : PATIENCE_MS)
    const faced = await startGateway({
      upstreams: { openai: byHand },
      env: { FIRST_BYTE_TIMEOUT_MS: limit, STREAM_IDLE_TIMEOUT_MS: limit },
    })
    try {
      for (const [, shot] of SHOTS) await suffer(faced, shot, end, strike)
      expect(faced.stderr()).toBe('')
      expect(faced.lines.filter(({ level }) => Number(level) >= 50)).toEqual([])
    } finally {
      await faced.stop()
    }
  },
)

test('an upstream that refuses connections is a 502 for an exact target too, with the cause in the log', async () => {
  const gone = await startGateway({ upstreams: { openai: byHand } })
  await gone.upstreams.openai.close()
  try {
    const { client, record } = await gone.send(GET_BODY)
    expect((await client.response()).status).toBe(502)
    expect(await record()).toMatchObject({ error: 'upstream_unreachable', cause: 'ECONNREFUSED', attempts: 1 })
  } finally {
    await gone.stop()
  }
})

test('an exact target goes through HTTP_PROXY like every other one', async () => {
  const proxy = await startScriptedUpstream((_request, { json }) => json({ ok: true }))
  const env = { OPENAI_API_BASE: 'http://upstream.invalid/v1', HTTP_PROXY: proxy.url }
  const gateway = await startGateway({ env, command: gatewayCommand() })
  try {
    for (const path of ['/v1/models', "/v1/{id}?q='a'"]) {
      expect((await sendRaw(gateway.port, getText(path, OWN_KEY))).json()).toEqual({ ok: true })
      const request = proxy.requests.at(-1)
      expect([request?.target, request?.header('host')]).toEqual([`http://upstream.invalid${path}`, 'upstream.invalid'])
    }
  } finally {
    await gateway.stop()
    await proxy.close()
  }
})

test.each(['chunked', 'until the connection ends'])(
  'back-pressure holds for an answer to an exact target (%s): little is taken ahead, then all of it arrives',
  async (framing) => {
    const isChunked = framing === 'chunked'
    const { client } = await gateway.send({ method: 'GET', target: '/v1/{id}', body: null, headers: HTML })
    client.socket.pause()
    const { connection } = await gateway.upstreams.openai.arrival()
    if (isChunked) connection.startChunked(200, {})
    else connection.write(head('connection: close'))
    const poured = flood(
      isChunked
        ? connection
        : { ...connection, chunk: connection.write, endChunks: () => void connection.socket.end() },
      FLOOD_BYTES,
    )
    expectHeldBack(await settled(poured.accepted, 200), [gateway.port, gateway.upstreams.openai.port])
    const parts: Buffer[] = []
    // The whole of it, as it comes: the client's own list of all bytes would be copied for every piece.
    client.socket.removeAllListeners('data').on('data', (part: Buffer) => void parts.push(part))
    client.socket.resume()
    await within(AT_ONCE_MS, 'the flood', poured.done)
    await settled(() => parts.length, 100)
    const response = parseResponse(Buffer.concat(parts))
    expect(response?.isComplete).toBe(true)
    expect(new Bun.CryptoHasher('sha256').update(response?.body ?? '').digest('hex')).toBe(poured.hash())
    client.leave()
  },
  60_000,
)

test('back-pressure holds for a GET’s body too: an upstream that takes nothing stops the client', async () => {
  const headers = { ...OWN_KEY, 'Content-Length': String(FLOOD_BYTES) }
  const { client } = await gateway.send({ method: 'GET', target: '/v1/models', body: null, headers })
  const { connection, request } = await gateway.upstreams.openai.arrival()
  connection.socket.pause()
  const { socket } = client
  const piece = new Uint8Array(256 * 1024).fill(7)
  let sent = 0
  const pour = (): void => {
    while (sent < FLOOD_BYTES && !socket.writableNeedDrain) {
      socket.write(piece)
      sent += piece.byteLength
    }
  }
  socket.on('drain', pour)
  pour()
  const accepted = await settled(() => socket.bytesWritten - socket.writableLength, 200)
  expectHeldBack(accepted, [gateway.port, gateway.upstreams.openai.port])
  connection.socket.resume()
  expect((await within(AT_ONCE_MS, 'the upload', request.body)).byteLength).toBe(FLOOD_BYTES)
  connection.json({ ok: true })
  expect((await client.response()).json()).toEqual({ ok: true })
  client.leave()
}, 60_000)
