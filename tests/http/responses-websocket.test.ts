import { expect, test } from 'bun:test'
import { extensionFiles } from '../helpers/extension-files.ts'
import { perTest } from '../helpers/per-test.ts'
import { getText, openRawClient, postText, sendRaw } from '../helpers/raw-client.ts'
import { statusAndCode } from '../helpers/received-answers.ts'
import { lastRequest } from '../helpers/received-requests.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerAs } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)
const files = extensionFiles()

const HANDSHAKE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'OpenAI-Beta': 'responses_websockets=2026-02-06',
}
const switchOver: Script = (_request, connection) =>
  connection.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
const TARGETS = ['/v1/responses', '/responses', '/v1/responses?model=smart', '/v1/responses?x=1']
const models = { smart: { targets: [{ upstream: 'second', model: 'gpt-5' }] } }

test('a WebSocket at /v1/responses is answered 426 wherever the file decides by the model in its frames', async () => {
  for (const file of [
    { models },
    { models, default_upstream: 'second' },
    { unknown_models: 'refuse' },
    { params: [{ clamp: { max_output_tokens: { max: 100 } } }] },
    { params: [{ match: { model: 'smart' }, deny: ['user'] }] },
    { params: [{ match: { endpoint: 'responses' }, deny: ['user'] }] },
  ]) {
    const gateway = await start({ upstreams: { first: switchOver, second: switchOver }, file })
    for (const target of TARGETS) {
      const refused = await sendRaw(gateway.port, getText(target, HANDSHAKE))
      expect([target, statusAndCode(refused)]).toEqual([target, '426 websocket_not_relayed'])
    }
    expect([gateway.upstreams.first.requests.length, gateway.upstreams.second.requests.length]).toEqual([0, 0])
  }
})

test('an extension has a say in calls, too', async () => {
  const path = files.write('pass', 'return next(request)')
  const gateway = await start({ upstreams: { first: switchOver }, file: { extensions: [path] } })
  const refused = await sendRaw(gateway.port, getText('/v1/responses', HANDSHAKE))
  expect(statusAndCode(refused)).toBe('426 websocket_not_relayed')
  expect(gateway.upstreams.first.requests).toHaveLength(0)
})

test('the 426 says what to speak instead, and has an error of OpenAI’s shape', async () => {
  const gateway = await start({ upstreams: { first: switchOver, second: switchOver }, file: { models } })
  const refused = await sendRaw(gateway.port, getText('/v1/responses', HANDSHAKE))
  expect(refused.status).toBe(426)
  expect(refused.headers.get('upgrade')).toBe('HTTP/1.1')
  expect(refused.headers.get('connection')).toBe('upgrade, close')
  expect(refused.json()).toEqual({
    error: {
      message: expect.stringContaining('POST'),
      type: 'invalid_request_error',
      param: null,
      code: 'websocket_not_relayed',
    },
  })
})

test('the call that is posted behind the 426 heeds the alias', async () => {
  const gateway = await start({
    upstreams: { first: switchOver, second: answerAs('second') },
    file: { models },
  })
  await sendRaw(gateway.port, getText('/v1/responses', HANDSHAKE))
  const posted = await sendRaw(gateway.port, postText('/v1/responses', '{"model":"smart","input":"x"}'))
  expect(posted.json()).toMatchObject({ by: 'second' })
  expect(Buffer.from(await lastRequest(gateway.upstreams.second).body).toString()).toBe('{"model":"gpt-5","input":"x"}')
})

test('a WebSocket at /v1/responses that nothing has a say in is relayed, its target as it came', async () => {
  for (const file of [
    {},
    { default_upstream: 'first' },
    { params: [{ match: { endpoint: 'chat/completions' }, clamp: { max_tokens: { max: 5 } } }] },
    { params: [{ match: { header: { 'x-team': 'red' } }, deny: ['user'] }] },
  ]) {
    const gateway = await start({ upstreams: { first: switchOver, second: switchOver }, file })
    for (const target of TARGETS) {
      const client = await openRawClient(gateway.port)
      client.write(getText(target, HANDSHAKE))
      const head = await client.until((bytes) => bytes.includes('\r\n\r\n'))
      client.leave()
      expect([target, head.toString('latin1').slice(0, 12)]).toEqual([target, 'HTTP/1.1 101'])
      expect(lastRequest(gateway.upstreams.first).target).toBe(target.startsWith('/v1') ? target : `/v1${target}`)
    }
  }
})

test('who may not call is told so first, and realtime keeps its own statuses', async () => {
  const token = 't'.repeat(32)
  const gateway = await start({
    upstreams: { first: switchOver, second: switchOver },
    file: { models, unknown_models: 'refuse' },
    env: { REQUIRE_AUTH: 'true', API_TOKEN: token },
  })
  expect((await sendRaw(gateway.port, getText('/v1/responses', HANDSHAKE))).status).toBe(401)
  const mine = { ...HANDSHAKE, Authorization: `Bearer ${token}` }
  expect(statusAndCode(await sendRaw(gateway.port, getText('/v1/responses', mine)))).toBe('426 websocket_not_relayed')
  expect(statusAndCode(await sendRaw(gateway.port, getText('/v1/realtime?model=other', mine)))).toBe(
    '404 model_not_found',
  )
  expect(statusAndCode(await sendRaw(gateway.port, getText('/v1/realtime', mine)))).toBe('400 rules_not_applicable')
})

/** What servers without a WebSocket at that path answer to an upgrade: their frameworks' own words. */
const WITHOUT: readonly (readonly [status: number, body: string])[] = [
  [404, '{"detail":"Not Found"}'],
  [404, '{"error":{"code":404,"message":"File Not Found","type":"not_found_error"}}'],
  [405, '{"detail":"Method Not Allowed"}'],
  [400, 'Bad Request'],
  [403, ''],
  [501, ''],
  [200, '{"object":"list","data":[]}'],
]

test('an upstream that offers no WebSocket at /v1/responses is a 426, and no failure of its own', async () => {
  const gateway = await start({ upstreams: { first: switchOver }, file: { breaker: { failures: 1 } } })
  for (const [status, body] of WITHOUT) {
    gateway.upstreams.first.play((_request, connection) => connection.respond(status, {}, body))
    const refused = await sendRaw(gateway.port, getText('/v1/responses', HANDSHAKE))
    expect([status, statusAndCode(refused)]).toEqual([status, '426 websocket_not_relayed'])
    expect(refused.text()).toContain(`it answered ${status}`)
  }
  const last = await gateway.exchange(WITHOUT.length)
  expect(last).toMatchObject({ status: 426, outcome: 'complete', error: 'websocket_not_relayed' })
})

test('what else an upstream says to an upgrade, and all that it says at /v1/realtime, goes on as it came', async () => {
  const gateway = await start({ upstreams: { first: switchOver }, file: {} })
  for (const [target, status, body] of [
    ['/v1/responses', 401, '{"error":{"message":"No."}}'],
    ['/v1/responses', 403, '{"error":{"message":"Not here."}}'],
    ['/v1/responses', 426, 'Upgrade Required'],
    ['/v1/responses', 429, ''],
    ['/v1/responses', 503, ''],
    ...WITHOUT.map(([one, text]) => ['/v1/realtime', one, text] as const),
  ] as const) {
    gateway.upstreams.first.play((_request, connection) => connection.respond(status, {}, body))
    const refused = await sendRaw(gateway.port, getText(target, HANDSHAKE))
    expect([target, refused.status, refused.text()]).toEqual([target, status, body])
  }
})
