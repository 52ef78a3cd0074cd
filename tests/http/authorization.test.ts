import { afterAll, beforeAll, expect, test } from 'bun:test'
import { getText, sendRaw } from '../helpers/raw-client.ts'
import { all, answersOf, statusAndCode } from '../helpers/received-answers.ts'
import { lastRequest } from '../helpers/received-requests.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const ONE = 'token-one-0123456789abcdef'
const TWO = 'token-two-fedcba9876543210'
const SERVER_KEY = 'sk-server-0123456789'

let gateway: TestGateway<'openai'>

beforeAll(async () => {
  gateway = await startGateway({
    upstreams: { openai: answerOk },
    env: { REQUIRE_AUTH: 'true', API_TOKEN: `${ONE},${TWO}`, OPENAI_API_KEY: SERVER_KEY },
  })
})

afterAll(() => gateway.stop())

function models(headers: Readonly<Record<string, string>>): string {
  return getText('/v1/models', headers)
}

test('the bearer must be an API_TOKEN: the scheme in any case, and x-api-key and api-key carry it too', async () => {
  const requests = {
    Bearer: models({ Authorization: `Bearer ${ONE}` }),
    bearer: models({ Authorization: `bearer ${ONE}` }),
    BEARER: models({ AUTHORIZATION: `BEARER   ${ONE}` }),
    second: models({ Authorization: `Bearer ${TWO}` }),
    'x-api-key': models({ 'x-api-key': ONE }),
    'X-API-KEY': models({ 'X-API-KEY': TWO }),
    'api-key': models({ 'Api-Key': ONE }),
    'Basic, as the password': models({ Authorization: `Basic ${btoa(`:${ONE}`)}` }),
    'basic with a name': models({ Authorization: `basic ${btoa(`me:${TWO}`)}` }),
  }
  const before = gateway.upstreams.openai.requests.length
  expect(await answersOf(gateway.port, requests, statusAndCode)).toEqual(all(Object.keys(requests), '200'))
  const received = gateway.upstreams.openai.requests.slice(before)
  expect(received).toHaveLength(Object.keys(requests).length)
  for (const request of received) expect(request.header('authorization')).toBe(`Bearer ${SERVER_KEY}`)
})

test('a bearer that is nearly an API_TOKEN is refused and reaches no upstream', async () => {
  const wrong = [
    `${ONE}x`,
    ONE.slice(0, -1),
    ONE.slice(1),
    ONE.toUpperCase(),
    `${ONE},${TWO}`,
    `${ONE} ${TWO}`,
    `"${ONE}"`,
    `${ONE}%00`,
    ONE.replace('-', '_'),
    SERVER_KEY,
    'Bearer',
    'null',
    'undefined',
    '*',
  ]
  const requests = Object.fromEntries([
    ...wrong.map((token) => [`Bearer ${token}`, models({ Authorization: `Bearer ${token}` })]),
    ...wrong.map((token) => [`x-api-key ${token}`, models({ 'x-api-key': token })]),
    ['Basic, as the name', models({ Authorization: `Basic ${btoa(`${ONE}:`)}` })],
    ['wrong bearer with a right x-api-key', models({ Authorization: 'Bearer wrong', 'x-api-key': ONE })],
    ['two Authorization lines', models({ Authorization: `Bearer ${ONE}\r\nAuthorization: Bearer ${TWO}` })],
  ]) as Record<string, string>
  const before = gateway.upstreams.openai.requests.length
  const answers = await answersOf(gateway.port, requests, ({ status }) => status)
  expect(answers).toEqual(all(Object.keys(requests), 401))
  expect(gateway.upstreams.openai.requests).toHaveLength(before)
})

test('a request without a credential gets the 401 of OpenAI, with all four keys', async () => {
  const requests = {
    none: models({}),
    'an empty bearer': models({ Authorization: 'Bearer ' }),
    'a bare scheme': models({ Authorization: 'Bearer' }),
    'an empty header': models({ Authorization: '' }),
    'in a cookie': models({ Cookie: `token=${ONE}` }),
    'in the query': getText(`/v1/models?api_key=${ONE}&token=${ONE}`),
  }
  const bodies = await answersOf(gateway.port, requests, (response) => [response.status, response.json()])
  const error = {
    message: expect.stringMatching(/^You didn't provide an API key\. /),
    type: 'invalid_request_error',
    param: null,
    code: null,
  }
  expect(bodies).toEqual(all(Object.keys(requests), [401, { error }]))
})

test('every path is guarded except health, / and the docs page, unknown paths too: 401, not 404', async () => {
  const guarded = [
    '/v1/models',
    '/v1/chat/completions',
    '/chat/completions',
    '/models',
    '/openapi.json',
    '/unknown',
    '/v1',
    '/v1/',
    '/v1/unknown',
    '/v1/health',
    '/metrics',
    '/health/x',
    '/healthx',
    '/HEALTH',
    '/docs/x',
    '/docsx',
    '/.env',
    '/admin',
  ]
  const open = ['/', '/docs', '/favicon.ico', '/health', '/healthz', '/livez', '/ready', '/readyz', '/health?a=b']
  const requests = Object.fromEntries(
    ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].flatMap((method) =>
      guarded.map((path) => [`${method} ${path}`, getText(path, { 'Content-Length': '0' }, method)]),
    ),
  )
  const before = gateway.upstreams.openai.requests.length
  const statuses = await answersOf(gateway.port, requests, ({ status }) => status)
  expect(statuses).toEqual(all(Object.keys(requests), 401))
  expect(gateway.upstreams.openai.requests).toHaveLength(before)

  const opened = Object.fromEntries(open.map((path) => [path, getText(path)]))
  expect(await answersOf(gateway.port, opened, ({ status }) => status)).toEqual(all(open, 200))
})

test('whoever may come in is told of an unknown URL, and gets /openapi.json', async () => {
  const requests = {
    unknown: getText('/unknown', { Authorization: `Bearer ${ONE}` }),
    openapi: getText('/openapi.json', { Authorization: `Bearer ${ONE}` }),
  }
  expect(await answersOf(gateway.port, requests, statusAndCode)).toEqual({ unknown: '404 unknown_url', openapi: '200' })
})

test('a wrong key is masked in the message and is not in the log', async () => {
  const wrong = 'sk-wrong-AbCdEfGhIjKlMnOpQrStUv'
  const short = 'hunter2'
  const answers = [
    await sendRaw(gateway.port, models({ Authorization: `Bearer ${wrong}` })),
    await sendRaw(gateway.port, models({ 'x-api-key': wrong })),
    await sendRaw(gateway.port, models({ Authorization: `Bearer ${short}` })),
  ]
  for (const answer of answers) {
    const { error } = answer.json() as { error: { message: string; code: string } }
    expect(error.code).toBe('invalid_api_key')
    expect(error.message).toMatch(/^Incorrect API key provided: \S*\*{8}\S*\. This server takes API tokens of its own/)
    expect(error.message).not.toContain(wrong.slice(4, 20))
    expect(error.message).not.toContain(short)
  }
  const lines = JSON.stringify(gateway.lines)
  for (const secret of [wrong.slice(4, 20), short, ONE, TWO, SERVER_KEY]) expect(lines).not.toContain(secret)
})

test('where the upstream needs no key, a caller with a token goes upstream with none', async () => {
  const keyless = await startGateway({ upstreams: { openai: answerOk }, env: { REQUIRE_AUTH: 'true', API_TOKEN: ONE } })
  try {
    const answer = await sendRaw(keyless.port, models({ Authorization: `Bearer ${ONE}`, 'x-api-key': ONE }))
    expect(answer.status).toBe(200)
    const { headerLines } = lastRequest(keyless.upstreams.openai)
    expect(headerLines.filter(([name]) => /authorization|key/i.test(name))).toEqual([])
  } finally {
    await keyless.stop()
  }
})
