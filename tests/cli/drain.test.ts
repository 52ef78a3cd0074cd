import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { connect } from 'node:net'
import { settled } from '../helpers/flood.ts'
import { type Env, gatewayCommand } from '../helpers/gateway-under-test.ts'
import { getText, haveBegun, openRawClient, parseResponse, postText, type RawClient } from '../helpers/raw-client.ts'
import { type ScriptedUpstream, startScriptedUpstream, type UpstreamConnection } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { AT_ONCE_MS } from '../helpers/within.ts'

setDefaultTimeout(60_000)

const CHAT = '{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}'
const AUTH = { Authorization: 'Bearer sk-mine' }
const EVENT = 'data: {"n":1}\n\n'

let upstream: ScriptedUpstream
/** The streams that the upstream has begun, by the number in the `x-stream` header. */
const streams = new Map<string, UpstreamConnection>()

beforeAll(async () => {
  upstream = await startScriptedUpstream((request, connection) => {
    if (request.target.startsWith('/v1/realtime')) {
      connection.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
      streams.set(request.header('x-stream') ?? '', connection)
      return
    }
    connection.startChunked(200, { 'content-type': 'text/event-stream' })
    connection.chunk(EVENT)
    streams.set(request.header('x-stream') ?? '', connection)
  })
})
afterAll(() => upstream.close())

/** Starts a gateway of its own. */
function start(env: Env = {}): Promise<TestGateway> {
  return startGateway({ env: { OPENAI_API_BASE: `${upstream.url}/v1`, ...env }, command: gatewayCommand() })
}

/** Begins a stream through the gateway and resolves when its first event has come. */
async function beginStream(gateway: TestGateway, name: string): Promise<RawClient> {
  const client = await openRawClient(gateway.port)
  client.write(postText('/v1/chat/completions', CHAT, { ...AUTH, 'x-stream': name }))
  await client.until((received) => received.includes(EVENT))
  return client
}

function finishStream(name: string): void {
  streams.get(name)?.chunk('data: [DONE]\n\n')
  streams.get(name)?.endChunks()
}

/** Whether a fresh connection to a port is refused. */
function isRefused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => {
      socket.destroy()
      resolve(false)
    })
    socket.on('error', () => resolve(true))
  })
}

/** Whether a server that was told to end still answers, on a connection that it had before. */
async function isDraining(before: RawClient): Promise<boolean> {
  before.write(getText('/ready'))
  return (await before.response()).text() === '{"status":"draining"}'
}

/** Resolves when fresh connections are refused. */
async function refusal(port: number): Promise<void> {
  while (!(await isRefused(port))) await Bun.sleep(10)
}

describe('SIGTERM', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s: /ready turns 503, new requests are refused with Retry-After, new connections are refused, and in-flight streams finish; exit code 0',
    async (signal) => {
      const gateway = await start()
      const streaming = await beginStream(gateway, signal)
      const other = await openRawClient(gateway.port)
      const [third, fourth] = [await openRawClient(gateway.port), await openRawClient(gateway.port)]
      // Only what has been accepted is a connection that is still served.
      await haveBegun(gateway.port)
      gateway.child?.kill(signal)
      await gateway.line(({ msg }) => String(msg).startsWith('draining'))

      // On connections that are still served.
      other.write(getText('/ready'))
      const ready = await other.response()
      expect(ready.status).toBe(503)
      expect(ready.json()).toEqual({ status: 'draining' })
      third.write(postText('/v1/chat/completions', CHAT, AUTH))
      const refused = await third.response()
      expect(refused.status).toBe(503)
      expect(refused.headers.get('retry-after')).toBe('1')
      expect(refused.json()).toMatchObject({ error: { code: 'draining', type: 'server_error', param: null } })
      fourth.write(getText('/health'))
      expect((await fourth.response()).status).toBe(200)
      await refusal(gateway.port)

      streams.get(signal)?.chunk('data: {"n":2}\n\n')
      await streaming.until((received) => received.includes('"n":2'))
      finishStream(signal)
      const answer = await streaming.response()
      expect(answer.isComplete).toBe(true)
      expect(answer.text()).toBe(`${EVENT}data: {"n":2}\n\ndata: [DONE]\n\n`)
      expect(await gateway.child?.exited).toBe(0)
      expect(gateway.lines.findLast(({ status }) => status === 200)).toMatchObject({
        msg: 'exchange',
        route: 'chat.completions',
        outcome: 'complete',
        bytes: answer.body.byteLength,
      })
      expect(gateway.lines.at(-1)).toMatchObject({ msg: 'stopped', complete: true })
      expect(gateway.stderr()).toBe('')
    },
  )

  test('when idle it exits at once with code 0, whatever keep-alive connections are open', async () => {
    const gateway = await start()
    const used = await openRawClient(gateway.port)
    used.write(getText('/health', {}, 'HEAD') + getText('/health') + getText('/health', {}, 'DELETE'))
    await used.until((received) => received.includes('method_not_supported'))
    const startedAt = performance.now()
    gateway.child?.kill('SIGTERM')
    expect(await gateway.child?.exited).toBe(0)
    expect(performance.now() - startedAt).toBeLessThan(AT_ONCE_MS)
    await used.closed
  })

  test('a request that was on its way on a kept connection is refused with an answer, and not cut', async () => {
    const gateway = await start()
    const streaming = await beginStream(gateway, 'on its way')
    const kept = await openRawClient(gateway.port)
    kept.write(getText('/health'))
    expect((await kept.response()).status).toBe(200)
    gateway.child?.kill('SIGTERM')
    // By now nobody is let in any more.
    await refusal(gateway.port)
    const before = kept.received().byteLength
    kept.write(postText('/v1/chat/completions', CHAT, AUTH))
    await kept.closed
    const refused = parseResponse(kept.received().subarray(before))
    expect(refused?.status).toBe(503)
    expect(refused?.headers.get('connection')).toBe('close')
    finishStream('on its way')
    expect((await streaming.response()).isComplete).toBe(true)
    expect(await gateway.child?.exited).toBe(0)
  })

  test('an answer that a slow client is still taking is in flight too, and finishes', async () => {
    const big = 'x'.repeat(1_000_000)
    const json = await startScriptedUpstream((_request, connection) => connection.json({ big }))
    const gateway = await start({ OPENAI_API_BASE: `${json.url}/v1` })
    const chunks: Buffer[] = []
    const client = connect(gateway.port, '127.0.0.1')
    client.on('data', (chunk: Buffer) => void chunks.push(chunk))
    const closed = new Promise<void>((resolve) => void client.on('close', () => resolve()))
    client.pause()
    // Together they are more than the system's buffers hold, so the last of them wait for their turn.
    client.write(getText('/v1/files/f', AUTH).repeat(24))
    await gateway.exchange(1)
    await settled(() => gateway.lines.length, 200)
    const other = await openRawClient(gateway.port)
    await haveBegun(gateway.port)
    gateway.child?.kill('SIGTERM')
    await refusal(gateway.port)
    expect(await isDraining(other)).toBe(true)
    client.resume()
    await closed
    const text = Buffer.concat(chunks).toString('latin1')
    const answers = text.split('HTTP/1.1 ').slice(1)
    const whole = answers.filter((answer) => answer.startsWith('200 ') && answer.endsWith(JSON.stringify({ big })))
    expect(whole.length).toBeGreaterThan(0)
    // Whose turn came too late is told so, as the connection's last answer.
    expect(answers.slice(whole.length).map((answer) => [answer.slice(0, 3), answer.includes('"draining"')])).toEqual([
      ['503', true],
    ])
    expect(await gateway.child?.exited).toBe(0)
    await json.close()
  })

  test('a WebSocket under way is in flight too, and finishes', async () => {
    const gateway = await start()
    const client = await openRawClient(gateway.port)
    const handshake = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' }
    const key = { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==', 'x-stream': 'websocket' }
    client.write(getText('/v1/realtime?model=m', { ...AUTH, ...handshake, ...key }))
    await client.until((received) => received.includes('\r\n\r\n'))
    gateway.child?.kill('SIGTERM')
    await refusal(gateway.port)
    streams.get('websocket')?.write(Buffer.from('\x81\x02hi', 'latin1'))
    await client.until((received) => received.includes('hi'))
    streams.get('websocket')?.write(Buffer.from('\x88\x00', 'latin1'))
    streams.get('websocket')?.socket.end()
    client.socket.end()
    await client.closed
    expect(parseResponse(client.received())?.raw.toString('latin1')).toBe('\x81\x02hi\x88\x00')
    expect(await gateway.child?.exited).toBe(0)
    expect(gateway.lines.at(-1)).toMatchObject({ msg: 'stopped', complete: true })
  })

  test('when the drain time is over, streams are broken, never ended cleanly; exit code 0', async () => {
    const gateway = await start({ DRAIN_TIMEOUT_MS: '600' })
    const client = await beginStream(gateway, 'late')
    const startedAt = performance.now()
    gateway.child?.kill('SIGTERM')
    expect(await gateway.child?.exited).toBe(0)
    expect(performance.now() - startedAt).toBeWithin(500, 600 + AT_ONCE_MS)
    await client.closed
    const answer = parseResponse(client.received())
    expect(answer?.isComplete).toBe(false)
    // Both SDKs raise on such an event.
    expect(answer?.text()).toStartWith(`${EVENT}data: {"error":{"message":"This server is shutting down`)
    expect(gateway.lines.at(-1)).toMatchObject({ msg: 'stopped', complete: false })
    expect(gateway.lines.filter(({ msg }) => msg === 'exchange')).toMatchObject([
      { route: 'chat.completions', status: 200, outcome: 'failed', error: 'draining' },
    ])
    await streams.get('late')?.closed
  })

  test('DRAIN_TIMEOUT_MS=0 is no limit, as for every other time', async () => {
    const gateway = await start({ DRAIN_TIMEOUT_MS: '0' })
    const client = await beginStream(gateway, 'unlimited')
    const other = await openRawClient(gateway.port)
    await haveBegun(gateway.port)
    gateway.child?.kill('SIGTERM')
    await refusal(gateway.port)
    expect(await isDraining(other)).toBe(true)
    finishStream('unlimited')
    expect((await client.response()).isComplete).toBe(true)
    expect(await gateway.child?.exited).toBe(0)
  })

  test('a second signal ends it at once, with the code of that signal', async () => {
    const gateway = await start()
    const client = await beginStream(gateway, 'second')
    gateway.child?.kill('SIGTERM')
    await gateway.line(({ msg }) => String(msg).startsWith('draining'))
    const startedAt = performance.now()
    gateway.child?.kill('SIGINT')
    expect(await gateway.child?.exited).toBe(130)
    expect(performance.now() - startedAt).toBeLessThan(AT_ONCE_MS)
    await client.closed
    expect(parseResponse(client.received())?.isComplete).toBe(false)
  })
})
