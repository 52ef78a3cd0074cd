import { expect, test } from 'bun:test'
import { Secret } from '../../../../src/config/secret.ts'
import { createMask } from '../../../../src/upstream/mask.ts'
import { perTest } from '../../../helpers/per-test.ts'
import {
  type RelayOverrides,
  startBareUpstream,
  startRelay,
  startRelayServer,
} from '../../../helpers/websocket-relay.ts'
import { AT_ONCE_MS } from '../../../helpers/within.ts'

const BODY =
  '{"error":{"message":"Incorrect API key","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}'
const start = perTest(startRelay)
const startServer = perTest(startRelayServer)

/** Gives what the client gets when upstream answers an upgrade with these bytes, and ends where `isEnded`. */
async function answerWith(answer: string | Uint8Array, isEnded = false, overrides?: RelayOverrides) {
  const { server, bare } = await start(overrides)
  const client = await server.open()
  const upstream = await bare.accept()
  await upstream.readHead()
  upstream.write(answer)
  if (isEnded) upstream.socket.end()
  const received = await client.readToEnd()
  client.socket.end()
  await upstream.ended
  return { received: received.toString('latin1'), outcome: await server.outcome() }
}

test('a 401 with its JSON body reaches the client as the last answer of the connection, and upstream is closed', async () => {
  const head = 'HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nX-Request-Id: req_1\r\nKeep-Alive: 5\r\n'
  const { received, outcome } = await answerWith(`${head}Content-Length: ${BODY.length}\r\n\r\n${BODY}`)
  const [shownHead = '', body] = received.split('\r\n\r\n')
  expect(shownHead.split('\r\n')).toEqual([
    'HTTP/1.1 401 Unauthorized',
    'content-type: application/json',
    'x-request-id: req_1',
    `Content-Length: ${BODY.length}`,
    'Connection: close',
  ])
  expect(body).toBe(BODY)
  expect(outcome).toMatchObject({ kind: 'complete', answered: true, status: 401, bytesIn: 0, bytesOut: BODY.length })
})

test('a chunked refusal reaches the client whole, however its chunks are cut', async () => {
  const chunked = `HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: Chunked\r\n\r\n5;x=y\r\nhello\r\n00006 \r\n world\r\n0\r\nX-T: 1\r\n\r\n`
  const { received } = await answerWith(chunked)
  expect(received).toBe('HTTP/1.1 400 Bad Request\r\nContent-Length: 11\r\nConnection: close\r\n\r\nhello world')
})

test('a refusal that the end of the connection ends reaches the client whole', async () => {
  const { received, outcome } = await answerWith('HTTP/1.0 503 Busy\r\nRetry-After: 3\r\n\r\nbusy', true)
  expect(received).toBe('HTTP/1.1 503 Busy\r\nretry-after: 3\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbusy')
  expect(outcome).toMatchObject({ kind: 'complete', status: 503 })
})

test('a 204 has no body and no length', async () => {
  const { received } = await answerWith('HTTP/1.1 204 No Content\r\n\r\n')
  expect(received).toBe('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n')
})

test('a refusal that echoes the server key reaches the client with the key masked', async () => {
  const secret = 'sk-secret-0123456789'
  const body = `no such key: ${secret}`
  const head = `HTTP/1.1 401 Unauthorized\r\nX-Key: ${secret}\r\nContent-Length: ${body.length}\r\n\r\n`
  const { received } = await answerWith(head + body, false, { mask: createMask([new Secret(secret)]) })
  expect(received).not.toContain(secret)
  expect(received).toEndWith(`no such key: ${'*'.repeat(secret.length)}`)
})

test('the server key is masked in the reason of a refusal and in the head of a 101, too', async () => {
  const secret = 'sk-secret-0123456789'
  const mask = createMask([new Secret(secret)])
  const refusal = `HTTP/1.1 403 not with ${secret}\r\nContent-Length: 0\r\n\r\n`
  expect((await answerWith(refusal, false, { mask })).received).not.toContain(secret)
  const head = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
  const { received } = await answerWith(`${head}X-Key: ${secret}\r\n\r\n`, true, { mask })
  expect(received).toStartWith('HTTP/1.1 101 ')
  expect(received).not.toContain(secret)
})

test('headers are added to a refusal only where upstream sent none of the name', async () => {
  const responseHeaders = [
    ['x-request-id', 'ours'],
    ['x-nexcode-request-id', 'ours'],
  ] as const
  const answer = 'HTTP/1.1 403 Forbidden\r\nX-Request-Id: theirs\r\nContent-Length: 0\r\n\r\n'
  const { received } = await answerWith(answer, false, { responseHeaders })
  expect(received).toContain('x-request-id: theirs\r\n')
  expect(received).toContain('x-nexcode-request-id: ours\r\n')
})

const UNUSABLE: readonly (readonly [string, string])[] = [
  ['garbage', 'SSH-2.0-OpenSSH_9.6\r\n'],
  ['garbage without a line end', 'x'],
  ['a malformed status line', 'HTTP/1.1 abc\r\n\r\n'],
  ['a malformed header line', 'HTTP/1.1 101 Switching Protocols\r\nno colon here\r\n\r\n'],
  ['a NUL in a header', 'HTTP/1.1 101 Switching Protocols\r\nX: a\0b\r\n\r\n'],
  ['a head that never ends', `HTTP/1.1 101 Switching Protocols\r\nX: ${'y'.repeat(70_000)}`],
  ['a head that is too long', `HTTP/1.1 101 Switching Protocols\r\nX: ${'y'.repeat(70_000)}\r\n\r\n`],
  ['interim answers without end', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(3_000)],
  ['a switch to another protocol', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n'],
  ['two lengths', 'HTTP/1.1 400 Bad\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
  ['a length that is no number', 'HTTP/1.1 400 Bad\r\nContent-Length: -1\r\n\r\n'],
  ['an unknown transfer coding', 'HTTP/1.1 400 Bad\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'],
  ['a malformed chunk size', 'HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n'],
  ['a chunk longer than its size', 'HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n'],
  ['an endless chunk size', `HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\n${'0'.repeat(5_000)}`],
  ['a body of more than 1 MiB', `HTTP/1.1 400 Bad\r\nContent-Length: 2000000\r\n\r\n${'x'.repeat(1_100_000)}`],
]

test.each(UNUSABLE)('%s from upstream is a 502 for the caller to render', async (_, answer) => {
  const { received, outcome } = await answerWith(answer)
  expect(received).toStartWith('HTTP/1.1 502 Unanswered\r\n')
  expect(outcome).toMatchObject({ kind: 'failed', answered: false, status: 502 })
  expect(outcome.cause).toMatchObject({ kind: 'upstream_invalid_response' })
})

const CUT: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['half a head', 'HTTP/1.1 101 Switch'],
  ['half a body', 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 10\r\n\r\n{"err'],
  ['a chunked body without its last chunk', 'HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n'],
]

test.each(CUT)('%s and then the end of the connection is a 502 for the caller to render', async (_, answer) => {
  const { received, outcome } = await answerWith(answer, true)
  expect(received).toStartWith('HTTP/1.1 502 Unanswered\r\n')
  expect(outcome).toMatchObject({ kind: 'failed', answered: false, status: 502 })
})

test('a reset before the answer is a 502 for the caller to render', async () => {
  const { server, bare } = await start()
  const client = await server.open()
  const upstream = await bare.accept()
  await upstream.readHead()
  upstream.socket.resetAndDestroy()
  expect(await client.readHead()).toStartWith('HTTP/1.1 502 Unanswered\r\n')
  expect(await server.outcome()).toMatchObject({ kind: 'failed', status: 502, cause: { code: 'ECONNRESET' } })
})

test('a refused connection is a 502 for the caller to render', async () => {
  const gone = await startBareUpstream()
  gone.close()
  const server = await startServer(gone.url)
  const client = await server.open()
  expect(await client.readHead()).toStartWith('HTTP/1.1 502 Unanswered\r\n')
  expect(await server.outcome()).toMatchObject({
    kind: 'failed',
    answered: false,
    status: 502,
    cause: { code: 'ECONNREFUSED' },
    timeToFirstByteMs: undefined,
  })
})

test('a host name that does not resolve is a 502 for the caller to render', async () => {
  const server = await startServer(new URL('http://upstream.invalid'))
  await server.open()
  expect(await server.outcome()).toMatchObject({ kind: 'failed', status: 502, cause: { code: 'ENOTFOUND' } })
})

test('a server that speaks no TLS under https is a 502 for the caller to render', async () => {
  await using bare = await startBareUpstream()
  const server = await startServer(new URL(`https://${bare.url.host}`))
  await server.open()
  const upstream = await bare.accept()
  await upstream.read(1)
  upstream.write('HTTP/1.1 400 Bad Request\r\n\r\n')
  expect(await server.outcome()).toMatchObject({ kind: 'failed', answered: false, status: 502 })
  await upstream.ended
})

test('an upstream that does not answer is a 504 for the caller to render within its timer, and is closed', async () => {
  const { server, bare } = await start({ timeouts: { firstByteMs: 100, idleMs: 5_000 } })
  const client = await server.open()
  const upstream = await bare.accept()
  await upstream.readHead()
  upstream.write('HTTP/1.1 101 Switching Pro')
  const [head] = await Promise.all([client.readHead(), upstream.ended])
  expect(head).toStartWith('HTTP/1.1 504 Unanswered\r\n')
  expect(await server.outcome()).toMatchObject({ kind: 'failed', answered: false, status: 504 })
})

test('an upstream that stalls in the body of its refusal is a 504 for the caller to render', async () => {
  const { server, bare } = await start({ timeouts: { firstByteMs: 5_000, idleMs: 100 } })
  const client = await server.open()
  const upstream = await bare.accept()
  await upstream.readHead()
  upstream.write('HTTP/1.1 401 Unauthorized\r\nContent-Length: 10\r\n\r\n{"err')
  const [head] = await Promise.all([client.readHead(), upstream.ended])
  expect(head).toStartWith('HTTP/1.1 504 Unanswered\r\n')
})

test('a client that leaves before the answer closes the connection to upstream at once', async () => {
  const { server, bare } = await start()
  const client = await server.open()
  const upstream = await bare.accept()
  await upstream.readHead()
  const leftAt = performance.now()
  client.socket.destroy()
  await upstream.ended
  expect(performance.now() - leftAt).toBeLessThan(AT_ONCE_MS)
  expect(await server.outcome()).toMatchObject({ kind: 'cancelled', answered: false, status: 499 })
})

test('a client that resets before the answer closes the connection to upstream at once', async () => {
  const { server, bare } = await start()
  const client = await server.open()
  const upstream = await bare.accept()
  await upstream.readHead()
  client.socket.resetAndDestroy()
  await upstream.ended
  expect(await server.outcome()).toMatchObject({ kind: 'cancelled', answered: false, status: 499 })
})
