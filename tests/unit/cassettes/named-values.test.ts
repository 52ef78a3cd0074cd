import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { madeKeys, namedSecrets } from '../../../src/cassettes/named-secrets.ts'
import { secretPlaces } from '../../../src/cassettes/named-values.ts'
import { cpuMs } from '../../helpers/cpu-time.ts'
import { utf8 } from './memory-recorder.ts'

const VALUE = 'Zq9w7Rk2w7Rk2w7Rk2w7'

/** A text with its secrets taken out. */
function withoutSecrets(text: string): string {
  let left = ''
  let at = 0
  for (const { start, end } of secretPlaces(text)) {
    left += `${text.slice(at, start)}<>`
    at = end
  }
  return left + text.slice(at)
}

/** A value of JSON with the secret as deep in strings of JSON as is asked for. */
function nested(value: unknown, depth: number): string {
  const text = JSON.stringify(value)
  return depth === 0 ? text : nested({ arguments: text }, depth - 1)
}

describe('a secret is found by the name beside it', () => {
  test.each([
    ['a member', `{"a":1,"api_key":"${VALUE}"}`],
    ['a member deep inside', `{"a":[{"b":{"clientSecret" : "${VALUE}"}}]}`],
    ['an escaped name', `{"\\u0061pi_\\u006bey":"${VALUE}"}`],
    ['a percent-encoded name', `{"api%5Fkey":"${VALUE}"}`],
    ['a name that is there twice, which no parser reads', `{"api_key":"a","api_key":"${VALUE}"}`],
    ['a member of an object that is cut', `{"messages":[{"password":"${VALUE}"`],
    ['a list', `{"api_keys":["${VALUE}", "${VALUE}"]}`],
    ['an object with a value', `{"client_secret":{"expires_at":"x","value":"${VALUE}"}}`],
    ['an event', `data: {"access_token":"${VALUE}"}\n\n`],
    ["an MCP tool's authorization", `{"tools":[{"type":"mcp","server_url":"https://x","authorization":"${VALUE}"}]}`],
    [
      "an MCP tool's headers",
      `{"tools":[{"server_label":"x","headers":{"Accept":"*/*","X-Whatever":"short one","b":"${VALUE}"}}]}`,
    ],
    ['a name beside a value', `{"headers":[{"name":"Authorization","value":"${VALUE}"}]}`],
    ['a value beside a name', `{"variables":[{"value": "${VALUE}", "name": "API_KEY"}]}`],
    ['a pair in a string', JSON.stringify({ a: `{"key":"x-api-key", "value":"${VALUE}"}` })],
    ['lists of a name and a value', `{"headers":[["Accept","*/*"],["Authorization","${VALUE}"]]}`],
    ['variables', `{"command":"x","env":{"LEVEL":"info","WHATEVER":"${VALUE}"}}`],
    ['a connection string', `{"connection_string":"${VALUE}"}`],
    ['a code in a URL', `/api/f?code=${VALUE}&x=1`],
    ['a password in a URL within a URL', `/v1/x?next=https%3A%2F%2Fuser%3A${VALUE}%40b.test`],
    ['a presigned URL', `{"url":"https://b.s3.test/o?X-Amz-Expires=60&X-Amz-Signature=${VALUE}&x=1"}`],
    ['a presigned URL, escaped', `{"url":"https:\\/\\/b.test\\/o?a=1\\u0026sig=${VALUE}"}`],
    ['a URL within a URL', `/v1/x?next=https%3A%2F%2Fb.test%2Fo%3Fsig%3D${VALUE}`],
    ['a password in a URL', `redis://user:${VALUE}@host:6379/0`],
    ['a header in prose', `curl -H "x-api-key: ${VALUE}" https://x`],
    ['a credential in prose', `curl -H 'Authorization: Bearer ${VALUE}' https://x`],
    ['a variable in prose', `export OPENAI_API_KEY="${VALUE}"`],
    ['a private key', `-----BEGIN RSA PRIVATE KEY-----\n${VALUE}\n${VALUE}\n-----END RSA PRIVATE KEY-----`],
  ])('%s', (_where, text) => {
    expect(withoutSecrets(text)).not.toContain(VALUE)
    expect(withoutSecrets(text)).not.toContain('short one')
    expect(withoutSecrets(text)).toContain('<>')
  })

  test('in JSON within strings of JSON, however deep, and whatever it has in it', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 12 }), fc.nat({ max: 3 }), (value, depth) => {
        const text = nested({ before: value, password: value, behind: [value] }, depth)
        const left = withoutSecrets(text)
        expect(left).toBe(nested({ before: value, password: '<>', behind: [value] }, depth))
      }),
    )
  })
})

test.each([
  '{"filters":{"type":"eq","key":"region","value":"us"}}',
  '{"logprobs":{"content":[{"token":"Hello","logprob":-0.1}]},"tokens":["a","b"],"max_tokens":5}',
  '{"tools":[{"type":"function","function":{"parameters":{"properties":{"api_key":{"type":"string"},"headers":{"type":"object"}}}}}]}',
  '{"messages":[{"role":"user","content":"sorted(items, key=len); a && key == b; token: next"}]}',
  '{"prompt_cache_key":"session-0123456789","author":"somebody","signature":"abcdefghij0123456789"}',
  'https://x.test/path?limit=20&after=file-0123456789abcdef#key',
])('what is no secret stays: %s', (text) => expect(secretPlaces(text)).toEqual([]))

test('a text without an end to its strings takes time in proportion to its length', () => {
  const text = '{"api_key":"'.repeat(50_000)
  const begin = cpuMs()
  secretPlaces(text)
  expect(cpuMs() - begin).toBeLessThan(10_000)
})

test('a key that OpenAI makes is found, though its name says nothing', () => {
  const body = utf8('{"value": "Zq9w7Rk2w7Rk2w7", "expires_at": 1, "session": {"model": "m"}}')
  expect(madeKeys('/v1/realtime/client_secrets?x=1', body)).toEqual(['Zq9w7Rk2w7Rk2w7'])
  expect(madeKeys('/v1/chat/completions', body)).toEqual([])
})

test('what a name tells is found again elsewhere: as it was before it was escaped', async () => {
  const json = new Headers({ 'content-type': 'application/json' })
  expect(await namedSecrets({ headers: json, body: utf8('{"api_key":"abc\\u002ddefgh1"}') })).toContain('abc-defgh1')
  const nothing = { headers: new Headers(), body: utf8('') }
  expect(await namedSecrets(nothing, 'a=1&api%5fkey=abc%2Ddefgh1')).toEqual(['abc-defgh1'])
  const form = new Headers({ 'content-type': 'application/x-www-form-urlencoded' })
  expect(await namedSecrets({ headers: form, body: utf8('model=m&client_secret=abc%2Ddefgh1') })).toContain(
    'abc-defgh1',
  )
  const gzipped = {
    headers: new Headers({ 'content-encoding': 'gzip' }),
    body: Bun.gzipSync('{"password":"abcdefgh1"}'),
  }
  expect(await namedSecrets(gzipped)).toEqual(['abcdefgh1'])
  // A word would be starred wherever it stands.
  expect(await namedSecrets({ headers: json, body: utf8('{"password":"password"}') })).toEqual([])
})
