import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { createApp } from '../../../src/app.ts'
import type { Config } from '../../../src/config/config.ts'
import { loadConfig } from '../../../src/config/load.ts'
import type { Exchange, Observer } from '../../../src/exchange/exchange.ts'
import type { Stage } from '../../../src/exchange/stage.ts'
import { ApiError } from '../../../src/openai/api-error.ts'
import { startHttpServer } from '../../../src/server/http-server.ts'
import { getText, openRawClient, postText, sendRaw } from '../../helpers/raw-client.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../../helpers/scripted-upstream.ts'
import { answerOk, SSE } from '../../helpers/upstream-scripts.ts'
import { SWITCH } from '../../helpers/websocket-relay.ts'

const silentLog = { debug() {}, info() {}, warn() {}, error() {}, fatal() {} }
const EVENTS = 'data: {"choices":[]}\n\ndata: {"usage":{"total_tokens":7}}\n\ndata: [DONE]\n\n'
const KEY = { authorization: 'Bearer sk-mine' }

/** What the stage of this test has seen: each exchange on its way in, and the status of its answer on its way out. */
const seen: { endpoint: string; principalName: string; isUpgrade: boolean; status: number | undefined }[] = []
/** What the observer of this test has heard, by the exchange. */
const heard = new Map<Exchange, string[]>()

const stage: Stage = {
  name: 'seen',
  async run(exchange, next) {
    const { endpointName: endpoint, principalName, isUpgrade } = exchange
    const entry: (typeof seen)[number] = { endpoint, principalName, isUpgrade, status: undefined }
    seen.push(entry)
    if (exchange.request.headers.has('x-refused')) throw new ApiError('overloaded')
    const answer = await next(exchange)
    entry.status = answer.status
    return answer
  },
}

function hear(exchange: Exchange, what: string): void {
  heard.set(exchange, [...(heard.get(exchange) ?? []), what])
}

const observer: Observer = {
  onStart: (exchange) => hear(exchange, 'start'),
  onAttempt: (exchange, { status }) => hear(exchange, `attempt ${status}`),
  onFirstByte: (exchange) => hear(exchange, 'first byte'),
  onUsage: (exchange, { total_tokens }) => hear(exchange, `usage ${total_tokens}`),
  onEnd: (exchange, { kind }) => hear(exchange, `end ${kind}`),
}

function configFor({ url }: Pick<ScriptedUpstream, 'url'>): Config {
  const env = { HOST: '127.0.0.1', PORT: '0', OPENAI_API_BASE: `${url}/v1` }
  const loaded = loadConfig(env, { isTerminal: false, readFile: () => '' })
  if (!loaded.ok) throw new Error('The configuration of this test is not valid.')
  return loaded.config
}

let upstream: ScriptedUpstream
let app: ReturnType<typeof createApp>
let server: Awaited<ReturnType<typeof startHttpServer>>

beforeAll(async () => {
  upstream = await startScriptedUpstream(async (request, connection) => {
    if (request.header('upgrade') !== undefined) return connection.write(SWITCH)
    await request.body
    if (!request.target.startsWith('/v1/chat')) return connection.json({ usage: { total_tokens: 3 } })
    connection.startChunked(200, SSE)
    connection.chunk(EVENTS)
    connection.endChunks()
  })
  const config = configFor(upstream)
  app = createApp({
    config,
    version: '0.0.0',
    log: silentLog,
    fetch,
    sha256: (text) => new Bun.CryptoHasher('sha256').update(text).digest(),
    stages: [stage],
    observers: [observer],
  })
  server = await startHttpServer({
    app,
    config,
    log: silentLog,
    proxyFor: () => undefined,
    reusePort: false,
  })
})

afterAll(async () => {
  server.closeAll()
  await server.close()
  await upstream.close()
})

beforeEach(() => {
  seen.length = 0
  heard.clear()
})

const chat = (headers = {}): string =>
  postText('/v1/chat/completions', '{"model":"m","stream":true}', { ...KEY, ...headers })
const form = (): string => {
  const body = '--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--x--\r\n'
  return postText('/v1/audio/transcriptions', body, { ...KEY, 'content-type': 'multipart/form-data; boundary=x' })
}
const UPGRADE = { ...KEY, connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' }

/** What the observer has heard of the only exchange. */
const heardOfOne = (): readonly string[] => {
  expect(heard.size).toBe(1)
  return [...heard.values()].flat()
}

test.each([
  ['a chat', chat(), 'chat.completions'],
  ['what passes through', getText('/v1/files', KEY), 'files'],
  ['a form', form(), 'audio'],
])('a stage of the list sees %s, and its answer', async (_what, request, endpoint) => {
  expect((await sendRaw(server.port, request)).status).toBe(200)
  expect(seen).toEqual([{ endpoint, principalName: expect.stringMatching(/^caller-/), isUpgrade: false, status: 200 }])
})

test('a stage of the list sees a WebSocket upgrade', async () => {
  const client = await openRawClient(server.port)
  client.write(getText('/v1/realtime?model=m', { ...UPGRADE, 'sec-websocket-key': btoa('0123456789abcdef') }))
  expect(String(await client.until((received) => received.includes('\r\n\r\n')))).toStartWith('HTTP/1.1 101 ')
  expect(seen).toEqual([
    { endpoint: 'realtime', principalName: expect.stringMatching(/^caller-/), isUpgrade: true, status: 200 },
  ])
  client.socket.destroy()
})

test('a stage that refuses is the last to see a request, an upgrade as well', async () => {
  const before = upstream.requests.length
  const upgrade = getText('/v1/realtime?model=m', {
    ...UPGRADE,
    'sec-websocket-key': btoa('0123456789abcdef'),
    'x-refused': '1',
  })
  for (const request of [chat({ 'x-refused': '1' }), upgrade]) {
    expect(await sendRaw(server.port, request)).toMatchObject({ status: 503 })
  }
  expect(seen).toHaveLength(2)
  expect(upstream.requests).toHaveLength(before)
})

test('nobody is let in to a stage whom the door does not know', async () => {
  expect((await sendRaw(server.port, getText('/v1/files', { origin: 'http://elsewhere.example' }))).status).toBe(401)
  expect(seen).toEqual([])
})

test('an observer hears of a stream’s start, attempt, first byte, usage and end, each once and in this order', async () => {
  await sendRaw(server.port, chat())
  expect(heardOfOne()).toEqual(['start', 'attempt 200', 'first byte', 'usage 7', 'end complete'])
})

test('an observer hears of a short answer as of a stream', async () => {
  await sendRaw(server.port, getText('/v1/files', KEY))
  expect(heardOfOne()).toEqual(['start', 'attempt 200', 'first byte', 'usage 3', 'end complete'])
})

test('an observer hears of an attempt that got no answer, and of the end', async () => {
  upstream.play((_request, connection) => connection.reset())
  await sendRaw(server.port, getText('/v1/files', KEY))
  expect(heardOfOne()).toEqual(['start', 'attempt undefined', expect.stringMatching(/^end (?:complete|failed)$/)])
})

test('a request whose body is still to come goes by the settings in force when it is there', async () => {
  await using other = await startScriptedUpstream(answerOk)
  const client = await openRawClient(server.port)
  const [head = '', body = ''] = chat().split('\r\n\r\n')
  client.write(`${head}\r\n\r\n${body.slice(0, 5)}`)
  // By the time that another one is answered, it waits for its body.
  await sendRaw(server.port, getText('/v1/files', KEY))
  app.apply(configFor(other).settings)
  try {
    client.write(body.slice(5))
    expect((await client.response()).status).toBe(200)
    expect(other.requests).toHaveLength(1)
  } finally {
    app.apply(configFor(upstream).settings)
  }
})
