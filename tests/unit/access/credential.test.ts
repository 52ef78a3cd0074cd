import { describe, expect, test } from 'bun:test'
import { readCredential } from '../../../src/access/credential.ts'

const read = (headers: Readonly<Record<string, string>>) => readCredential(new Headers(headers))
const base64 = (text: string) => btoa(text)

describe('Authorization', () => {
  test.each([
    ['Bearer sk-1', 'sk-1'],
    ['bearer sk-1', 'sk-1'],
    ['BEARER\t  sk-1', 'sk-1'],
    ['Bearer sk-1 and more', 'sk-1 and more'],
    ['Token sk-1', 'sk-1'],
    ['sk-1', 'sk-1'],
    [`Basic ${base64(':sk-1')}`, 'sk-1'],
    [`basic ${base64('me:sk-1')}`, 'sk-1'],
    [`Basic ${base64('me:with:colons')}`, 'with:colons'],
    [`Basic ${base64('no colon at all')}`, 'no colon at all'],
    ['Basic not*base64', 'not*base64'],
  ])('%s brings %s', (value, key) => {
    expect(read({ authorization: value })).toBe(key)
  })

  test.each(['', '   ', 'Bearer', 'bearer ', 'Basic', 'BASIC', `Basic ${base64('me:')}`, `Basic ${base64('me:  ')}`])(
    '%p brings nothing',
    (value) => {
      expect(read({ authorization: value })).toBeUndefined()
    },
  )
})

describe('the other headers', () => {
  test.each([
    [{ 'x-api-key': 'sk-1' }, 'sk-1'],
    [{ 'api-key': ' sk-1 ' }, 'sk-1'],
    [{ 'x-api-key': '', 'api-key': 'sk-2' }, 'sk-2'],
    [{ 'x-api-key': 'sk-1', 'api-key': 'sk-2' }, 'sk-1'],
    [{ authorization: 'Bearer', 'x-api-key': 'sk-1' }, 'sk-1'],
    [{ authorization: 'Bearer sk-0', 'x-api-key': 'sk-1' }, 'sk-0'],
    [{ 'sec-websocket-protocol': 'realtime, openai-insecure-api-key.sk-3' }, 'sk-3'],
    [{ 'sec-websocket-protocol': 'openai-insecure-api-key.sk-3, openai-insecure-api-key.sk-4' }, 'sk-3'],
    [{ 'api-key': 'sk-2', 'sec-websocket-protocol': 'openai-insecure-api-key.sk-3' }, 'sk-2'],
  ])('of %j the key is %s', (headers, key) => {
    expect(read(headers as Record<string, string>)).toBe(key)
  })

  test.each([
    [{}],
    [{ 'x-api-key': '  ' }],
    [{ 'sec-websocket-protocol': 'realtime' }],
    [{ 'sec-websocket-protocol': 'openai-insecure-api-key.' }],
    [{ cookie: 'token=sk-1' }],
    [{ 'proxy-authorization': 'Bearer sk-1' }],
  ])('%j brings none', (headers) => {
    expect(read(headers as Record<string, string>)).toBeUndefined()
  })
})
