import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { getText, postText, type RawResponse, sendRaw } from '../helpers/raw-client.ts'
import { lastRequest } from '../helpers/received-requests.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const TOKEN = 'token-one-0123456789abcdef'
const PAGE = 'https://chat.example.com'
const GUARDED = { REQUIRE_AUTH: 'true', API_TOKEN: TOKEN, OPENAI_API_KEY: 'sk-server' }

let none: TestGateway<'openai'>
let some: TestGateway<'openai'>
let any: TestGateway<'openai'>

beforeAll(async () => {
  const started = await Promise.all([
    startGateway({ upstreams: { openai: answerOk }, env: GUARDED }),
    startGateway({
      upstreams: { openai: answerOk },
      env: { ...GUARDED, CORS_ORIGINS: `${PAGE},http://localhost:3000` },
    }),
    startGateway({ upstreams: { openai: answerOk }, env: { ...GUARDED, CORS_ORIGINS: '*' } }),
  ])
  none = started[0]
  some = started[1]
  any = started[2]
})

beforeEach(() => {
  for (const {
    upstreams: { openai: upstream },
  } of [none, some, any])
    upstream.play(answerOk)
})

afterAll(async () => {
  await Promise.all([none.stop(), some.stop(), any.stop()])
})

function preflight(origin: string): string {
  const headers = {
    Origin: origin,
    'Access-Control-Request-Method': 'POST',
    'Access-Control-Request-Headers': 'authorization,content-type,x-stainless-lang',
  }
  return getText('/v1/chat/completions', headers, 'OPTIONS')
}

function corsNames({ headers }: RawResponse): string[] {
  return [...headers.keys()].filter((name) => name.startsWith('access-control-'))
}

test('without CORS_ORIGINS nothing is allowed, and a preflight is an OPTIONS like any other', async () => {
  const answer = await sendRaw(none.port, preflight(PAGE))
  expect([answer.status, corsNames(answer)]).toEqual([401, []])
  const plain = await sendRaw(none.port, getText('/v1/models', { Authorization: `Bearer ${TOKEN}`, Origin: PAGE }))
  expect([plain.status, corsNames(plain)]).toEqual([200, []])
})

test('the preflight of an allowed origin is answered without a key and reaches no upstream', async () => {
  for (const [gateway, origin] of [
    [some, PAGE],
    [some, 'http://localhost:3000'],
    [any, 'https://any.example'],
  ] as const) {
    const answer = await sendRaw(gateway.port, preflight(origin))
    expect([answer.status, answer.body.byteLength]).toEqual([204, 0])
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin)
    expect(answer.headers.get('access-control-allow-methods')).toBe('POST')
    expect(answer.headers.get('access-control-allow-headers')).toBe('authorization,content-type,x-stainless-lang')
    expect(answer.headers.get('vary')).toContain('Origin')
    expect(answer.headers.has('access-control-allow-credentials')).toBe(false)
    expect(gateway.upstreams.openai.connectionCount()).toBe(0)
  }
})

test('an origin that is not listed is not allowed, however near it comes', async () => {
  for (const origin of [
    'https://evil.example',
    'http://chat.example.com',
    `${PAGE}.evil.example`,
    `${PAGE}:8443`,
    'https://CHAT.example.com',
    'https://sub.chat.example.com',
    `${PAGE}/`,
    'null',
    '',
  ]) {
    const answer = await sendRaw(some.port, preflight(origin))
    expect([origin, answer.status, corsNames(answer)]).toEqual([origin, 401, []])
    expect(answer.headers.get('vary')).toContain('Origin')
  }
})

test('answers and errors for an allowed origin can be read by its page, every header too', async () => {
  some.upstreams.openai.play(async (request, { json }) => {
    await request.body
    json({ ok: true }, 200, { 'x-request-id': 'req_1', 'x-ratelimit-remaining-requests': '3', vary: 'Accept' })
  })
  const chat = '{"model":"m","messages":[{"role":"user","content":"x"}]}'
  const headers = { Authorization: `Bearer ${TOKEN}`, Origin: PAGE }
  const answer = await sendRaw(some.port, postText('/v1/chat/completions', chat, headers))
  expect(answer.headers.get('access-control-allow-origin')).toBe(PAGE)
  const exposed = answer.headers.get('access-control-expose-headers')?.split(', ')
  expect(exposed).toContain('x-request-id')
  expect(exposed).toContain('x-ratelimit-remaining-requests')
  expect(answer.headers.get('vary')).toMatch(/Accept.*Origin/)
  const refusals = [
    postText('/v1/chat/completions', '{', headers),
    postText('/v1/chat/completions', chat, { Origin: PAGE }),
    getText('/unknown', headers),
    getText('/v1/..', headers),
  ]
  for (const bytes of refusals) {
    const refused = await sendRaw(some.port, bytes)
    expect(refused.status).toBeGreaterThanOrEqual(400)
    expect(refused.headers.get('access-control-allow-origin')).toBe(PAGE)
  }
})

test('an OPTIONS that is no preflight passes through to the upstream', async () => {
  const answer = await sendRaw(
    some.port,
    getText('/v1/models', { Authorization: `Bearer ${TOKEN}`, Origin: PAGE }, 'OPTIONS'),
  )
  expect(answer.status).toBe(200)
  expect(lastRequest(some.upstreams.openai).method).toBe('OPTIONS')
})

test('CORS_ORIGINS=* lends no page the key of the server on loopback', async () => {
  const open = await startGateway({
    upstreams: { openai: answerOk },
    env: { OPENAI_API_KEY: 'sk-server', CORS_ORIGINS: '*' },
  })
  try {
    const answer = await sendRaw(open.port, getText('/v1/models', { Origin: 'https://evil.example' }))
    expect(answer.status).toBe(401)
    expect(open.upstreams.openai.connectionCount()).toBe(0)
  } finally {
    await open.stop()
  }
})
