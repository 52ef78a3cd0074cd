import { afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { extensionFiles } from '../helpers/extension-files.ts'
import { perTest } from '../helpers/per-test.ts'
import { getText, openRawClient, postText, sendRaw } from '../helpers/raw-client.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerAs, answerOk, fail } from '../helpers/upstream-scripts.ts'

setDefaultTimeout(60_000)

const start = perTest(startGateway)
const { write } = extensionFiles()
const OWN = { Authorization: 'Bearer sk-callers-own' }
/** As many failures as are let through where nobody says how many. */
const MAX = 12
const DEFAULT = { MAX_FAILED_REPEATS: '' }

let gateway: TestGateway<'openai'> | undefined
afterEach(() => gateway?.stop())

function chat(port: number, content: string, headers: Readonly<Record<string, string>> = OWN, stream = false) {
  const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content }], stream })
  return sendRaw(port, postText('/v1/chat/completions', body, headers))
}

async function statuses(times: number, call: () => Promise<{ readonly status: number }>): Promise<number[]> {
  const seen: number[] = []
  for (let n = 0; n < times; n += 1) seen.push((await call()).status)
  return seen
}

test('thirty requests for one 500 are twelve for the upstream; then 429 with Retry-After, and one WARN', async () => {
  gateway = await startGateway({ env: DEFAULT, upstreams: { openai: fail(500) } })
  const { port, lines } = gateway
  // As Codex asks: no header says which of its loops it is.
  expect(await statuses(30, () => chat(port, 'again'))).toEqual([...Array(MAX).fill(500), ...Array(18).fill(429)])
  expect(gateway.upstreams.openai.requests).toHaveLength(MAX)
  const refused = await chat(port, 'again')
  const seconds = Number(refused.headers.get('retry-after'))
  expect(seconds).toBeGreaterThan(0)
  expect(seconds).toBeLessThanOrEqual(60)
  expect(refused.json()).toMatchObject({ error: { code: 'failing_repeats', type: 'rate_limit_error', param: null } })
  expect(refused.headers.has('x-should-retry')).toBe(false)
  // The last exchange is told of behind whatever was warned of.
  await gateway.exchange(31)
  const warnings = lines.filter(({ msg }) => String(msg).includes('MAX_FAILED_REPEATS'))
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toMatchObject({ failures: MAX, route: 'chat.completions' })
})

test('another body, another caller and another path are not hindered', async () => {
  gateway = await startGateway({ env: DEFAULT, upstreams: { openai: fail(503) } })
  const {
    port,
    upstreams: { openai: upstream },
  } = gateway
  await statuses(MAX + 1, () => chat(port, 'again'))
  expect(upstream.requests).toHaveLength(MAX)
  expect((await chat(port, 'other')).status).toBe(503)
  expect((await chat(port, 'again', { Authorization: 'Bearer sk-somebody-else' })).status).toBe(503)
  const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'again' }], stream: false })
  expect((await sendRaw(port, postText('/v1/responses', body, OWN))).status).toBe(503)
  expect(upstream.requests).toHaveLength(MAX + 3)
  // Neither the id of a client's session nor what an SDK counts is part of it.
  const headers = { ...OWN, 'X-Client-Request-Id': 'another', 'x-stainless-retry-count': '7' }
  expect((await chat(port, 'again', headers)).status).toBe(429)
})

test('a success between forgives all before it', async () => {
  let isWell = false
  gateway = await startGateway({
    env: DEFAULT,
    upstreams: { openai: (request, connection) => (isWell ? answerAs('up') : fail(500))(request, connection) },
  })
  const {
    port,
    upstreams: { openai: upstream },
  } = gateway
  for (let round = 0; round < 3; round += 1) {
    isWell = false
    expect(await statuses(MAX - 1, () => chat(port, 'again'))).toEqual(Array(MAX - 1).fill(500))
    isWell = true
    expect((await chat(port, 'again')).status).toBe(200)
  }
  expect(upstream.requests).toHaveLength(3 * MAX)
})

const reset: Script = async (request, connection) => {
  await request.body
  connection.reset()
}

const page: Script = async (request, connection) => {
  await request.body
  connection.respond(200, { 'content-type': 'text/html' }, '<html>')
}

const broken: Script = async (request, connection) => {
  await request.body
  connection.startChunked(200, { 'content-type': 'text/event-stream' })
  connection.chunk('data: {"choices":[]}\n\n')
  connection.reset()
}

test.each<[string, Script, number]>([
  ['connections that break', reset, MAX],
  ['pages in place of answers', page, MAX],
  ['a 429 that does not say for how long', fail(429), MAX],
  // The first one tells whom to watch.
  ['streams that break off', broken, MAX + 1],
])('%s are failures', async (_what, script, asked) => {
  gateway = await startGateway({ env: DEFAULT, upstreams: { openai: script } })
  const {
    port,
    upstreams: { openai: upstream },
  } = gateway
  const seen = await statuses(20, () => chat(port, 'again', OWN, true))
  expect(upstream.requests).toHaveLength(asked)
  expect(seen.slice(asked)).toEqual(Array(20 - asked).fill(429))
})

test.each<[string, Script]>([
  ['answers that refuse the request itself', fail(400)],
  ['a 429 that says when to come back', fail(429, { 'retry-after': '1' })],
])('%s are asked for as often as the caller likes', async (_what, script) => {
  gateway = await startGateway({ env: DEFAULT, upstreams: { openai: script } })
  const {
    port,
    upstreams: { openai: upstream },
  } = gateway
  await statuses(20, () => chat(port, 'again'))
  expect(upstream.requests).toHaveLength(20)
})

test('an upstream that nobody listens at is no matter of repeats: nothing was sent', async () => {
  gateway = await startGateway({ upstreams: { openai: answerOk }, env: DEFAULT })
  const {
    port,
    upstreams: { openai: upstream },
  } = gateway
  await upstream.close()
  expect(await statuses(20, () => chat(port, 'again'))).toEqual(Array(20).fill(502))
})

test('MAX_FAILED_REPEATS says how many, and 0 that there is no limit', async () => {
  gateway = await startGateway({ env: { MAX_FAILED_REPEATS: '2' }, upstreams: { openai: fail(500) } })
  expect(await statuses(4, () => chat(gateway?.port ?? 0, 'again'))).toEqual([500, 500, 429, 429])
  await gateway.stop()
  gateway = await startGateway({ env: { MAX_FAILED_REPEATS: '0' }, upstreams: { openai: fail(500) } })
  expect(await statuses(40, () => chat(gateway?.port ?? 0, 'again'))).toEqual(Array(40).fill(500))
})

test('with a file, targets and a cache, requests are counted and not attempts; also where several callers share one', async () => {
  const gateway = await start({
    upstreams: { first: fail(503), second: fail(503) },
    file: {
      models: { m: { targets: [{ upstream: 'first' }, { upstream: 'second' }], retry: { attempts: 2 } } },
      breaker: { failures: 0, rate: 0 },
    },
    env: { CACHE: 'memory', CACHE_SCOPE_REQUESTS: 'all', MAX_FAILED_REPEATS: '4' },
  })
  const seen = await statuses(6, () => chat(gateway.port, 'again'))
  expect(seen).toEqual([503, 503, 503, 503, 429, 429])
  expect(gateway.upstreams.first.requests.length + gateway.upstreams.second.requests.length).toBe(8)
})

test('every 429 and 503 of ours says when to come back, wherever it is made', async () => {
  const { promise: never } = Promise.withResolvers<void>()
  const path = write(
    'refusing',
    `const status = Number(request.headers.get('x-refuse'))
     if (status > 0) throw context.error(status, { message: 'not now' })
     return next(request)`,
  )
  const gateway = await start({
    upstreams: { only: () => never },
    settings: { only: { concurrency: { max: 1, queue: 1, queue_timeout: 50 } } },
    file: { extensions: [path], models: { m: { targets: [{ upstream: 'only' }] } } },
    env: { MAX_IN_FLIGHT: '2' },
  })
  const refused = [
    await gateway.chat({ model: 'm' }, { 'x-refuse': '429' }),
    await gateway.chat({ model: 'm' }, { 'x-refuse': '503' }),
  ]
  void gateway.chat({ model: 'm' }).catch(() => undefined)
  await gateway.upstreams.only.request(1)
  refused.push(await gateway.chat({ model: 'm' }))
  void gateway.chat({ model: 'm', n: 1 }).catch(() => undefined)
  const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' }
  const client = await openRawClient(gateway.port)
  client.write(getText('/v1/realtime?model=m', { ...upgrade, 'Sec-WebSocket-Key': 'x' }))
  const answer = await client.response()
  client.leave()
  expect(refused.map(({ status }) => status)).toEqual([429, 503, 503])
  for (const { headers } of [...refused, answer]) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
  expect([answer.status, MESSAGES.length]).toEqual([503, 1])
})
