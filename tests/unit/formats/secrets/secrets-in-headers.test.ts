import { expect, test } from 'bun:test'
import { secretsOf } from '../../../../src/formats/secrets/secrets-in-headers.ts'

const from = (headers: Record<string, string>): string[] => secretsOf(new Headers(headers))

test('a bearer key is a secret, with and without its scheme', () => {
  expect(from({ authorization: 'Bearer key-of-somebody' })).toEqual(['Bearer key-of-somebody', 'key-of-somebody'])
  expect(from({ authorization: 'key-of-somebody' })).toEqual(['key-of-somebody'])
})

test('so are the password of a basic one, the pair, and how they are written', () => {
  const encoded = btoa('somebody:the-password')
  const found = from({ authorization: `Basic ${encoded}` })
  expect(found).toEqual([`Basic ${encoded}`, encoded, 'somebody:the-password', 'the-password'])
  expect(from({ authorization: 'Basic not~base64' })).toEqual(['Basic not~base64', 'not~base64'])
})

test('so are the keys in other headers, and whatever a name tells of', () => {
  const headers = {
    'x-api-key': 'value-0001',
    'api-key': 'value-0002',
    'proxy-authorization': 'value-0003',
    'x-goog-api-key': 'value-0006',
    'x-amz-security-token': 'value-0007',
    'x-my-secret': 'value-0008',
    'x-signature': 'value-0009',
  }
  expect(from(headers).toSorted()).toEqual(Object.values(headers))
  expect(
    from({
      accept: 'application/json',
      'user-agent': 'something-long',
      'openai-beta': 'assistants=v2',
      'openai-organization': 'a-long-name',
    }),
  ).toEqual([])
})

test('so is each cookie’s value, in a request and in an answer', () => {
  expect(from({ cookie: 'a=session-of-a; b=short; c=session=of-c' })).toEqual(['session-of-a', 'session=of-c'])
  expect(from({ 'set-cookie': 'id=session-of-a; Path=/' })).toEqual(['session-of-a'])
})

test('so is the key in the realtime API’s subprotocol', () => {
  const protocols = 'realtime, openai-insecure-api-key.key-of-a-page, openai-beta.realtime-v1'
  expect(from({ 'sec-websocket-protocol': protocols })).toEqual(['key-of-a-page'])
})

test('what is shorter than eight characters is none', () => {
  expect(from({ authorization: 'Bearer test', 'x-api-key': '1234567' })).toEqual(['Bearer test'])
  expect(from({ 'x-api-key': '12345678' })).toEqual(['12345678'])
})
