import { expect, test } from 'bun:test'
import { perTest } from '../helpers/per-test.ts'
import { getText, postText, sendRaw } from '../helpers/raw-client.ts'
import { statusAndCode } from '../helpers/received-answers.ts'
import { lastRequest, wireText } from '../helpers/received-requests.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

const KEY = 'sk-canary-of-the-server-0123456789'
const TOKEN = 'nx-token-0123456789abcdef'
const MINE = 'sk-the-callers-own-0123456789'
const CHAT = '{"model":"m","messages":[{"role":"user","content":"hi"}]}'
const CREDENTIALS = ['authorization', 'x-api-key', 'api-key', 'cookie'] as const

/** Every way in which a caller brings a key. */
const BROUGHT: readonly Readonly<Record<string, string>>[] = [
  { Authorization: `Bearer ${MINE}` },
  { Authorization: `Basic ${btoa(`me:${MINE}`)}` },
  { 'x-api-key': MINE },
  { 'api-key': MINE, Cookie: `session=${MINE}` },
  { Authorization: `Bearer ${MINE}`, 'x-api-key': MINE, 'api-key': MINE },
]

function withKey(more: object = {}, env: Readonly<Record<string, string>> = {}) {
  return { upstreams: { only: answerOk }, settings: { only: { api_key: KEY, ...more } }, env }
}

/** One request that is read, one that passes, one without a body. */
function requests(headers: Readonly<Record<string, string>> = {}): readonly string[] {
  return [
    postText('/v1/chat/completions', CHAT, headers),
    postText('/v1/embeddings', '{"input":"x"}', headers),
    getText('/v1/models', headers),
  ]
}

test('a token holder spends the key of an upstream, and no part of the token goes along', async () => {
  for (const host of ['127.0.0.1', '0.0.0.0']) {
    const env = { REQUIRE_AUTH: 'true', API_TOKEN: TOKEN, HOST: host }
    const gateway = await start(withKey({}, env))
    for (const bytes of requests({ Authorization: `Bearer ${TOKEN}`, 'X-Custom': `a ${TOKEN}` })) {
      expect((await sendRaw(gateway.port, bytes)).status).toBe(200)
      expect(lastRequest(gateway.upstreams.only).header('authorization')).toBe(`Bearer ${KEY}`)
      expect(await wireText(lastRequest(gateway.upstreams.only))).not.toContain(TOKEN)
    }
    for (const bytes of [...requests(), ...requests({ Authorization: `Bearer ${MINE}` })]) {
      expect((await sendRaw(gateway.port, bytes)).status).toBe(401)
    }
    expect(gateway.upstreams.only.requests).toHaveLength(3)
  }
})

test('a loopback server lends its key to programs of this machine, whatever key they bring, which goes nowhere', async () => {
  const gateway = await start(withKey())
  for (const headers of [{}, ...BROUGHT]) {
    for (const bytes of requests(headers)) {
      expect((await sendRaw(gateway.port, bytes)).status).toBe(200)
      const request = lastRequest(gateway.upstreams.only)
      expect(request.header('authorization')).toBe(`Bearer ${KEY}`)
      expect(CREDENTIALS.slice(1).map((name) => request.header(name))).toEqual([undefined, undefined, undefined])
      expect(await wireText(request)).not.toContain(MINE)
    }
  }
})

test('a web page or a stranger behind a proxy is not lent it, with a key of its own or without', async () => {
  const gateway = await start(withKey())
  for (const foreign of [
    { Origin: 'https://evil.example' },
    { Host: 'evil.example' },
    { 'X-Forwarded-For': '1.2.3.4' },
  ]) {
    for (const bytes of [...requests(foreign), ...requests({ ...foreign, Authorization: `Bearer ${MINE}` })]) {
      expect((await sendRaw(gateway.port, bytes)).status).toBe(401)
    }
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
})

test('on a server that others can reach, who has no token gets 401, and nothing reaches the upstream', async () => {
  const gateway = await start(withKey({}, { HOST: '0.0.0.0' }))
  for (const bytes of requests()) expect(statusAndCode(await sendRaw(gateway.port, bytes))).toBe('401 null')
  for (const headers of BROUGHT) {
    for (const bytes of requests(headers)) {
      const refused = await sendRaw(gateway.port, bytes)
      expect(statusAndCode(refused)).toBe('401 invalid_api_key')
      expect(refused.text()).toContain('Incorrect API key provided')
      expect(refused.text()).not.toContain(MINE)
      expect(refused.headers.get('www-authenticate')).toBe('Bearer')
    }
  }
  expect(gateway.upstreams.only.requests).toHaveLength(0)
})

test('auth: caller passes the caller’s own key on as it came, with the upstream’s own headers', async () => {
  for (const env of [{}, { HOST: '0.0.0.0' }]) {
    const more = { api_key: undefined, auth: 'caller', headers: { 'x-team': 'red' } }
    const gateway = await start(withKey(more, env))
    for (const headers of BROUGHT) {
      for (const bytes of requests(headers)) {
        expect((await sendRaw(gateway.port, bytes)).status).toBe(200)
        const request = lastRequest(gateway.upstreams.only)
        for (const [name, value] of Object.entries(headers)) expect(request.header(name)).toBe(value)
        expect(request.header('x-team')).toBe('red')
      }
    }
  }
})

test('auth: caller passes no token of this server’s on', async () => {
  const more = { api_key: undefined, auth: 'caller' }
  const gateway = await start(withKey(more, { REQUIRE_AUTH: 'true', API_TOKEN: TOKEN }))
  for (const bytes of requests({ Authorization: `Bearer ${TOKEN}` })) {
    await sendRaw(gateway.port, bytes)
    expect(await wireText(lastRequest(gateway.upstreams.only))).not.toContain(TOKEN)
  }
})

test('auth: none, and an upstream without a key, get no credentials of anybody’s', async () => {
  for (const more of [{ auth: 'none' }, { api_key: undefined }, { api_key: undefined, auth: 'none' }]) {
    const gateway = await start(withKey(more))
    for (const headers of [...BROUGHT, { Cookie: `session=${MINE}` }]) {
      for (const bytes of requests(headers)) {
        expect((await sendRaw(gateway.port, bytes)).status).toBe(200)
        const request = lastRequest(gateway.upstreams.only)
        expect(CREDENTIALS.map((name) => request.header(name))).toEqual([undefined, undefined, undefined, undefined])
        expect(await wireText(request)).not.toContain(MINE)
      }
    }
  }
})

test('a caller’s session is not mixed with the server’s account', async () => {
  const gateway = await start(withKey())
  await sendRaw(gateway.port, getText('/v1/models', { Cookie: 'session=mine' }))
  expect(lastRequest(gateway.upstreams.only).header('cookie')).toBeUndefined()
})

test('a pool’s keys take turns, and each caller’s call spends one of them', async () => {
  const keys = [`${KEY}-a`, `${KEY}-b`]
  const gateway = await start(withKey({ api_key: undefined, api_keys: keys }))
  for (let calls = 0; calls < 4; calls += 1) await sendRaw(gateway.port, postText('/v1/chat/completions', CHAT))
  const spent = gateway.upstreams.only.requests.map((request) => request.header('authorization'))
  for (const key of keys) expect(spent.filter((one) => one === `Bearer ${key}`)).toHaveLength(2)
})

test('the server’s key is nowhere to be seen: not where an upstream echoes it, nor in logs, headers or errors', async () => {
  const echo: Script = async (request, connection) => {
    await request.body
    const header = request.header('x-secret-here') ?? request.header('authorization') ?? ''
    if (request.target.endsWith('/reset')) return connection.reset()
    const error = { message: `Incorrect API key provided: ${header}`, type: 'x', param: null, code: 'invalid_api_key' }
    connection.json({ error }, 401, { 'x-echo': header })
  }
  for (const more of [{}, { key_header: 'x-secret-here' }]) {
    const gateway = await start({
      ...withKey(more, { LOG_LEVEL: 'trace', DEBUG_HEADERS: 'true' }),
      upstreams: { only: echo },
    })
    for (const bytes of [...requests(), postText('/v1/reset', CHAT), getText('/v1/reset')]) {
      const { status, headers, text } = await sendRaw(gateway.port, bytes)
      expect([401, 502]).toContain(status)
      expect(text()).not.toContain('sk-canary')
      expect([...headers.values()].join('\n')).not.toContain('sk-canary')
      if (status === 401) expect(text()).toContain('*'.repeat(KEY.length))
    }
    await gateway.exchange(5)
    expect(JSON.stringify(gateway.lines) + gateway.stderr()).not.toContain('sk-canary')
  }
})
