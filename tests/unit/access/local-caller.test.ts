import { describe, expect, test } from 'bun:test'
import { tellsOfProxy } from '../../../src/access/forwarding-headers.ts'
import { isLocalCaller } from '../../../src/access/local-caller.ts'

function isLocal(headers: Readonly<Record<string, string>>, corsOrigins: readonly string[] = [], isHttp10 = false) {
  return isLocalCaller({ received: new Headers({ host: 'localhost:8080', ...headers }), isHttp10 }, corsOrigins)
}

describe('the Host', () => {
  test.each([
    ...['localhost', 'localhost:8080', 'LOCALHOST', 'nexcode.localhost:1', '127.0.0.1', '127.8.9.10:80', '[::1]:8080'],
    ...['0.0.0.0:8080', '[::]', 'host.docker.internal:8080', 'gateway.containers.internal', 'host.lima.internal'],
  ])('%s is a name of this machine', (host) => {
    expect(isLocal({ host })).toBe(true)
  })

  test.each([
    ...['', 'a.example', 'localhost.a.example', 'xlocalhost', '127.0.0.1.a.example', '128.0.0.1', '1270.0.0.1'],
    ...[
      '192.168.1.5',
      '[::2]',
      '[fe80::1]',
      'docker.internal',
      'a.host.docker.internal',
      'host.docker.internal.example',
    ],
  ])('%p is none: the request came by a name that others know, or by DNS rebinding', (host) => {
    expect(isLocal({ host })).toBe(false)
  })
})

describe('a web page', () => {
  test.each(['http://localhost:3000', 'https://127.0.0.1', 'http://[::1]:5173', 'http://app.localhost'])(
    'of this machine (%s) is local',
    (origin) => {
      expect(isLocal({ origin })).toBe(true)
    },
  )

  test.each(['https://a.example', 'null', 'http://localhost.a.example', 'http://192.168.0.2', 'localhost', ''])(
    'of %p is not',
    (origin) => {
      expect(isLocal({ origin })).toBe(false)
    },
  )

  test('is where its origin is allowed, letter by letter', () => {
    expect(isLocal({ origin: 'https://a.example' }, ['https://a.example'])).toBe(true)
    expect(isLocal({ origin: 'https://a.example:444' }, ['https://a.example'])).toBe(false)
    expect(isLocal({ origin: 'https://a.example' }, ['*'])).toBe(false)
  })

  test('that sends no Origin gives itself away by the browser’s word that it is of another site', () => {
    expect(isLocal({ 'sec-fetch-site': 'cross-site' })).toBe(false)
    for (const site of ['same-origin', 'same-site', 'none']) expect(isLocal({ 'sec-fetch-site': site })).toBe(true)
  })
})

describe('a proxy on this machine', () => {
  test('gives itself away by HTTP/1.0', () => {
    expect(isLocal({}, [], true)).toBe(false)
  })

  test.each([
    ...['forwarded', 'x-forwarded-for', 'x-real-ip', 'via', 'cf-ray', 'x-amzn-trace-id', 'x-envoy-attempt-count'],
    ...['true-client-ip', 'fly-client-ip', 'x-azure-ref', 'tailscale-user-login', 'ngrok-trace-id', 'x-arr-ssl'],
    ...['remote-user', 'x-auth-request-user', 'ssl-client-verify', 'x_forwarded_for', 'x-original-uri', 'x-scheme'],
  ])('gives itself away by %s', (name) => {
    expect(isLocal({ [name]: 'x' })).toBe(false)
    expect(tellsOfProxy(new Headers({ [name]: '' }))).toBe(true)
  })

  test.each([
    ...['traceparent', 'x-request-id', 'x-b3-traceid', 'accept', 'user-agent', 'x-viable', 'viable', 'x-iphone'],
    ...['openai-organization', 'x-stainless-lang', 'x-api-key', 'x-hosted', 'x-cached', 'max-forwards-x'],
  ])('is not seen in %s, which programs send', (name) => {
    expect(isLocal({ [name]: 'x' })).toBe(true)
  })
})
