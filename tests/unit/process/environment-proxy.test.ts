import { expect, test } from 'bun:test'
import { environmentProxy } from '../../../src/process/environment-proxy.ts'

const HTTP = new URL('http://a.test/v1')
const HTTPS = new URL('https://a.test/v1')

function hrefs(env: Record<string, string>): (string | undefined)[] {
  const proxyFor = environmentProxy(env)
  return [proxyFor?.(HTTP)?.href, proxyFor?.(HTTPS)?.href]
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
  expect(environmentProxy({ NO_PROXY: 'a.test', HTTP_PROXY: ' ' })).toBeUndefined()
})
