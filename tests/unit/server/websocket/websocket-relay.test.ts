import { expect, test } from 'bun:test'
import { perTest } from '../../../helpers/per-test.ts'
import { closeFrame, frame } from '../../../helpers/websocket-peer.ts'
import { openLink, SWITCH, startRelay, TARGET } from '../../../helpers/websocket-relay.ts'

const MASK = [0x12, 0x34, 0x56, 0x78] as const
const start = perTest(startRelay)

test('the upgrade goes upstream with the exact target, the headers given and the hop headers of its own', async () => {
  const { server, bare } = await start()
  await server.open({ lines: ['X-Latin: caf\xe9', 'Sec-WebSocket-Protocol: realtime, openai-beta'] })
  const upstream = await bare.accept()
  const lines = (await upstream.readHead()).split('\r\n')
  expect(lines).toEqual([
    `GET ${TARGET} HTTP/1.1`,
    `Host: ${bare.url.host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'X-Latin: caf\xe9',
    'Sec-WebSocket-Protocol: realtime, openai-beta',
    '',
    '',
  ])
})

test('a length in the upgrade request does not go upstream, where the first frames would be taken for a body', async () => {
  const { server, bare } = await start({
    headers: [
      ['Content-Length', '5'],
      ['Transfer-Encoding', 'chunked'],
      ['X-Kept', '1'],
    ],
  })
  await server.open()
  const head = await (await bare.accept()).readHead()
  expect(head).not.toMatch(/content-length|transfer-encoding/i)
  expect(head).toContain('X-Kept: 1')
})

test('a header that would break out of its line is never sent', async () => {
  const { server, bare } = await start({ headers: [['x-a', 'b\r\nx-c: d']] })
  await server.open()
  const upstream = await bare.accept()
  expect(await upstream.readToEnd()).toHaveLength(0)
  expect(await server.outcome()).toMatchObject({ kind: 'failed', status: 502, answered: false })
})

test('the 101 reaches the client with the subprotocol and extensions that upstream chose, and no hop header of its', async () => {
  const { server, bare } = await start({
    responseHeaders: [
      ['x-request-id', 'ours'],
      ['x-nexcode-request-id', 'ours too'],
    ],
  })
  const client = await server.open()
  const upstream = await bare.accept()
  await upstream.readHead()
  const sent = [
    'HTTP/1.1 101 Web Socket Protocol Handshake',
    'Upgrade: WebSocket',
    'Connection: upgrade, X-Hop',
    'X-Hop: 1',
    'Keep-Alive: timeout=5',
    'Content-Length: 0',
    'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
    'Sec-WebSocket-Protocol: realtime',
    'Sec-WebSocket-Extensions: permessage-deflate',
    'X-Request-Id: theirs',
    'Set-Cookie: a=1',
    'Set-Cookie: b=2',
  ]
  upstream.write(`${sent.join('\r\n')}\r\n\r\n`)
  const [statusLine, ...lines] = (await client.readHead()).trimEnd().split('\r\n')
  expect(statusLine).toBe('HTTP/1.1 101 Web Socket Protocol Handshake')
  expect(lines.map((line) => line.replace(/^[^:]+/, (name) => name.toLowerCase())).sort()).toEqual([
    'connection: Upgrade',
    'sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
    'sec-websocket-extensions: permessage-deflate',
    'sec-websocket-protocol: realtime',
    'set-cookie: a=1',
    'set-cookie: b=2',
    'upgrade: websocket',
    'x-nexcode-request-id: ours too',
    'x-request-id: theirs',
  ])
})

const FRAMES: readonly (readonly [string, Buffer])[] = [
  ['a text frame', frame('text', '{"a": 1.0}')],
  [
    'a binary frame',
    frame(
      'binary',
      Uint8Array.from({ length: 256 }, (_, index) => index),
    ),
  ],
  ['an empty frame', frame('text', '')],
  ['a frame with a 16-bit length', frame('binary', Buffer.alloc(60_000, 7))],
  [
    'a fragment and its continuation',
    Buffer.concat([frame('text', 'ab', { isLast: false }), frame('continuation', 'c')]),
  ],
  ['a ping', frame('ping', 'are you there')],
  ['a pong nobody asked for', frame('pong', '')],
  ['a compressed frame', frame('text', Uint8Array.from([0xaa, 0x56, 0x4a, 0x04, 0x00]), { isCompressed: true })],
  ['a close frame with code 4001 and a reason', closeFrame(4001, 'gone fishing')],
  ['bytes that are no frame', Buffer.from([0xff, 0xff, 0x00, 0x0d, 0x0a])],
]

test.each(FRAMES)('%s from upstream reaches the client as it is', async (_, bytes) => {
  const { server, bare } = await start()
  const { client, upstream } = await openLink(server, bare)
  upstream.write(bytes)
  expect(await client.read(bytes.byteLength)).toEqual(bytes)
})

const MASKED_FRAMES: readonly (readonly [string, Buffer])[] = [
  ['a masked text frame', frame('text', '{"a": 1.0}', { mask: MASK })],
  ['a masked binary frame', frame('binary', Buffer.alloc(60_000, 7), { mask: MASK })],
  [
    'a ping between two fragments',
    Buffer.concat([
      frame('text', 'ab', { isLast: false, mask: MASK }),
      frame('ping', '', { mask: MASK }),
      frame('continuation', 'c', { mask: MASK }),
    ]),
  ],
  ['a masked close frame with code 4001 and a reason', closeFrame(4001, 'gone fishing', { mask: MASK })],
]

test.each(MASKED_FRAMES)('%s from the client reaches upstream as it is', async (_, bytes) => {
  const { server, bare } = await start()
  const { client, upstream } = await openLink(server, bare)
  client.write(bytes)
  expect(await upstream.read(bytes.byteLength)).toEqual(bytes)
})

test('bytes behind the upgrade request go first, before those that came later', async () => {
  const { server, bare } = await start()
  const early = frame('text', 'early', { mask: MASK })
  const later = frame('text', 'later', { mask: MASK })
  const client = await server.open({ early })
  const upstream = await bare.accept()
  await upstream.readHead()
  client.write(later)
  upstream.write(SWITCH)
  const expected = Buffer.concat([early, later])
  expect(await upstream.read(expected.byteLength)).toEqual(expected)
})

test('bytes behind the upgrade request never reach an upstream that refuses, which would take them for a request', async () => {
  const { server, bare } = await start()
  const early = Buffer.from('GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n')
  const client = await server.open({ early })
  const upstream = await bare.accept()
  await upstream.readHead()
  client.write(early)
  upstream.write('HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n')
  expect(await upstream.readToEnd()).toHaveLength(0)
  expect(await client.readHead()).toStartWith('HTTP/1.1 426 Upgrade Required\r\n')
})

test('frames behind the head of the 101 reach the client, in whatever packets the head came', async () => {
  const { server, bare } = await start()
  const bytes = frame('text', '{"type":"session.created"}')
  const client = await server.open()
  const upstream = await bare.accept()
  await upstream.readHead()
  upstream.socket.setNoDelay(true)
  const answer = Buffer.concat([Buffer.from(`HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n${SWITCH}`), bytes])
  for (const byte of answer) upstream.write(Uint8Array.of(byte))
  expect(await client.readHead()).toStartWith('HTTP/1.1 101 Switching Protocols\r\n')
  expect(await client.read(bytes.byteLength)).toEqual(bytes)
})

test('the outcome of a whole WebSocket is complete, with the bytes of both directions', async () => {
  const { server, bare } = await start()
  const { client, upstream, outcome } = await openLink(server, bare)
  client.write('12345')
  await upstream.read(5)
  upstream.write('1234567')
  upstream.socket.end()
  await client.ended
  client.socket.end()
  expect(await outcome).toEqual({
    kind: 'complete',
    answered: true,
    status: 101,
    bytesIn: 5,
    bytesOut: 7,
    timeToFirstByteMs: expect.any(Number),
  })
})
