import { expect, test } from 'bun:test'
import { environmentProxy, readNoProxy } from '../../../src/process/environment-proxy.ts'

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

/** The URLs of a list that a text excepts. */
function excepted(text: string, urls: readonly string[]): string[] {
  const isDirect = readNoProxy(text)
  return urls.filter((url) => isDirect(new URL(url)))
}

test('a name excepts itself and all below it, with or without a dot or a star in front, in any case', () => {
  const urls = ['http://Example.com', 'https://api.example.com.', 'http://a.b.example.com:81', 'http://badexample.com']
  for (const text of ['example.com', '.example.com', '*.example.com', 'EXAMPLE.COM', 'example.com.', ' example.com ']) {
    expect(excepted(text, urls)).toEqual(urls.slice(0, 3))
  }
})

test('entries are told apart by commas and white space, and empty ones except nothing', () => {
  const urls = ['http://a.test', 'http://b.test', 'http://c.test', 'http://d.test']
  expect(excepted('a.test,b.test c.test,\t,,', urls)).toEqual(urls.slice(0, 3))
  expect(excepted('', urls)).toEqual([])
  expect(excepted(' , ', urls)).toEqual([])
})

test('a star excepts everything, alone or among others', () => {
  for (const text of ['*', 'a.test, *', ' * ']) {
    expect(excepted(text, ['http://x.test', 'https://10.0.0.1', 'http://[::1]'])).toHaveLength(3)
  }
})

test('a network excepts the addresses within it, of both families, and localhost where it holds loopback', () => {
  const urls = ['http://10.255.0.1', 'http://11.0.0.1', 'http://[fd12::1]', 'http://[fe80::1]', 'http://ten.test']
  expect(excepted('10.0.0.0/8, fd00::/8', urls)).toEqual(['http://10.255.0.1', 'http://[fd12::1]'])
  expect(excepted('10.0.0.0/8', ['http://[::ffff:10.1.1.1]'])).toHaveLength(1)
  expect(excepted('127.0.0.0/8', ['http://localhost:1', 'http://127.9.9.9', 'http://[::1]'])).toHaveLength(2)
  expect(excepted('0.0.0.0/0', ['http://8.8.8.8', 'http://[::1]', 'http://a.test'])).toEqual(['http://8.8.8.8'])
})

test('an address excepts itself in any spelling, and nothing that ends like it', () => {
  expect(excepted('127.0.0.1', ['http://127.1', 'http://2130706433', 'http://127.0.0.11'])).toHaveLength(2)
  for (const text of ['::1', '[::1]', '0:0:0:0:0:0:0:1']) expect(excepted(text, ['http://[::1]:8080'])).toHaveLength(1)
  expect(excepted('0.0.1', ['http://127.0.0.1', 'http://10.0.0.1'])).toEqual([])
})

test('a port excepts that port alone, the scheme’s own where the URL has none', () => {
  const urls = ['http://a.test', 'http://a.test:80', 'https://a.test', 'http://a.test:8080']
  expect(excepted('a.test:80', urls)).toEqual(urls.slice(0, 2))
  expect(excepted('a.test:443', urls)).toEqual(['https://a.test'])
  expect(excepted('[::1]:8080,10.0.0.1:8080', ['http://[::1]:8080', 'http://[::1]', 'http://10.0.0.1:8080'])).toEqual([
    'http://[::1]:8080',
    'http://10.0.0.1:8080',
  ])
})

test('what is no name, address or network excepts nothing', () => {
  for (const text of ['10.0.0.0/33', '10.0.0.0/x', 'fd00::/129', '/8', 'a.test:99999', 'http://a.test']) {
    expect(excepted(text, ['http://10.0.0.1', 'http://[fd00::1]', 'http://a.test'])).toEqual([])
  }
})
