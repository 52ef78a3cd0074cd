import { afterAll, beforeAll, expect, test } from 'bun:test'
import { all, answersOf, statusAndCode } from '../helpers/received-answers.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

let gateway: TestGateway<'openai'>

beforeAll(async () => {
  gateway = await startGateway({ upstreams: { openai: answerOk } })
})

afterAll(() => gateway.stop())

function withHosts(hosts: readonly string[], target = '/v1/models', version = '1.1'): string {
  const lines = hosts.map((host) => `Host: ${host}\r\n`).join('')
  return `GET ${target} HTTP/${version}\r\n${lines}Authorization: Bearer sk-mine\r\n\r\n`
}

test('a request has exactly one well-formed Host, or is refused with 400 and reaches no upstream', async () => {
  const bad = {
    'two lines': ['a', 'b'],
    'the same line twice': ['localhost', 'localhost'],
    empty: [''],
    'with a path': ['a/b'],
    'with a userinfo': ['user@localhost'],
    'with a query': ['localhost?x'],
    'with a fragment': ['localhost#x'],
    'with a backslash': ['localhost\\x'],
    'with a space': ['local host'],
    'with a comma': ['a,b'],
    'with a percent sign': ['a%2eb'],
    'with a semicolon': ['a;b'],
    'a port beyond the last': ['localhost:65536'],
    'a port that is none': ['localhost:http'],
    'a port with a sign': ['localhost:-1'],
    'an open bracket': ['[::1'],
    'brackets around a name': ['[localhost]'],
    'a bare IPv6 address': ['::1'],
    'an IPv6 zone': ['[fe80::1%25eth0]'],
    'a full URL': ['http://localhost'],
    'a number out of range': ['999.999.999.999'],
    'a quote': ['"localhost"'],
    'an angle bracket': ['<script>'],
    'a leading dot': ['.localhost'],
    'a leading hyphen': ['-localhost'],
    '256 characters': ['a'.repeat(256)],
  }
  const requests = Object.fromEntries(Object.entries(bad).map(([label, hosts]) => [label, withHosts(hosts)]))
  expect(await answersOf(gateway.port, requests, statusAndCode)).toEqual(all(Object.keys(bad), '400 invalid_host'))
  expect(gateway.upstreams.openai.requests).toHaveLength(0)
})

test('a request without a Host is refused, in HTTP/1.0 and in HTTP/1.1', async () => {
  const requests = { '1.0': withHosts([], '/v1/models', '1.0'), '1.1': withHosts([]) }
  expect(await answersOf(gateway.port, requests, statusAndCode)).toEqual(all(['1.0', '1.1'], '400 invalid_host'))
  expect(gateway.upstreams.openai.requests).toHaveLength(0)
})

test('no good Host is refused, short ones and IPv6 addresses among them', async () => {
  const good = [
    'a',
    'llm',
    'llm:8000',
    'localhost',
    'LOCALHOST:1',
    'gateway_1.internal',
    'my-host.example.com.',
    '127.0.0.1:65535',
    '[::1]',
    '[::1]:8000',
    '[2001:db8::7]',
    '[::ffff:127.0.0.1]:80',
    'xn--bcher-kva.example',
    `${'a'.repeat(63)}.${'b'.repeat(63)}.example`,
  ]
  const requests = Object.fromEntries(good.map((host) => [host, withHosts([host])]))
  const before = gateway.upstreams.openai.requests.length
  expect(await answersOf(gateway.port, requests, statusAndCode)).toEqual(all(good, '200'))
  const received = gateway.upstreams.openai.requests.slice(before)
  expect(received.map(({ target }) => target)).toEqual(good.map(() => '/v1/models'))
  for (const request of received) expect(request.header('host')).toBe(`127.0.0.1:${gateway.upstreams.openai.port}`)
})

test('HTTP/1.0 with a Host is served', async () => {
  const answer = await answersOf(gateway.port, { old: withHosts(['localhost'], '/v1/models', '1.0') }, statusAndCode)
  expect(answer).toEqual({ old: '200' })
})

test('the route is found by the path, whatever the Host: no bypass of the door', async () => {
  const guarded = await startGateway({
    upstreams: { openai: answerOk },
    env: { REQUIRE_AUTH: 'true', API_TOKEN: 'token-one-0123456789abcdef' },
  })
  try {
    const hosts = ['a', 'a.b', 'llm', 'localhost', '[::1]', '1.1.1.1', 'health', 'docs', 'a:1', '[::]:1']
    const targets = ['/v1/models', '/openapi.json', '/x/health', '/v1/docs', '/h/', '/a/health?/health', '/v1?/health']
    const requests = Object.fromEntries(
      hosts.flatMap((host) =>
        targets.map((target) => [
          `${host} ${target}`,
          `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nOrigin: http://${host}\r\n\r\n`,
        ]),
      ),
    )
    const statuses = await answersOf(guarded.port, requests, ({ status }) => status)
    expect(statuses).toEqual(all(Object.keys(requests), 401))
    expect(guarded.upstreams.openai.requests).toHaveLength(0)
  } finally {
    await guarded.stop()
  }
})
