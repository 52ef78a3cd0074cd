import { describe, expect, test } from 'bun:test'
import { describeRequest } from '../../../src/cassettes/describe-request.ts'
import { createScrub } from '../../../src/cassettes/scrub.ts'
import { asked, sha256, utf8 } from './memory-recorder.ts'

const SECRET = 'the-key-of-the-server'
const described = (request: Parameters<typeof describeRequest>[0]) =>
  describeRequest(request, createScrub([SECRET]), sha256)

describe('a request is kept', () => {
  test('with its method, path, query and a few headers', async () => {
    const headers = new Headers({
      accept: 'application/json',
      'content-type': 'application/json',
      'openai-beta': 'assistants=v2',
      'user-agent': 'curl',
      authorization: `Bearer ${SECRET}`,
      'x-api-key': 'x',
      cookie: 'a=b',
      'openai-organization': 'org',
    })
    expect(await described(asked({ a: 1 }, { target: '/v1/models?limit=2&a', headers }))).toEqual({
      method: 'POST',
      path: '/v1/models',
      query: 'limit=2&a',
      headers: { accept: 'application/json', 'content-type': 'application/json', 'openai-beta': 'assistants=v2' },
      body: { json: { a: 1 } },
    })
  })

  test('without a body where it has none', async () => {
    const headers = new Headers()
    expect(await described(asked(0, { method: 'GET', target: '/v1/models', headers, body: utf8('') }))).toEqual({
      method: 'GET',
      path: '/v1/models',
      headers: {},
    })
  })

  test('without secrets in its path, query and body, and without a header that has one', async () => {
    const headers = new Headers({ accept: `text/${SECRET}`, 'content-type': 'application/json' })
    const target = `/v1/files/${SECRET}?a=the%2Dkey-of-the-server`
    expect(await described(asked({ text: `say ${SECRET}` }, { target, headers }))).toEqual({
      method: 'POST',
      path: '/v1/files/********',
      query: 'a=********',
      headers: { 'content-type': 'application/json' },
      body: { json: { text: 'say ********' } },
    })
  })

  test('without the values of parameters that are keys', async () => {
    const target = '/v1/models?key=a&api-key=b&access_token=c&sig=d&monkey=e&token&max_tokens=f'
    const { query } = await described(asked(0, { target }))
    expect(query).toBe('key=********&api-key=********&access_token=********&sig=********&monkey=e&token&max_tokens=f')
  })

  test('as JSON with its numbers as written', async () => {
    const { body } = await described(asked(0, { body: utf8('{"seed": 9007199254740993, "top_p": 1.0}') }))
    expect(JSON.stringify(body)).toBe('{"json":{"seed":9007199254740993,"top_p":1.0}}')
  })

  test('as text where JSON would lose something, and as base64 where it is no text', async () => {
    expect((await described(asked(0, { body: utf8('{"a":1,"a":2}') }))).body).toEqual({ text: '{"a":1,"a":2}' })
    expect((await described(asked(0, { body: utf8('a=b') }))).body).toEqual({ text: 'a=b' })
    expect((await described(asked(0, { body: new Uint8Array([255, 1]) }))).body).toEqual({ base64: '/wE=' })
  })

  test('decoded, whatever its Content-Encoding', async () => {
    for (const [coding, body] of [
      ['gzip', Bun.gzipSync(utf8('{"a":1}'))],
      ['zstd', Bun.zstdCompressSync(utf8('{"a":1}'))],
      ['identity', utf8('{"a":1}')],
    ] as const) {
      const headers = new Headers({ 'content-encoding': coding })
      expect((await described(asked(0, { headers, body }))).body).toEqual({ json: { a: 1 } })
    }
  })

  test('by its hash alone where nobody can decode it', async () => {
    const body = utf8(SECRET)
    const part = { name: 'body', sha256: Buffer.from(sha256(body)).toString('hex'), bytes: body.byteLength }
    for (const coding of ['gzip', 'aes128gcm']) {
      const headers = new Headers({ 'content-encoding': coding })
      expect((await described(asked(0, { headers, body }))).body).toEqual({ parts: [part] })
    }
  })
})

describe('a form is kept', () => {
  const form = (boundary: string, content: string | Uint8Array) => {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nsay ${SECRET}\r\n--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${SECRET}.wav"\r\n\r\n`
    const body = Buffer.concat([
      Buffer.from(head),
      Buffer.from(content as string),
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ])
    const headers = new Headers({ 'content-type': `multipart/form-data; boundary=${boundary}` })
    return described(asked(0, { target: '/v1/audio/transcriptions', headers, body }))
  }

  test('as the texts of its fields, and names and hashes of its files, without the boundary', async () => {
    const { headers, body } = await form('abc', 'content')
    const hash = Buffer.from(sha256(utf8('content'))).toString('hex')
    expect(headers).toEqual({ 'content-type': 'multipart/form-data' })
    expect(body?.parts).toEqual([
      { name: 'prompt', text: 'say ********' },
      { name: 'file', filename: '********.wav', sha256: hash, bytes: 7 },
    ])
    expect(await form('another', 'content')).toEqual(await form('abc', 'content'))
  })

  test('with the same hash for files that differ by their secret only in stars', async () => {
    const clean = await form('abc', 'a ******** b')
    expect(await form('abc', `a ${SECRET} b`)).toEqual(clean)
  })

  test('with a hash for a field that is no text', async () => {
    const body = Buffer.from('--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--x--', 'latin1')
    const headers = new Headers({ 'content-type': 'multipart/form-data; boundary=x' })
    const { parts } = (await described(asked(0, { headers, body }))).body ?? {}
    expect(parts).toEqual([{ name: 'a', sha256: expect.stringMatching(/^[0-9a-f]{64}$/), bytes: 1 }])
  })
})

test.each([
  ...['key', 'apikey', 'apiKey', 'accesstoken', '%6Bey', '%256Bey', 'auth', 'clientSecret', 'X-Amz-Signature', 'sig'],
])('the value of the parameter %s is no part of a cassette, however short it is', async (name) => {
  const { query } = await described(asked({}, { target: `/v1/files?limit=2&${name}=short&order=asc` }))
  expect(query).toBe(`limit=2&${name}=********&order=asc`)
})

test('nor is what a form has under such a name, in either kind of form', async () => {
  const headers = new Headers({ 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' })
  const urlEncoded = await described(asked({}, { headers, body: utf8('model=m&api%5Fkey=short&token=a%20b') }))
  expect(urlEncoded.body).toEqual({ text: 'model=m&api%5Fkey=********&token=********' })
  const part = (name: string, text: string): string =>
    `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`
  const multipart = new Headers({ 'content-type': 'multipart/form-data; boundary=x' })
  const body = utf8(`${part('model', 'm')}${part('API_KEY', 'short')}${part('prompt', '{"password":"pw"}')}--x--`)
  expect((await described(asked({}, { headers: multipart, body }))).body).toEqual({
    parts: [
      { name: 'model', text: 'm' },
      { name: 'API_KEY', text: '********' },
      { name: 'prompt', text: '{"password":"********"}' },
    ],
  })
})

test('nor is what JSON has under such a name, though it may not be what it seems', async () => {
  const body = {
    tools: [{ type: 'mcp', server_url: 'https://x', authorization: 'short', headers: { 'X-A': 'b' } }],
    filters: { type: 'eq', key: 'region', value: 'us' },
  }
  expect((await described(asked(body))).body?.json as unknown).toEqual({
    ...body,
    tools: [{ ...body.tools[0], authorization: '********', headers: { 'X-A': '********' } }],
  })
})

test('what is good for once or for a function is a secret in a query, and an ordinary word by that name is none', async () => {
  const target = '/v1/files?code=h7Kq2mX9pLw4Rt8z&sas=a1B2c3D4e5F6g7H8&otp=x&code=invalid_request'
  const { query } = await described(asked({}, { target }))
  expect(query).toBe('code=********&sas=********&otp=x&code=invalid_request')
})
