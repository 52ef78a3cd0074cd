import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import {
  brotliCompressSync,
  constants,
  createGzip,
  deflateRawSync,
  deflateSync,
  gunzipSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib'
import { CHAT, CHAT_STREAM, OWN_KEY } from '../helpers/send-request.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { byHand, SSE } from '../helpers/upstream-scripts.ts'

const KEY = 'sk-server-own-0123456789'
const STARS = '*'.repeat(KEY.length)
/** A key that is a word, as local servers are given one. */
const WORD = 'ollama'
const JSON_TYPE = { 'content-type': 'application/json' } as const
/** A program on this machine without a key: it spends the server's. */
const NO_KEY = {}

let gateway: TestGateway<'openai'>
let wordGateway: TestGateway<'openai'>

beforeAll(async () => {
  gateway = await startGateway({ upstreams: { openai: byHand }, env: { OPENAI_API_KEY: KEY } })
  wordGateway = await startGateway({ upstreams: { openai: byHand }, env: { OPENAI_API_KEY: WORD } })
})

afterAll(async () => {
  await gateway.stop()
  await wordGateway.stop()
})

const FIRST = 'data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n'

/** Streams in which something reports a failure, with a secret in it. */
const streamsWith = (secret: string): Readonly<Record<string, string>> => ({
  'an error': `data: {"error":{"message":"bad key ${secret}","code":401}}\n\n`,
  'an event named error': `${FIRST}event: error\ndata: {"message":"Bearer ${secret}"}\n\n`,
  'a failed response': `event: response.failed\ndata: {"type":"response.failed","response":{"status":"failed","error":{"message":"${secret}"}}}\n\n`,
  'the error of a choice': `${FIRST}data: {"choices":[{"index":0,"delta":{},"error":{"message":"${secret}"},"finish_reason":"error"}]}\n\n`,
  'an error behind a CR LF': `${FIRST}data: {"error":"${secret}"}\r\n\r\n`,
  'an error that nothing ends': `${FIRST}data: {"error":"${secret}"}`,
})

/** Answers a call with a stream, in pieces of so many bytes, and gives the body that the caller got. */
async function streamed(
  from: TestGateway<'openai'>,
  text: string,
  bytes: number,
  more: Readonly<Record<string, string>> = {},
) {
  const { client } = await from.send({ body: CHAT_STREAM, headers: NO_KEY })
  const { connection } = await from.upstreams.openai.arrival()
  connection.startChunked(200, { ...SSE, ...more })
  const all = Buffer.from(text)
  for (let at = 0; at < all.byteLength; at += bytes) {
    connection.chunk(all.subarray(at, at + bytes))
    await new Promise((resolve) => setImmediate(resolve))
  }
  connection.endChunks()
  return await client.response()
}

describe.each(Object.entries(streamsWith(KEY)))("the server's key in a stream with %s", (_what, text) => {
  test.each([1, 7, 1000])('gives way to stars, with every other byte as it came, in pieces of %d', async (bytes) => {
    const said = `data: {"choices":[{"index":0,"delta":{"content":"my key is ${KEY}"}}]}\n\n: ${KEY}\n\n`
    const response = await streamed(gateway, said + text, bytes)
    expect(response.status).toBe(200)
    expect(response.text()).toBe(said + text.replaceAll(KEY, STARS))
  })
})

describe.each(Object.entries(streamsWith(WORD)))('a key that is a word, in a stream with %s', (_what, text) => {
  test('gives way to stars there, and is left in what the model says', async () => {
    const said = `data: {"choices":[{"index":0,"delta":{"content":"I am ${WORD}, no error"}}]}\n\n`
    for (const bytes of [5, 1000]) {
      const response = await streamed(wordGateway, said + text, bytes)
      expect(response.text()).toBe(said + text.replaceAll(WORD, '******'))
    }
  })
})

const FORMS: Readonly<Record<string, string>> = {
  base64: Buffer.from(`Authorization: Bearer ${KEY}`).toString('base64'),
  hexadecimal: Buffer.from(KEY).toString('hex'),
  'escaped for a URL': Array.from(KEY, (one) => `%${one.charCodeAt(0).toString(16)}`).join(''),
  'escaped for JSON': Array.from(KEY, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
}

test.each(Object.entries(FORMS))('the key in %s is as little shown in a good answer', async (_form, form) => {
  for (const bytes of [1, 9, 1000]) {
    const response = await streamed(gateway, `${FIRST}data: {"error":"${form}"}\n\n`, bytes)
    const shown = response.text()
    expect(shown).toHaveLength(`${FIRST}data: {"error":"${form}"}\n\n`.length)
    expect(shown).not.toContain(form.slice(-16))
    expect(shown).toContain('****************')
  }
})

/** Asks for an answer that is not streamed. */
async function whole(
  from: TestGateway<'openai'>,
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>> = JSON_TYPE,
) {
  const { client } = await from.send({ body: CHAT, headers: NO_KEY })
  const { connection } = await from.upstreams.openai.arrival()
  connection.respond(200, headers, body)
  return await client.response()
}

test.each([
  ['an error', `{"error":{"message":"bad key ${KEY}"}}`],
  ['a text for an error', ` {"error":"${KEY}"}`],
  ['the error of a choice', `{"choices":[{"index":0,"error":{"message":"${KEY}"}}]}`],
  ['a failed response', `{"object":"response","status":"failed","error":{"message":"${KEY}"}}`],
  ["a framework's words", `{"detail":"Unknown key ${KEY}"}`],
  ["a proxy's words", `{"success":false,"errors":[{"message":"${KEY}"}]}`],
])('in JSON with a good status, %s shows no key', async (_what, text) => {
  for (const headers of [JSON_TYPE, { 'content-type': 'text/plain' }, SSE]) {
    const response = await whole(gateway, text, headers)
    expect([response.status, response.text()]).toEqual([200, text.replaceAll(KEY, STARS)])
  }
  const weak = text.replaceAll(KEY, WORD)
  expect((await whole(wordGateway, weak)).text()).toBe(weak.replaceAll(WORD, '******'))
})

test('what is no error passes as it came, whatever it repeats', async () => {
  for (const text of [
    `{"headers":{"authorization":"Bearer ${KEY}"}}`,
    `{"id":"chatcmpl-1","error":null,"choices":[{"index":0,"message":{"content":"errors like ${KEY}"}}]}`,
    `{"error":"${KEY}"`,
  ])
    expect((await whole(gateway, text)).text()).toBe(text)
})

test('a line that is an error, among others, shows no key', async () => {
  const lines = `{"message":{"content":"${KEY}"},"id":"1"}\n{"error":"${KEY}"}\n{"done":true}\n`
  const response = await whole(gateway, lines, { 'content-type': 'application/x-ndjson' })
  expect(response.text()).toBe(lines.replace(`"error":"${KEY}`, `"error":"${STARS}`))
})

const CODINGS = [
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
] as const

describe.each(CODINGS)('a good answer in %s', (coding, encode) => {
  const headers = { ...JSON_TYPE, 'content-encoding': coding }

  test('that repeats the key goes on decoded and masked where it is short', async () => {
    for (const from of [gateway, wordGateway]) {
      const text = `{"error":{"message":"bad key ${from === gateway ? KEY : WORD}"}}`
      const response = await whole(from, encode(text), headers)
      expect(response.headers.get('content-encoding')).toBeUndefined()
      expect(response.text()).toBe(text.replaceAll(KEY, STARS).replaceAll(WORD, '******'))
      expect(response.isComplete).toBe(true)
    }
  })

  test('that repeats the key in a stream breaks off before it', async () => {
    const { client, record } = await gateway.send({ body: CHAT_STREAM, headers: NO_KEY })
    const { connection } = await gateway.upstreams.openai.arrival()
    connection.startChunked(200, { ...SSE, 'content-encoding': coding })
    connection.chunk(encode(`${FIRST}data: {"error":"${KEY}"}\n\n`))
    connection.endChunks()
    const response = await client.response()
    expect(response.isComplete).toBe(false)
    expect(response.body.byteLength).toBe(0)
    expect(await record()).toMatchObject({ status: 200, outcome: 'failed', error: 'upstream_invalid_response' })
  })

  test('without the key is the bytes that came', async () => {
    const encoded = encode(`{"id":"1","said":"${'all is well. '.repeat(20)}"}`)
    const response = await whole(gateway, encoded, headers)
    expect(response.headers.get('content-encoding')).toBe(coding)
    expect(response.body.equals(encoded)).toBe(true)
    const chunked = await gateway.send({ body: CHAT_STREAM, headers: NO_KEY })
    const { connection } = await gateway.upstreams.openai.arrival()
    connection.startChunked(200, { ...SSE, 'content-encoding': coding })
    for (const byte of encoded) connection.chunk(new Uint8Array([byte]))
    connection.endChunks()
    const streamedBack = await chunked.client.response()
    expect(streamedBack.body.equals(encoded)).toBe(true)
    expect(streamedBack.isComplete).toBe(true)
  })
})

test('what is flushed in a coding passes event by event, as soon as it comes', async () => {
  const { client } = await gateway.send({ body: CHAT_STREAM, headers: NO_KEY })
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.startChunked(200, { ...SSE, 'content-encoding': 'gzip' })
  const gzip = createGzip()
  gzip.on('data', (bytes: Buffer) => connection.chunk(bytes))
  gzip.write(FIRST)
  gzip.flush(constants.Z_SYNC_FLUSH)
  await client.until((received) => received.includes(Buffer.from([0, 0, 0xff, 0xff])))
  gzip.end(`data: {"error":"${KEY}"}\n\n`)
  const response = await client.response()
  expect(response.isComplete).toBe(false)
  const shown = gunzipSync(response.body, { finishFlush: constants.Z_SYNC_FLUSH }).toString()
  expect(shown).toBe(FIRST)
})

test('gzip that no header tells of is looked into where text is said to be', async () => {
  const text = `{"error":{"message":"${KEY}"}}`
  for (const more of [{}, { 'content-encoding': '' }, { 'content-encoding': 'identity' }]) {
    const response = await whole(gateway, gzipSync(text), { ...JSON_TYPE, ...more })
    expect([response.status, response.text()]).toEqual([200, text.replaceAll(KEY, STARS)])
  }
})

test('any bytes without the key pass as they came, also such as begin like it, and as a stream is cut', async () => {
  const bytes = crypto.getRandomValues(new Uint8Array(50_000))
  const begun = Buffer.concat([bytes, Buffer.from(`${KEY.slice(0, -1)} and ${KEY.slice(0, 9)}`)])
  const { client } = await gateway.send({ method: 'GET', target: '/v1/files/f/content', headers: NO_KEY, body: null })
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.startChunked(200, { 'content-type': 'application/octet-stream' })
  for (let at = 0; at < begun.byteLength; at += 777) connection.chunk(begun.subarray(at, at + 777))
  await client.until((received) => received.length > 50_000)
  connection.reset()
  const response = await client.response()
  expect(response.isComplete).toBe(false)
  expect(response.body.equals(begun)).toBe(true)
})

test('an event with the key that never ends goes on once it is too long for an error', async () => {
  const event = `data: {"error":"${KEY} ${'long '.repeat(15_000)}`
  for (const bytes of [1000, 100_000]) {
    const response = await streamed(gateway, event, bytes)
    expect(response.text() === event).toBe(true)
  }
})

test("with a caller's own key nothing is searched: the answer is what came", async () => {
  const text = `{"said":"${KEY}"}`
  const { client } = await gateway.send({ body: CHAT, headers: OWN_KEY })
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.respond(200, JSON_TYPE, text)
  expect((await client.response()).text()).toBe(text)
})

test('a header whose name is the key goes, and what stands in trailers is not passed on', async () => {
  const { client } = await gateway.send({ body: CHAT, headers: NO_KEY })
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.write(
    `HTTP/1.1 200 OK for ${KEY}\r\n${KEY}: yes\r\nx-b64: ${FORMS['base64']}\r\nset-cookie: a=${KEY}\r\nset-cookie: b=2\r\n` +
      `content-type: text/plain\r\ntrailer: x-t\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nx-t: ${KEY}\r\n\r\n`,
  )
  const response = await client.response()
  expect(response.text()).toBe('hi')
  expect(client.received().toString('latin1').toLowerCase()).not.toContain(KEY)
  expect([...response.headers.keys()]).not.toContain(KEY)
  expect(client.received().toString('latin1')).toContain('set-cookie: b=2')
})
