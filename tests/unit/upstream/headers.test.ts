import { expect, test } from 'bun:test'
import { HOP_BY_HOP } from '../../../src/formats/http/hop-by-hop.ts'
import { requestHeaders, responseHeaders } from '../../../src/upstream/headers.ts'

test.each([...HOP_BY_HOP])('%s is hop-by-hop and crosses in neither direction (RFC 9110 §7.6.1)', (name) => {
  const headers = new Headers({ [name]: 'x', 'x-kept': 'yes' })
  expect([...requestHeaders(headers)]).toEqual([['x-kept', 'yes']])
  expect([...responseHeaders(headers)]).toEqual([['x-kept', 'yes']])
})

test('headers that are named by Connection stay on this hop, whatever else it names', () => {
  const headers = new Headers({ connection: 'close, X-Mine , not a name, , "', 'x-mine': '1', 'x-kept': '2' })
  expect([...requestHeaders(headers)]).toEqual([['x-kept', '2']])
  expect([...responseHeaders(headers)]).toEqual([['x-kept', '2']])
})

test('Host and Expect speak of this hop, in a request only', () => {
  const headers = new Headers({ host: 'localhost', expect: '100-continue', accept: '*/*' })
  expect([...requestHeaders(headers)]).toEqual([['accept', '*/*']])
  expect(responseHeaders(headers).get('host')).toBe('localhost')
})

test('everything else crosses, several cookies as several', () => {
  const headers = new Headers({ 'x-request-id': 'r', 'retry-after': '1', 'content-encoding': 'gzip' })
  headers.append('set-cookie', 'a=1')
  headers.append('set-cookie', 'b=2')
  const crossed = responseHeaders(headers)
  expect(crossed.getSetCookie()).toEqual(['a=1', 'b=2'])
  expect(crossed.get('x-request-id')).toBe('r')
  expect(crossed.get('content-encoding')).toBe('gzip')
})

test('what came is not changed', () => {
  const headers = new Headers({ connection: 'close', host: 'a' })
  requestHeaders(headers)
  expect(headers.get('host')).toBe('a')
})
