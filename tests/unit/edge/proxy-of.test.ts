import { expect, test } from 'bun:test'
import { createProxyFor, NO_PROXIES, obeyProxy, proxyOf } from '../../../src/edge/proxy-of.ts'
import type { UpstreamFetch, UpstreamInit } from '../../../src/upstream/send.ts'

const HTTP = new URL('http://a.test/v1')
const HTTPS = new URL('https://a.test/v1')

function hrefs(env: Record<string, string>): (string | undefined)[] {
  const proxyFor = createProxyFor(env)
  return [proxyFor(HTTP)?.href, proxyFor(HTTPS)?.href]
}

test('each scheme has its proxy, ALL_PROXY is that of both, and small letters win', () => {
  const [one, two] = ['http://one.test:3128/', 'http://two.test:3128/']
  expect(hrefs({ HTTP_PROXY: one })).toEqual([one, undefined])
  expect(hrefs({ HTTPS_PROXY: one })).toEqual([undefined, one])
  expect(hrefs({ ALL_PROXY: one })).toEqual([one, one])
  expect(hrefs({ all_proxy: one, HTTPS_PROXY: two })).toEqual([one, two])
  expect(hrefs({ http_proxy: one, HTTP_PROXY: two, https_proxy: '' })).toEqual([one, undefined])
  expect(hrefs({ HTTP_PROXY: 'one.test:3128', HTTPS_PROXY: ' one.test:3128 ' })).toEqual([one, one])
})

test('NO_PROXY excepts in both spellings, of which the small one wins', () => {
  const proxy = { HTTP_PROXY: 'http://p.test' }
  expect(hrefs({ ...proxy, NO_PROXY: 'a.test' })[0]).toBeUndefined()
  expect(hrefs({ ...proxy, no_proxy: 'a.test', NO_PROXY: 'b.test' })[0]).toBeUndefined()
  expect(hrefs({ ...proxy, no_proxy: 'b.test', NO_PROXY: 'a.test' })[0]).toBe('http://p.test/')
})

test('without a proxy in the environment nothing is read for a call', () => {
  expect(createProxyFor({ NO_PROXY: 'a.test', HTTP_PROXY: ' ' })).toBe(NO_PROXIES)
})

test('an upstream’s own proxy, or that it has none, goes before the environment', () => {
  const proxyFor = createProxyFor({ ALL_PROXY: 'http://p.test', NO_PROXY: 'a.test' })
  expect(proxyOf({ proxy: 'http://own.test' }, HTTP, proxyFor)?.href).toBe('http://own.test/')
  expect(proxyOf({ proxy: false }, new URL('http://b.test'), proxyFor)).toBeUndefined()
  expect(proxyOf(undefined, new URL('http://b.test'), proxyFor)?.href).toBe('http://p.test/')
})

test('while a call is handed to the runtime with a proxy, the environment has no exceptions; behind it, it has', async () => {
  const env: Record<string, string | undefined> = { NO_PROXY: 'a.test', no_proxy: 'b.test' }
  const seen: unknown[] = []
  const fetch: UpstreamFetch = async () => {
    seen.push({ ...env })
    return new Response()
  }
  const obedient = obeyProxy(fetch, env)
  const init = { proxy: 'http://p.test' } as unknown as UpstreamInit
  await obedient(HTTP, init)
  await obedient(HTTP, { ...init, proxy: false })
  expect(seen).toEqual([{}, { NO_PROXY: 'a.test', no_proxy: 'b.test' }])
  expect(env).toEqual({ NO_PROXY: 'a.test', no_proxy: 'b.test' })
  expect(obeyProxy(fetch, { HTTP_PROXY: 'http://p.test' })).toBe(fetch)
})
