import { afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { extensionFiles } from '../helpers/extension-files.ts'
import type { Env } from '../helpers/gateway-under-test.ts'
import { getText, openRawClient, postText, sendRaw } from '../helpers/raw-client.ts'
import { lastRequest } from '../helpers/received-requests.ts'
import type { ReceivedRequest } from '../helpers/scripted-upstream.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { type GatewayOptions, startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

setDefaultTimeout(60_000)

const { write } = extensionFiles()
const CHAT = JSON.stringify({ model: 'm', messages: MESSAGES })
const OWN = { Authorization: 'Bearer sk-callers-own' }
/** What each call has of its own hop, and what the runtime's fetch and HTTP want to be there (docs/configuration.md). */
const ALWAYS = ['accept', 'connection', 'host', 'user-agent']

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()))
})

async function start(options: Partial<GatewayOptions<'only'>> = {}): Promise<TestGateway<'only'>> {
  const gateway = await startGateway({ upstreams: { only: answerOk }, ...options })
  stops.push(gateway.stop)
  return gateway
}

/** A gateway without a file in front of the same upstream. */
async function plainly({ upstreams }: TestGateway<'only'>, env: Env = {}): Promise<number> {
  const gateway = await startGateway({ env: { OPENAI_API_BASE: `${upstreams.only.url}/v1`, ...env } })
  stops.push(() => gateway.stop())
  return gateway.port
}

/** The names that arrived and were not sent. */
function added({ headerLines }: ReceivedRequest, sent: Readonly<Record<string, string>>): string[] {
  const known = new Set([...Object.keys(sent).map((name) => name.toLowerCase()), ...ALWAYS])
  return headerLines.map(([name]) => name.toLowerCase()).filter((name) => !known.has(name))
}

const CALLS: Readonly<Record<string, (headers: Readonly<Record<string, string>>) => string>> = {
  'a chat': (headers) => postText('/v1/chat/completions', CHAT, headers),
  'a response': (headers) => postText('/v1/responses', CHAT, headers),
  'a list': (headers) => getText('/v1/models', headers),
  'a list with an id': (headers) => getText('/v1/files?limit=1', headers),
  'a target that only the exact way can send': (headers) => getText("/v1/prompts/{id}?q='a'", headers),
}

test.each(Object.keys(CALLS))('%s has nothing of ours upstream, with a file and without one', async (what) => {
  const gateway = await start({ settings: { only: { auth: 'caller' } } })
  const call = CALLS[what] ?? (() => '')
  for (const port of [gateway.port, await plainly(gateway, { DEBUG_HEADERS: 'true' })]) {
    for (const sent of [OWN, { ...OWN, 'X-Request-Id': 'my-id-1', 'X-Client-Request-Id': 'session', 'X-Odd': 'yes' }]) {
      expect((await sendRaw(port, call(sent))).status).toBe(200)
      const arrived = lastRequest(gateway.upstreams.only)
      // What the test's own client says of its body goes along.
      expect(added(arrived, { ...sent, 'content-type': '', 'content-length': '' })).toEqual([])
      for (const [name, value] of Object.entries(sent)) expect(arrived.header(name)).toBe(value)
    }
  }
})

test('a WebSocket has nothing of ours upstream but what its hop needs', async () => {
  const gateway = await start({ settings: { only: { auth: 'caller' } } })
  const sent = { ...OWN, 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' }
  const client = await openRawClient(gateway.port)
  client.write(getText('/v1/realtime?model=m', { Connection: 'Upgrade', Upgrade: 'websocket', ...sent }))
  const arrived = await gateway.upstreams.only.request(1)
  client.leave()
  expect(added(arrived, sent)).toEqual(['upgrade'])
})

test('a user agent and an Accept of ours stand in for a client’s that says none, and never replace its own', async () => {
  const gateway = await start()
  const { port } = gateway
  await sendRaw(port, postText('/v1/chat/completions', CHAT, OWN))
  expect(lastRequest(gateway.upstreams.only).header('user-agent')).toStartWith('NexCode/')
  expect(lastRequest(gateway.upstreams.only).header('accept')).toBe('*/*')
  await sendRaw(port, postText('/v1/chat/completions', CHAT, { ...OWN, 'User-Agent': 'mine', Accept: 'a/b' }))
  expect(lastRequest(gateway.upstreams.only).header('user-agent')).toBe('mine')
  expect(lastRequest(gateway.upstreams.only).header('accept')).toBe('a/b')
})

test('a cache, an extension, a second attempt and an idempotency key add nothing', async () => {
  const path = write('beside', 'return next(request)')
  let calls = 0
  const gateway = await start({
    upstreams: {
      only: async (request, connection) => {
        calls += 1
        await request.body
        connection.json({ ok: true }, calls === 1 ? 503 : 200)
      },
    },
    file: { extensions: [path], models: { m: { targets: [{ upstream: 'only' }], retry: { attempts: 2, base: 1 } } } },
    env: { CACHE: 'memory', CACHE_SCOPE_REQUESTS: 'all' },
  })
  const sent = { ...OWN, 'Idempotency-Key': 'once' }
  expect((await sendRaw(gateway.port, postText('/v1/chat/completions', CHAT, sent))).status).toBe(200)
  expect(gateway.upstreams.only.requests).toHaveLength(2)
  for (const arrived of gateway.upstreams.only.requests) {
    // Where answers are shared a request that goes round would wait for itself: it is marked (ADR 10).
    const names = added(arrived, { ...sent, 'content-type': '', 'content-length': '' })
    expect(names.filter((name) => name !== 'cdn-loop')).toEqual([])
  }
})

test('ids of chunks that differ within one answer harm nothing: bytes, alias and cache are what they were', async () => {
  const events = [1, 2, 3].map(
    (n) => `data: {"id":"chatcmpl-${n}","model":"real","choices":[{"delta":{"content":"${n}"}}]}\n\n`,
  )
  const { chat, upstreams } = await start({
    upstreams: {
      only: async (request, connection) => {
        await request.body
        connection.startChunked(200, { 'content-type': 'text/event-stream' })
        for (const event of [...events, 'data: [DONE]\n\n']) connection.chunk(event)
        connection.endChunks()
      },
    },
    file: {
      models: {
        m: { targets: [{ upstream: 'only' }] },
        smart: { targets: [{ upstream: 'only', model: 'real' }], report_model: 'alias' },
      },
    },
    env: { CACHE: 'memory', CACHE_SCOPE_REQUESTS: 'all' },
  })
  const whole = `${events.join('')}data: [DONE]\n\n`
  for (const model of ['m', 'smart']) {
    const wanted = model === 'm' ? whole : whole.replaceAll('"real"', '"smart"')
    for (let times = 0; times < 2; times += 1) {
      expect(await (await chat({ model, stream: true })).text()).toBe(wanted)
    }
  }
  expect(upstreams.only.requests.length).toBeLessThanOrEqual(2)
})

test('one X-Client-Request-Id for many requests is logged with each, and is no key of anything', async () => {
  const gateway = await start({ env: { CACHE: 'memory', CACHE_SCOPE_REQUESTS: 'all' } })
  const session = { 'X-Client-Request-Id': 'one-session' }
  await (await gateway.chat({ model: 'm', n: 1 }, session)).text()
  await (await gateway.chat({ model: 'm', n: 2 }, session)).text()
  expect(gateway.upstreams.only.requests).toHaveLength(2)
  await (await gateway.chat({ model: 'm', n: 2 }, { 'X-Client-Request-Id': 'another' })).text()
  expect(gateway.upstreams.only.requests).toHaveLength(2)
  expect(await gateway.exchange(2)).toMatchObject({ client_request_id: 'one-session' })
  expect(await gateway.exchange(3)).toMatchObject({ client_request_id: 'another' })
})
