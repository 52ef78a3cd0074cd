import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load.ts'
import { Secret } from '../../src/config/secret.ts'
import { ApiError } from '../../src/openai/api-error.ts'
import { ERROR_CATALOGUE, type ErrorKind } from '../../src/openai/error-catalogue.ts'
import type { ErrorEntry } from '../../src/openai/error-entry.ts'
import { arrivalOf } from '../../src/server/arrival.ts'
import { answerError } from '../../src/server/error-handler.ts'
import { startHttpServer } from '../../src/server/http-server.ts'
import { openExchange } from '../../src/server/request-context.ts'
import { openAiPreset } from '../helpers/openai-preset.ts'
import { getText, sendRaw } from '../helpers/raw-client.ts'
import { CHAT, type RequestParts } from '../helpers/send-request.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { byHand } from '../helpers/upstream-scripts.ts'

const TOKEN = 'nexcode-token-0123456789'

let gateway: TestGateway<'openai'>
let guarded: TestGateway<'openai'>
let openai: TestGateway<'openai'>
const preset = openAiPreset()

beforeAll(async () => {
  gateway = await startGateway({
    upstreams: { openai: byHand },
    env: { MAX_IN_FLIGHT: '1', MAX_JSON_BYTES: '1000', MAX_UPLOAD_BYTES: '2000' },
  })
  guarded = await startGateway({ upstreams: { openai: byHand }, env: { REQUIRE_AUTH: 'true', API_TOKEN: TOKEN } })
  openai = await startGateway({ upstreams: { openai: byHand }, env: { NEXCODE_CONFIG: preset.path } })
})

afterAll(async () => {
  await gateway.stop()
  await guarded.stop()
  await openai.stop()
  preset.remove()
})

const silentLog = { debug() {}, info() {}, warn() {}, error() {}, fatal() {} }

test.each(Object.keys(ERROR_CATALOGUE) as ErrorKind[])('%s renders with its status and all four keys', async (kind) => {
  const request = new Request('http://localhost/v1/models')
  const exchange = openExchange(request, arrivalOf(request), {})
  const response = answerError(new ApiError(kind, { cause: 'the secret cause' }), exchange, silentLog)
  const entry: ErrorEntry = ERROR_CATALOGUE[kind]
  expect(response.status).toBe(entry.status)
  expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
  expect(response.headers.get('x-request-id')).toBe(exchange.id)
  const seconds = entry.retryAfterSeconds
  expect(response.headers.get('retry-after')).toBe(seconds === undefined ? null : String(seconds))
  // Agents give up at once without it, as they should where money is spent.
  if ([429, 503].includes(entry.status) && kind !== 'spend_limit_reached') expect(seconds).toBeGreaterThan(0)
  expect(await response.json()).toEqual({
    error: { message: entry.message, type: entry.type, param: null, code: entry.code },
  })
})

const INVALID_JSON =
  "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you have trouble figuring out how to fix this, please contact us through our help center at help.openai.com.)"

/** A request, and OpenAI's own words about it: message, param, code. */
type Refused = readonly [string, RequestParts, readonly [string, string | null, string | null]]

const VALIDATION: readonly Refused[] = [
  ['not JSON', { body: '{"model":' }, [INVALID_JSON, null, null]],
  ['no body', { body: '' }, [INVALID_JSON, null, null]],
  ['not an object', { body: '[]' }, [INVALID_JSON, null, null]],
  ['not UTF-8', { body: new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]) }, [INVALID_JSON, null, null]],
  [
    'a form where JSON belongs',
    {
      body: '--x--',
      headers: { Authorization: 'Bearer k', 'Content-Type': 'multipart/form-data; boundary=x', 'Content-Length': '5' },
    },
    [
      "Unsupported content type: 'multipart/form-data'. This API method only accepts 'application/json' requests, but you specified the header 'Content-Type: multipart/form-data'. Please try again with a supported content type.",
      null,
      'unsupported_content_type',
    ],
  ],
]

test.each(VALIDATION)(
  "%s is OpenAI's error, exactly, and nothing goes upstream",
  async (_, shot, [message, param, code]) => {
    const before = gateway.upstreams.openai.requests.length
    const { client, record } = await gateway.send(shot)
    const response = await client.response()
    expect(response.status).toBe(400)
    expect(response.json()).toEqual({ error: { message, type: 'invalid_request_error', param, code } })
    expect(await record()).toMatchObject({ status: 400, outcome: 'complete', attempts: 0 })
    expect(gateway.upstreams.openai.requests.length).toBe(before)
    client.leave()
  },
)

const SHAPES: readonly Refused[] = [
  [
    'no messages',
    { body: '{"model":"m"}' },
    ["Missing required parameter: 'messages'.", 'messages', 'missing_required_parameter'],
  ],
  [
    'empty messages',
    { body: '{"model":"m","messages":[]}' },
    [
      "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      'messages',
      'empty_array',
    ],
  ],
  [
    'a field of the wrong type',
    { body: '{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":"9"}' },
    ["Invalid type for 'max_tokens': expected an integer, but got a string instead.", 'max_tokens', 'invalid_type'],
  ],
]

test.each(SHAPES)(
  "before OpenAI, %s is OpenAI's error, exactly, and nothing goes upstream",
  async (_, shot, [message, param, code]) => {
    const before = openai.upstreams.openai.requests.length
    const { client, record } = await openai.send(shot)
    const response = await client.response()
    expect(response.status).toBe(400)
    expect(response.json()).toEqual({ error: { message, type: 'invalid_request_error', param, code } })
    expect(await record()).toMatchObject({ status: 400, outcome: 'complete', attempts: 0 })
    expect(openai.upstreams.openai.requests.length).toBe(before)
    client.leave()
  },
)

test('an unknown URL is OpenAI’s 404', async () => {
  const { client } = await gateway.send({ target: '/v2/nothing?key=secret' })
  const response = await client.response()
  expect(response.status).toBe(404)
  expect(response.json()).toEqual({
    error: {
      message:
        'Unknown request URL: POST /v2/nothing. Please check the URL for typos, or see the docs at https://platform.openai.com/docs/api-reference/.',
      type: 'invalid_request_error',
      param: null,
      code: 'unknown_url',
    },
  })
  client.leave()
})

test('no key is OpenAI’s 401 with a null code, and a wrong key is masked in the message', async () => {
  const none = await (await guarded.send({ headers: {} })).client.response()
  expect(none.status).toBe(401)
  expect(none.json()).toMatchObject({ error: { code: null, param: null, type: 'invalid_request_error' } })
  const key = 'sk-proj-abcdefghijklmnop'
  const wrong = await (await guarded.send({ headers: { Authorization: `Bearer ${key}` } })).client.response()
  expect(wrong.status).toBe(401)
  expect(wrong.json()).toMatchObject({ error: { code: 'invalid_api_key' } })
  expect(wrong.text()).toContain('Incorrect API key provided: sk-********mnop.')
  expect(wrong.text()).not.toContain(key)
  expect(wrong.headers.get('www-authenticate')).toBe('Bearer')
})

test.each([
  ['POST', '/v1/chat/completions', 1001],
  ['POST', '/v1/files', 2001],
] as const)('%s %s with too large a body is a 413 with the limit in it', async (method, target, size) => {
  const { client } = await gateway.send({ method, target, body: 'x'.repeat(size) })
  const response = await client.response()
  expect(response.status).toBe(413)
  expect(response.json()).toMatchObject({
    error: { message: `Maximum content size limit (${size - 1}) exceeded.`, code: 'request_too_large' },
  })
  client.leave()
})

test('one request more than MAX_IN_FLIGHT is a 503 with Retry-After, and the place is free again after the first', async () => {
  const first = await gateway.send()
  const { connection } = await gateway.upstreams.openai.arrival()
  const second = await (await gateway.send()).client.response()
  expect(second.status).toBe(503)
  expect(second.headers.get('retry-after')).toBe('1')
  expect(second.json()).toMatchObject({ error: { code: 'overloaded', type: 'server_error' } })
  connection.json({ ok: true })
  await first.record()
  const third = await gateway.send({ body: CHAT })
  const next = await gateway.upstreams.openai.arrival()
  next.connection.json({ ok: true })
  expect((await third.client.response()).status).toBe(200)
})

const MALFORMED: readonly (readonly [string, string, number, string])[] = [
  ['a word that is no method', 'hello\r\n\r\n', 405, 'method_not_supported'],
  ['another protocol', 'GET / RTSP/9.0\r\nHost: a\r\n\r\n', 400, 'malformed_request'],
  ['a header without a colon', 'GET / HTTP/1.1\r\nHost: a\r\nbroken\r\n\r\n', 400, 'malformed_request'],
  [
    'two different lengths',
    'POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    400,
    'malformed_request',
  ],
  ['headers too large', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`, 431, 'headers_too_large'],
  ['two hosts', 'GET /v1/models HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400, 'invalid_host'],
]

test.each(MALFORMED)('malformed HTTP (%s) is answered in the same shape', async (_, bytes, status, code) => {
  const response = await sendRaw(gateway.port, bytes)
  expect(response.status).toBe(status)
  expect(response.headers.get('content-type')).toContain('application/json')
  const { error } = response.json() as { error: Record<string, unknown> }
  expect(Object.keys(error)).toEqual(['message', 'type', 'param', 'code'])
  expect(error).toMatchObject({ type: 'invalid_request_error', param: null, code })
})

test('a defect of ours is a 500 without its cause, which the log has', async () => {
  const loaded = loadConfig({ HOST: '127.0.0.1' }, { isTerminal: false, readFile: () => '' })
  if (!loaded.ok) throw new Error('a configuration of defaults is valid')
  const logged: unknown[] = []
  const keep = (...line: unknown[]): void => void logged.push(line)
  const app = createApp({
    config: {
      ...loaded.config,
      auth: { ...loaded.config.auth, required: true, tokens: [{ name: 'alice', token: new Secret(TOKEN) }] },
    },
    version: '0',
    log: { ...silentLog, error: keep, warn: keep },
    fetch: () => Promise.reject(new Error('not called')),
    sha256(text) {
      if (text === TOKEN) return new Uint8Array(32)
      throw new Error('the digest at /etc/secret broke')
    },
  })
  const response = await app.fetch(
    new Request('http://localhost/v1/models', { headers: { host: 'localhost', authorization: 'Bearer other' } }),
  )
  expect(response.status).toBe(500)
  const body = await response.text()
  expect(JSON.parse(body)).toMatchObject({ error: { type: 'server_error', param: null, code: 'internal_error' } })
  expect(body).not.toContain('/etc/secret')
  expect(JSON.stringify(logged, (_, value) => (value instanceof Error ? value.message : value))).toContain(
    '/etc/secret',
  )
})

test('a request that can’t even be handed over is a 500 without the cause, too', async () => {
  const loaded = loadConfig({ HOST: '127.0.0.1', PORT: '0' }, { isTerminal: false, readFile: () => '' })
  if (!loaded.ok) throw new Error('a configuration of defaults is valid')
  const { config } = loaded
  const logged: unknown[] = []
  const log = { ...silentLog, error: (...line: unknown[]) => void logged.push(line) }
  const sound = createApp({
    config,
    version: '0',
    log,
    fetch: () => Promise.reject(new Error('not called')),
    sha256: () => new Uint8Array(),
  })
  const app = { ...sound, serve: () => Promise.reject(new Error('the disk at /etc/secret broke')) }
  const server = await startHttpServer({ app, config, log, proxyFor: () => undefined, reusePort: false })
  const response = await sendRaw(server.port, getText('/v1/models'))
  expect(response.status).toBe(500)
  expect(response.isComplete).toBe(true)
  expect(response.json()).toEqual(new ApiError('internal_error').body)
  expect(logged).toHaveLength(1)
  server.closeAll()
  await server.close()
})
