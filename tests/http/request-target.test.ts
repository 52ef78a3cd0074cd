import { afterAll, beforeAll, expect, test } from 'bun:test'
import { getText, sendRaw } from '../helpers/raw-client.ts'
import { all, answersOf, statusAndCode } from '../helpers/received-answers.ts'
import { lastRequest } from '../helpers/received-requests.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const KEY = { Authorization: 'Bearer sk-mine' }

let gateway: TestGateway<'openai'>

beforeAll(async () => {
  gateway = await startGateway({ upstreams: { openai: answerOk } })
})

afterAll(() => gateway.stop())

test('dot segments in any spelling, //host, backslashes, fragments and absolute-form targets are refused', async () => {
  const targets = [
    '/v1/..',
    '/v1/../secret',
    '/v1/models/..',
    '/v1/models/../../admin',
    '/v1/.',
    '/v1/./models',
    '/..',
    '/.',
    '/v1/%2e%2e/secret',
    '/v1/%2E%2E/secret',
    '/v1/.%2e/secret',
    '/v1/.%2E/secret',
    '/v1/%2e./secret',
    '/v1/%2e/models',
    '/v1/%252e%252e/secret',
    '/v1/%252E%252e/secret',
    '/v1/%25252e%25252e/secret',
    '/v1/.%252e/secret',
    '/v1/..%2fsecret',
    '/v1/models%2f..%2fsecret',
    '/v1/models%2F%2e%2e%2Fsecret',
    '/v1/models%252f..%252fsecret',
    '/v1/..;/secret',
    '/v1/..;a=b/secret',
    '/v1/%2e%2e;/secret',
    '/v1/..%3b/secret',
    '/v1/.;/models',
    '/v1/..\\secret',
    '/v1/..%5csecret',
    '/v1/..%5Csecret',
    '/v1/%2e%2e%5csecret',
    '/v1/..%255csecret',
    '/v1\\..\\secret',
    '/v1/a\\b',
    '\\v1\\models',
    '/\\evil.example/v1/models',
    '//evil.example/v1/models',
    '///evil.example/v1/models',
    '/v1/models#fragment',
    '/v1/models?a=b#fragment',
    'http://evil.example/v1/models',
    'http://127.0.0.1/v1/models',
    'https://localhost/v1/models',
    'HTTP://localhost/v1/models',
    'file:///etc/passwd',
    'v1/models',
    'evil.example:80',
    '*',
    '?a=b',
    '@evil.example/',
    '/v1/mod\u00e9ls',
    '/v1/\u0001',
    '/v1/\u007f',
    '/v1/a b',
    '/v1/a\tb',
  ]
  const requests = Object.fromEntries(targets.map((target) => [target, Buffer.from(getText(target, KEY), 'latin1')]))
  const statuses = await answersOf(gateway.port, requests, ({ status }) => status)
  expect(statuses).toEqual(all(targets, 400))
  expect(gateway.upstreams.openai.connectionCount()).toBe(0)
})

test('OPTIONS * is refused', async () => {
  expect((await sendRaw(gateway.port, getText('*', KEY, 'OPTIONS'))).status).toBe(400)
})

test('path and query reach the upstream exactly', async () => {
  const targets = [
    '/v1/models/org%2Fname',
    '/v1/models/org%2fname',
    '/v1/models/a%5cb',
    '/v1/models/ft:gpt-4o:org::id',
    '/v1/models/a%20b%C3%A9',
    '/v1/models/%E0%A4%A',
    '/v1/models/%',
    '/v1/models/%00',
    '/v1/models/~user/(x)!*$&+,;=:@',
    "/v1/models/it's",
    '/v1/models/...',
    '/v1/models/..a',
    '/v1/models/a..',
    '/v1/files/file-1/content',
    '/v1/files/',
    '/v1/files//double',
    '/v1/files;v=1',
    '/v1/models?',
    '/v1/models??',
    '/v1/models?a=%zz&b=%2F&c=x%20y+z',
    '/v1/models?a=../../b&c=http://x/',
    '/v1/models?a=1&a=2&&=&b',
    '/v1/models?include[]=a&x=[]',
    '/v1/models?after=%E4%BD%A0%25',
    '/v1/models?x=\\',
    "/v1/models?q='a'",
    '/v1/models/{id}',
    '/v1/models?q="a"<b>`^|{}',
    '/v1/a|b^c`d"e<f>',
  ]
  const exact: Record<string, string> = {}
  for (const target of targets) {
    const { status } = await sendRaw(gateway.port, getText(target, KEY))
    exact[target] = status === 200 ? lastRequest(gateway.upstreams.openai).target : `answered ${status}`
  }
  expect(exact).toEqual(Object.fromEntries(targets.map((target) => [target, target])))
})

test('an exact target goes with every method and a body', async () => {
  for (const target of ['/v1/files/org%2Fname?a=%zz&b={}&c=x%20y+z', "/v1/files/org%2Fname?q='a'&b={}"]) {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const head = getText(target, { ...KEY, 'Content-Length': '5' }, method)
      const answer = await sendRaw(gateway.port, `${head}a\u0000b\r\n`)
      expect(answer.status).toBe(200)
      const request = lastRequest(gateway.upstreams.openai)
      expect([request.method, request.target]).toEqual([method, target])
      expect(Buffer.from(await request.body).toString()).toBe('a\u0000b\r\n')
    }
  }
})

test('a base with a path of its own keeps it before every path', async () => {
  const base = await startGateway({ upstreams: { openai: answerOk } })
  const behind = await startGateway({
    upstreams: { openai: answerOk },
    env: { OPENAI_API_BASE: `${base.upstreams.openai.url}/proxy/openai/v1/` },
  })
  try {
    for (const [target, expected] of [
      ['/v1/models?a=b', '/proxy/openai/v1/models?a=b'],
      ['/models', '/proxy/openai/v1/models'],
      ["/v1/models/{id}?q='a'", "/proxy/openai/v1/models/{id}?q='a'"],
    ] as const) {
      expect((await sendRaw(behind.port, getText(target, KEY))).status).toBe(200)
      expect(lastRequest(base.upstreams.openai).target).toBe(expected)
    }
    const answer = await sendRaw(behind.port, getText('/v1/%2e%2e/%2e%2e/admin', KEY))
    expect(statusAndCode(answer)).toBe('400 invalid_target')
  } finally {
    await behind.stop()
    await base.stop()
  }
})
