import { afterAll, beforeAll, expect, test } from 'bun:test'
import { getText, postText, sendRaw } from '../helpers/raw-client.ts'
import { all, answersOf, statusAndCode } from '../helpers/received-answers.ts'
import { lastRequest, wireText } from '../helpers/received-requests.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const TOKEN = 'nx-canary-0123456789abcdef'
const SERVER_KEY = 'sk-server-0123456789'
const ACCOUNT = { OPENAI_API_KEY: SERVER_KEY, OPENAI_ORG_ID: 'org-server', OPENAI_PROJECT_ID: 'proj_server' }
const CHAT = '{"model":"m","messages":[{"role":"user","content":"hi"}]}'

/** What programs of this machine send of their own. */
const OWN_MARKS = {
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  b3: '80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1',
  'X-Request-Id': 'a',
  'X-Client-Request-Id': 'b',
  'X-Stainless-Lang': 'js',
  'X-Goog-Api-Client': 'genai',
  'OpenAI-Beta': 'x',
}

/** What stands in front of a server adds one of these, each by another maker. */
const ADDED_BY_PROXIES = [
  ...[
    'CF-Connecting-IP',
    'CF-Ray',
    'True-Client-IP',
    'X-Client-IP',
    'Client-IP',
    'X-Cluster-Client-IP',
    'Fly-Client-IP',
  ],
  ...['Fastly-Client-IP', 'X-Envoy-External-Address', 'X-Original-Forwarded-For', 'X-Original-URL', 'CDN-Loop'],
  ...['X-Forwarded', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'X-Forwarded-Client-Cert', 'X-Forwarded-Server'],
  ...[
    'X_Forwarded_For',
    'X-Real-Proto',
    'X-Host',
    'X-Scheme',
    'X-SSL-Client-Verify',
    'Front-End-Https',
    'Max-Forwards',
  ],
  ...['X-ARR-LOG-ID', 'X-Azure-ClientIP', 'X-Amzn-Trace-Id', 'X-Amz-Cf-Id', 'CloudFront-Viewer-Country', 'X-Varnish'],
  ...[
    'X-Cloud-Trace-Context',
    'DO-Connecting-IP',
    'X-Vercel-Forwarded-For',
    'X-NF-Client-Connection-IP',
    'Tailscale-User-Login',
    'X-Tunnel-Authorization',
    'X-MS-Proxy',
    'X-Consumer-Username',
    'l5d-client-id',
    'Z-Forwarded-For',
    'X-Originating-IP',
    'X-True-Client-IP',
    'Disguised-Host',
  ],
  ...[
    'X-Kong-Request-Id',
    'Akamai-Origin-Hop',
    'WL-Proxy-Client-IP',
    'X-Auth-Request-Email',
    'Remote-User',
    'X-ProxyUser-Ip',
  ],
]

/** What a proxy may call a server that listens on loopback: no program of this machine comes by such a name. */
const NAMES_FOR_PROXIES = [
  'backend',
  'nexcode:8000',
  'llm.internal',
  'app.local',
  'api.test',
  '10.0.0.5:8000',
  '[fd00::5]',
]

let loopback: TestGateway<'openai'>
let public_: TestGateway<'openai'>
let guarded: TestGateway<'openai'>

beforeAll(async () => {
  const started = await Promise.all([
    startGateway({ upstreams: { openai: answerOk }, env: ACCOUNT }),
    startGateway({ upstreams: { openai: answerOk }, env: { ...ACCOUNT, HOST: '0.0.0.0' } }),
    // The same Idempotency-Key is put on different requests here.
    startGateway({
      upstreams: { openai: answerOk },
      env: { ...ACCOUNT, REQUIRE_AUTH: 'true', API_TOKEN: TOKEN, IDEMPOTENCY_WINDOW_MS: '0' },
    }),
  ])
  loopback = started[0]
  public_ = started[1]
  guarded = started[2]
})

afterAll(async () => {
  await Promise.all([loopback.stop(), public_.stop(), guarded.stop()])
})

test("with REQUIRE_AUTH=false the caller's own Authorization goes upstream as it came", async () => {
  for (const {
    port,
    upstreams: { openai: upstream },
  } of [loopback, public_]) {
    for (const value of ['Bearer sk-mine', 'bearer   sk-mine', 'Basic OnNrLW1pbmU=', 'Custom a=b, c="d"', 'sk-bare']) {
      const answer = await sendRaw(port, postText('/v1/chat/completions', CHAT, { Authorization: value }))
      expect(answer.status).toBe(200)
      const request = lastRequest(upstream)
      expect(request.header('authorization')).toBe(value)
      expect(request.header('openai-organization')).toBeUndefined()
      expect(await wireText(request)).not.toContain(SERVER_KEY)
    }
  }
})

test("a caller's own key in x-api-key or api-key goes upstream as it came, and the server's key with none of them", async () => {
  for (const name of ['x-api-key', 'api-key']) {
    const answer = await sendRaw(loopback.port, getText('/v1/models', { [name]: 'sk-mine', 'OpenAI-Project': 'p' }))
    expect(answer.status).toBe(200)
    const request = lastRequest(loopback.upstreams.openai)
    expect(request.header(name)).toBe('sk-mine')
    expect(request.header('openai-project')).toBe('p')
    expect(request.header('authorization')).toBeUndefined()
  }
})

test("a program on this machine without a key is served with the server's, where the server listens on loopback", async () => {
  const requests = {
    localhost: getText('/v1/models', { Host: `localhost:${loopback.port}` }),
    '127.0.0.1': getText('/v1/models', { Host: `127.0.0.1:${loopback.port}` }),
    '[::1]': getText('/v1/models', { Host: '[::1]:8000' }),
    'another of its addresses': getText('/v1/models', { Host: '127.0.5.1:8000' }),
    'a name of its own': getText('/v1/models', { Host: 'nexcode.localhost:8000' }),
    'any address': getText('/v1/models', { Host: '0.0.0.0:8000' }),
    'a container on it': getText('/v1/models', { Host: 'host.docker.internal:8000' }),
    "a program's own marks": getText('/v1/models', OWN_MARKS),
    'a program that keeps no connection': getText('/v1/models', { Connection: 'close' }),
    'a page of this machine': getText('/v1/models', { Origin: 'http://localhost:3000' }),
  }
  const before = loopback.upstreams.openai.requests.length
  expect(await answersOf(loopback.port, requests, statusAndCode)).toEqual(all(Object.keys(requests), '200'))
  for (const request of loopback.upstreams.openai.requests.slice(before)) {
    expect(request.header('authorization')).toBe(`Bearer ${SERVER_KEY}`)
    expect(request.header('openai-organization')).toBe('org-server')
    expect(request.header('openai-project')).toBe('proj_server')
  }
})

test("the server's key is never lent to a web page, nor to a stranger behind a proxy", async () => {
  const foreign: Record<string, Readonly<Record<string, string>>> = {
    'a foreign origin': { Origin: 'https://evil.example' },
    'a foreign origin that looks local': { Origin: 'http://localhost.evil.example' },
    'an origin with a local name as user': { Origin: 'http://localhost@evil.example' },
    'an opaque origin': { Origin: 'null' },
    'an empty origin': { Origin: '' },
    'an image on a foreign page': { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors' },
    'a rebound name': { Host: 'evil.example' },
    'a rebound name with a port': { Host: `evil.example:${loopback.port}`, Origin: `http://localhost` },
    'a rebound name that looks local': { Host: 'localhost.evil.example' },
    'a rebound name with a dot behind': { Host: 'evil.example.' },
    'an address in a name': { Host: '127.0.0.1.nip.example' },
    'X-Forwarded-For': { 'X-Forwarded-For': '127.0.0.1' },
    'X-Forwarded-For, named by Connection': { Connection: 'x-forwarded-for', 'X-Forwarded-For': '1.2.3.4' },
    'X-Real-IP': { 'X-Real-IP': '1.2.3.4' },
    Forwarded: { Forwarded: 'for=1.2.3.4' },
    Via: { Via: '1.1 proxy' },
    ...Object.fromEntries(ADDED_BY_PROXIES.map((name) => [name, { [name]: '1' }])),
    'an empty one': { 'x-forwarded-for': '' },
    ...Object.fromEntries(NAMES_FOR_PROXIES.map((name) => [`the Host ${name}`, { Host: name }])),
  }
  const requests = Object.fromEntries(
    Object.entries(foreign).flatMap(([label, headers]) => [
      [label, getText('/v1/models', headers)],
      [`${label}: POST`, postText('/v1/chat/completions', CHAT, headers)],
    ]),
  )
  const before = loopback.upstreams.openai.requests.length
  const statuses = await answersOf(loopback.port, requests, ({ status }) => status)
  expect(statuses).toEqual(all(Object.keys(requests), 401))
  expect(loopback.upstreams.openai.requests).toHaveLength(before)
})

test('whoever comes by HTTP/1.0 is taken for a stranger: nginx speaks it for all of them, with a Host of this machine and no other trace', async () => {
  const keep = 'Connection: keep-alive\r\n'
  for (const more of ['', 'Connection: close\r\n', keep, 'Origin: http://localhost\r\n']) {
    const head = `Host: 127.0.0.1:${loopback.port}\r\n${more}`
    const before = loopback.upstreams.openai.requests.length
    expect((await sendRaw(loopback.port, `GET /v1/models HTTP/1.0\r\n${head}\r\n`)).status).toBe(401)
    const posted = `POST /v1/chat/completions HTTP/1.0\r\n${head}Content-Type: application/json\r\nContent-Length: ${CHAT.length}\r\n\r\n${CHAT}`
    expect((await sendRaw(loopback.port, posted)).status).toBe(401)
    expect(loopback.upstreams.openai.requests).toHaveLength(before)
  }
  // Who brings a key of their own is served as ever.
  const own = `GET /v1/models HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer sk-mine\r\n\r\n`
  expect((await sendRaw(loopback.port, own)).status).toBe(200)
})

test('with LOCAL_CALLERS=off not even a program on this machine spends the key of the server', async () => {
  const {
    port,
    upstreams: { openai: upstream },
    stop,
  } = await startGateway({ upstreams: { openai: answerOk }, env: { ...ACCOUNT, LOCAL_CALLERS: 'off' } })
  try {
    expect((await sendRaw(port, getText('/v1/models', { Host: 'localhost' }))).status).toBe(401)
    expect((await sendRaw(port, getText('/v1/models', { Authorization: 'Bearer sk-mine' }))).status).toBe(200)
    expect(upstream.requests).toHaveLength(1)
  } finally {
    await stop()
  }
})

test("on a HOST that others can reach, the server's key is never lent, not even to this machine", async () => {
  const requests = {
    plain: getText('/v1/models', { Host: `localhost:${public_.port}` }),
    'by address': getText('/v1/models', { Host: '127.0.0.1' }),
    chat: postText('/v1/chat/completions', CHAT),
    'an empty bearer': getText('/v1/models', { Authorization: 'Bearer ' }),
    'a bare scheme': getText('/v1/models', { Authorization: 'Basic' }),
    'an empty x-api-key': getText('/v1/models', { 'x-api-key': '' }),
  }
  const before = public_.upstreams.openai.requests.length
  const answers = await answersOf(public_.port, requests, ({ status }) => status)
  expect(answers).toEqual(all(Object.keys(requests), 401))
  expect(public_.upstreams.openai.requests).toHaveLength(before)
})

test('Connection: authorization takes no part in whose key is spent', async () => {
  const headers = { Connection: 'authorization, x-api-key, keep-alive', Authorization: 'Bearer sk-mine' }
  await sendRaw(public_.port, getText('/v1/models', headers))
  expect(await wireText(lastRequest(public_.upstreams.openai))).not.toContain('sk-')
  await sendRaw(guarded.port, getText('/v1/models', { ...headers, Authorization: `Bearer ${TOKEN}` }))
  expect(lastRequest(guarded.upstreams.openai).header('authorization')).toBe(`Bearer ${SERVER_KEY}`)
})

test('no part of the token reaches the upstream, in whatever header, cookie, subprotocol or query the caller put it', async () => {
  const everywhere = {
    Authorization: `Bearer ${TOKEN}`,
    'x-api-key': TOKEN,
    'api-key': TOKEN,
    Cookie: `a=b; token=${TOKEN}`,
    'Proxy-Authorization': `Bearer ${TOKEN}`,
    'Sec-WebSocket-Protocol': `realtime, openai-insecure-api-key.${TOKEN}`,
    'X-Custom': `a ${TOKEN} b`,
    'X-Request-Id': TOKEN,
    'X-Client-Request-Id': TOKEN,
    Referer: `https://page.example/?key=${TOKEN}`,
    'User-Agent': `curl ${TOKEN}`,
    'OpenAI-Organization': TOKEN,
    'Idempotency-Key': `x-${TOKEN}`,
  }
  const inQuery = `?a=%zz&api_key=${TOKEN}&b=1&k=${TOKEN.replace('-', '%2D')}&${TOKEN}`
  for (const bytes of [
    getText('/v1/models', everywhere),
    getText(`/v1/models${inQuery}`, everywhere),
    postText('/v1/chat/completions', CHAT, everywhere),
    postText('/v1/embeddings', '{"input":"x"}', everywhere),
    getText('/v1/models', { Authorization: `Basic ${btoa(`me:${TOKEN}`)}` }),
  ]) {
    expect((await sendRaw(guarded.port, bytes)).status).toBe(200)
    const text = await wireText(lastRequest(guarded.upstreams.openai))
    expect(text).not.toContain(TOKEN.slice(0, 12))
    expect(text).not.toContain(btoa(`me:${TOKEN}`))
    expect(lastRequest(guarded.upstreams.openai).header('authorization')).toBe(`Bearer ${SERVER_KEY}`)
  }
})

test('a query that holds the token loses that parameter only', async () => {
  const target = `/v1/models?a=%zz&api_key=${TOKEN}&b=x%20y+z`
  await sendRaw(guarded.port, getText(target, { Authorization: `Bearer ${TOKEN}` }))
  expect(lastRequest(guarded.upstreams.openai).target).toBe('/v1/models?a=%zz&b=x%20y+z')
})

test('a path that holds the token is refused', async () => {
  const before = guarded.upstreams.openai.requests.length
  for (const target of [`/v1/models/${TOKEN}`, `/v1/models/${TOKEN.replace('-', '%2d')}?a=b`]) {
    const answer = await sendRaw(guarded.port, getText(target, { Authorization: `Bearer ${TOKEN}` }))
    expect(statusAndCode(answer)).toBe('400 invalid_target')
  }
  expect(guarded.upstreams.openai.requests).toHaveLength(before)
})

test("the caller's own session is not mixed with the server's account", async () => {
  const headers = { Authorization: `Bearer ${TOKEN}`, Cookie: 'session=mine', 'OpenAI-Organization': 'org-mine' }
  await sendRaw(guarded.port, getText('/v1/models', headers))
  const request = lastRequest(guarded.upstreams.openai)
  expect(request.header('cookie')).toBeUndefined()
  expect(request.headerLines.filter(([name]) => /^openai-organization$/i.test(name)).map(([, value]) => value)).toEqual(
    ['org-server'],
  )
})

test('upstream redirects are never followed, and so no key goes along', async () => {
  const other = await startGateway({ upstreams: { openai: answerOk } })
  try {
    for (const status of [301, 302, 303, 307, 308]) {
      guarded.upstreams.openai.play(async (request, connection) => {
        await request.body
        connection.respond(status, { location: `${other.upstreams.openai.url}/v1/stolen` })
      })
      const passed = await sendRaw(guarded.port, getText('/v1/models', { Authorization: `Bearer ${TOKEN}` }))
      expect([passed.status, passed.headers.get('location')]).toEqual([
        status,
        `${other.upstreams.openai.url}/v1/stolen`,
      ])
      const chat = postText('/v1/chat/completions', CHAT, { Authorization: `Bearer ${TOKEN}` })
      expect(statusAndCode(await sendRaw(guarded.port, chat))).toBe('502 upstream_invalid_response')
    }
    expect(other.upstreams.openai.connectionCount()).toBe(0)
  } finally {
    await other.stop()
  }
})
