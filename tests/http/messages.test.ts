import { describe, expect, test } from 'bun:test'
import { perTest } from '../helpers/per-test.ts'
import { lastBody, lastRequest } from '../helpers/received-requests.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerOk, byHand, fail, SSE } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

const TOKEN = 'token-one-0123456789abcdef'
const KEY = 'sk-ant-of-the-server-0123456789'
const GUARDED = { REQUIRE_AUTH: 'true', API_TOKEN: TOKEN }
const ANTHROPIC = { preset: 'anthropic', api_key: KEY }
const VERSION = { 'anthropic-version': '2023-06-01' }
/** Spaces, a float and an unknown member, which another spelling would lose. */
const BODY =
  '{ "model": "claude-a", "max_tokens": 1e2, "system": [{"type":"text","text":"x-anthropic-billing-header: cc"}],\n "messages": [ ], "new_thing": 1.0 }'

const MESSAGE = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-real', content: [] }

function send(
  { url }: Pick<TestGateway, 'url'>,
  { path = '/v1/messages', headers = {}, body = BODY }: { path?: string; headers?: object; body?: string } = {},
): Promise<Response> {
  const all = { 'content-type': 'application/json', ...VERSION, ...headers }
  return fetch(`${url}${path}`, { method: 'POST', headers: all, body })
}

describe('a request of Anthropic’s Messages API', () => {
  test('goes on with its body, its query and its anthropic-* headers as they came', async () => {
    const gateway = await start({ upstreams: { only: answerOk } })
    const headers = {
      ...{ 'x-api-key': 'sk-ant-mine', 'anthropic-beta': 'a-2025-01-01,b-2026-02-02', 'x-app': 'cli' },
      ...{ 'anthropic-dangerous-direct-browser-access': 'true', 'x-claude-code-session-id': 's-1' },
    }
    for (const path of ['/v1/messages?beta=true', '/v1/messages/count_tokens?beta=true', '/messages']) {
      const answer = await send(gateway, { path, headers })
      expect([path, answer.status, await answer.json()]).toEqual([path, 200, { ok: true }])
      const request = lastRequest(gateway.upstreams.only)
      expect(request.target).toBe(path.startsWith('/v1') ? path : `/v1${path}`)
      expect(await lastBody(gateway.upstreams.only)).toBe(BODY)
      for (const [name, value] of Object.entries({ ...VERSION, ...headers })) {
        expect([name, request.header(name)]).toEqual([name, value])
      }
      expect(request.header('authorization')).toBeUndefined()
    }
  })

  test('is in the log by its name and its model, with Anthropic’s id of the request', async () => {
    const gateway = await start({
      upstreams: {
        only: async (request, connection) => {
          await request.body
          connection.json(MESSAGE, 200, { 'request-id': 'req_011' })
        },
      },
    })
    const answer = await send(gateway, { headers: { 'x-api-key': 'sk-ant-mine' } })
    expect(answer.headers.get('request-id')).toBe('req_011')
    await answer.text()
    await send(gateway, { headers: { 'x-api-key': 'sk-ant-mine' }, path: '/v1/messages/count_tokens' })
    expect(await gateway.exchange(1)).toMatchObject({
      ...{ route: 'messages', model: 'claude-a', upstream_request_id: 'req_011', status: 200 },
    })
    expect(await gateway.exchange(2)).toMatchObject({ route: 'messages.count_tokens', model: 'claude-a' })
  })

  test('gets an id of ours where the upstream gives it none', async () => {
    const gateway = await start({ upstreams: { only: answerOk } })
    const answer = await send(gateway, { headers: { 'x-api-key': 'sk-ant-mine' } })
    expect(answer.headers.get('request-id')).toMatch(/^req_/)
    expect(answer.headers.get('request-id')).toBe(answer.headers.get('x-request-id'))
  })

  test('gets no default model, which is for completions', async () => {
    const body = '{"messages":[]}'
    const gateway = await start({ upstreams: { only: answerOk }, env: { OPENAI_MODEL: 'gpt-4o' } })
    await send(gateway, { body, headers: { 'x-api-key': 'sk-ant-mine' } })
    expect(await lastBody(gateway.upstreams.only)).toBe(body)
  })
})

describe('the server’s key', () => {
  const brought = [{ 'x-api-key': TOKEN }, { authorization: `Bearer ${TOKEN}` }]

  test('goes to Anthropic in x-api-key, whichever header brought the caller’s token', async () => {
    const gateway = await start({ upstreams: { only: answerOk }, settings: { only: ANTHROPIC }, env: GUARDED })
    for (const headers of brought) {
      expect((await send(gateway, { headers })).status).toBe(200)
      const request = lastRequest(gateway.upstreams.only)
      expect(request.header('x-api-key')).toBe(KEY)
      expect(request.header('authorization')).toBeUndefined()
    }
    await gateway.chat({ model: 'm' }, { authorization: `Bearer ${TOKEN}` })
    expect(lastRequest(gateway.upstreams.only).header('authorization')).toBe(`Bearer ${KEY}`)
    expect(lastRequest(gateway.upstreams.only).header('x-api-key')).toBeUndefined()
  })

  test('goes behind Bearer to any other server, and where the file says', async () => {
    const of = async (settings: object) => {
      const gateway = await start({ upstreams: { only: answerOk }, settings: { only: settings }, env: GUARDED })
      await send(gateway, { headers: { 'x-api-key': TOKEN } })
      const request = lastRequest(gateway.upstreams.only)
      return [request.header('authorization'), request.header('x-api-key'), request.header('x-key')]
    }
    expect(await of({ api_key: KEY })).toEqual([`Bearer ${KEY}`, undefined, undefined])
    expect(await of({ preset: 'openrouter', api_key: KEY })).toEqual([`Bearer ${KEY}`, undefined, undefined])
    expect(await of({ ...ANTHROPIC, key_header: 'x-key' })).toEqual([undefined, undefined, KEY])
  })
})

describe('models, rules and fallbacks', () => {
  test('an alias is renamed in the body, and the answer may show it', async () => {
    const gateway = await start({
      upstreams: {
        only: async (request, connection) => {
          await request.body
          connection.json(MESSAGE)
        },
      },
      file: {
        models: { 'claude-a': { targets: [{ upstream: 'only', model: 'claude-real' }], report_model: 'alias' } },
      },
    })
    expect(await (await send(gateway)).json()).toEqual({ ...MESSAGE, model: 'claude-a' })
    expect(await lastBody(gateway.upstreams.only)).toBe(BODY.replace('claude-a', 'claude-real'))
  })

  test('a rule caps its tokens', async () => {
    const gateway = await start({
      upstreams: { only: answerOk },
      file: { params: [{ match: { endpoint: 'messages' }, clamp: { max_tokens: { max: 50 } } }] },
    })
    await send(gateway)
    expect(await lastBody(gateway.upstreams.only)).toBe(BODY.replace('1e2', '50'))
  })

  test('the next target is asked where one is overloaded, as for chats', async () => {
    const gateway = await start({
      upstreams: { first: fail(529), second: answerOk },
      file: { models: { 'claude-a': { targets: [{ upstream: 'first' }, { upstream: 'second' }] } } },
    })
    const answer = await send(gateway)
    expect([answer.status, await answer.json()]).toEqual([200, { ok: true }])
  })

  test('an unknown model is refused where the file says so', async () => {
    const gateway = await start({
      upstreams: { only: answerOk },
      file: { unknown_models: 'refuse', models: { other: { targets: [{ upstream: 'only' }] } } },
    })
    const answer = await send(gateway)
    expect([answer.status, await answer.json()]).toEqual([404, errorOf('not_found_error')])
  })
})

const errorOf = (type: string): object => ({
  type: 'error',
  error: expect.objectContaining({ type, message: expect.any(String) }),
  request_id: expect.stringMatching(/^req_/),
})

describe('an error of ours is in Anthropic’s form', () => {
  test('for a wrong key, a wrong path, and a body that is no JSON', async () => {
    const gateway = await start({ upstreams: { only: answerOk }, env: { ...GUARDED, OPENAI_API_KEY: KEY } })
    const headers = { 'x-api-key': TOKEN }
    const cases = [
      [await send(gateway), 401, 'authentication_error'],
      [await send(gateway, { headers: { 'x-api-key': 'wrong' } }), 401, 'authentication_error'],
      [await send(gateway, { headers, path: '/v1/v1/messages' }), 404, 'not_found_error'],
      [await send(gateway, { headers, body: '{' }), 400, 'invalid_request_error'],
      [await fetch(`${gateway.url}/v1/models`, { headers: VERSION }), 401, 'authentication_error'],
    ] as const
    for (const [answer, status, type] of cases) {
      expect([answer.status, await answer.json()]).toEqual([status, errorOf(type)])
      expect(answer.headers.get('request-id')).toMatch(/^req_/)
    }
  })

  test('where no upstream answers, or is left alone', async () => {
    const gateway = await start({
      upstreams: { only: (_request, connection) => connection.reset() },
      file: { all_open: 'refuse', breaker: { failures: 1, open: '1h', open_max: '1h' } },
    })
    const seen = [await send(gateway), await send(gateway)]
    expect(seen.map(({ status }) => status)).toEqual([502, 503])
    expect(await Promise.all(seen.map((answer) => answer.json()))).toEqual([
      errorOf('api_error'),
      errorOf('overloaded_error'),
    ])
  })

  test('as the last event of a stream that breaks off', async () => {
    const gateway = await start({ upstreams: { only: byHand } })
    const { client } = await gateway.send({ target: '/v1/messages', body: BODY })
    const { connection } = await gateway.upstreams.only.arrival()
    connection.startChunked(200, SSE)
    connection.chunk('event: ping\ndata: {"type": "ping"}\n\n')
    await client.until((received) => received.includes('"ping"'))
    connection.reset()
    const answer = await client.response()
    expect(answer.isComplete).toBe(false)
    const [, event = '', data = ''] = /\n\nevent: (\w+)\ndata: (\{"type":"error".*\})\n\n$/.exec(answer.text()) ?? []
    expect(event).toBe('error')
    expect(JSON.parse(data)).toEqual({ ...errorOf('api_error'), request_id: expect.stringMatching(/^sent-/) })
  })
})

describe('what Claude Code asks beside', () => {
  test('HEAD and GET of the base URL are answered without a key', async () => {
    const gateway = await start({ upstreams: { only: answerOk }, env: { ...GUARDED, OPENAI_API_KEY: KEY } })
    for (const method of ['HEAD', 'GET']) expect((await fetch(gateway.url, { method })).status).toBe(200)
  })

  test('the list of models has Anthropic’s fields for those who ask in its way, beside OpenAI’s', async () => {
    const gateway = await start({
      upstreams: { only: answerOk },
      file: {
        models: { 'claude-a': { targets: [{ upstream: 'only' }] }, 'claude-b': { targets: [{ upstream: 'only' }] } },
      },
    })
    const list = await (await fetch(`${gateway.url}/v1/models?limit=1000`, { headers: VERSION })).json()
    const openai = { id: 'claude-a', object: 'model', created: expect.any(Number), owned_by: 'only' }
    const one = {
      ...openai,
      ...{ type: 'model', display_name: 'claude-a', created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) },
    }
    expect(list).toEqual({
      ...{ object: 'list', data: [one, { ...one, id: 'claude-b', display_name: 'claude-b' }] },
      ...{ has_more: false, first_id: 'claude-a', last_id: 'claude-b' },
    })
    expect(await (await fetch(`${gateway.url}/v1/models/claude-a`, { headers: VERSION })).json()).toEqual(one)
    expect(await (await fetch(`${gateway.url}/v1/models/claude-a`)).json()).toEqual(openai)
  })
})
