import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { gzipSync } from 'node:zlib'
import { getText, openRawClient, postText, type RawResponse, sendRaw } from '../helpers/raw-client.ts'
import { statusAndCode } from '../helpers/received-answers.ts'
import { lastRequest } from '../helpers/received-requests.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const KEY = { Authorization: 'Bearer sk-mine' }
const JSON_MAX = 64 * 1024
const UPLOAD_MAX = 128 * 1024

let gateway: TestGateway<'openai'>

beforeAll(async () => {
  gateway = await startGateway({
    upstreams: { openai: answerOk },
    env: {
      MAX_JSON_BYTES: String(JSON_MAX),
      MAX_UPLOAD_BYTES: String(UPLOAD_MAX),
      MAX_IN_FLIGHT: '2',
      OPENAI_MODEL: 'the-default',
    },
  })
})

beforeEach(() => gateway.upstreams.openai.play(answerOk))

afterAll(() => gateway.stop())

function chatOf(bytes: number): string {
  const empty = '{"model":"m","messages":[{"role":"user","content":""}]}'
  return empty.replace('""', `"${'x'.repeat(bytes - empty.length)}"`)
}

function post(target: string, body: Uint8Array, headers: Readonly<Record<string, string>> = {}): Buffer {
  const head = getText(target, { ...KEY, ...headers, 'Content-Length': String(body.byteLength) }, 'POST')
  return Buffer.concat([Buffer.from(head), body])
}

/** Sends a chunked body without end, until the answer is there. */
async function pour(target: string, chunk: string): Promise<RawResponse> {
  const client = await openRawClient(gateway.port)
  client.write(getText(target, { ...KEY, 'Transfer-Encoding': 'chunked' }, 'POST'))
  const framed = `${chunk.length.toString(16)}\r\n${chunk}\r\n`
  const timer = setInterval(() => client.write(framed), 1)
  const answer = await client.response()
  clearInterval(timer)
  client.leave()
  return answer
}

/** Resolves when as many requests are taken in again as at first. */
async function expectAllFree(): Promise<void> {
  const answers = await Promise.all([1, 2].map(() => sendRaw(gateway.port, getText('/v1/models', KEY))))
  expect(answers.map(({ status }) => status)).toEqual([200, 200])
}

test('a JSON body of MAX_JSON_BYTES is served, one byte more is 413', async () => {
  expect((await sendRaw(gateway.port, postText('/v1/chat/completions', chatOf(JSON_MAX), KEY))).status).toBe(200)
  const before = gateway.upstreams.openai.requests.length
  for (const target of ['/v1/chat/completions', '/chat/completions', '/v1/completions']) {
    const answer = await sendRaw(gateway.port, postText(target, chatOf(JSON_MAX + 1), KEY))
    expect([answer.status, answer.json()]).toEqual([
      413,
      {
        error: {
          message: `Maximum content size limit (${JSON_MAX}) exceeded.`,
          type: 'invalid_request_error',
          param: null,
          code: 'request_too_large',
        },
      },
    ])
  }
  expect(gateway.upstreams.openai.requests).toHaveLength(before)
})

test('a body that is declared too long is refused before any of it is sent', async () => {
  const before = gateway.upstreams.openai.requests.length
  for (const [target, length] of [
    ['/v1/chat/completions', JSON_MAX + 1],
    ['/v1/completions', 99_999_999_999_999],
    ['/v1/files', UPLOAD_MAX + 1],
    ['/v1/embeddings', 99_999_999_999_999],
  ] as const) {
    const headers = { ...KEY, 'Content-Length': String(length), 'Content-Type': 'application/json' }
    const client = await openRawClient(gateway.port)
    client.write(getText(target, headers, 'POST'))
    expect(statusAndCode(await client.response())).toBe('413 request_too_large')
    client.leave()
  }
  expect(gateway.upstreams.openai.requests).toHaveLength(before)
})

test('a chunked JSON body is refused where it exceeds MAX_JSON_BYTES', async () => {
  const before = gateway.upstreams.openai.requests.length
  expect(statusAndCode(await pour('/v1/chat/completions', ' '.repeat(8192)))).toBe('413 request_too_large')
  expect(gateway.upstreams.openai.requests).toHaveLength(before)
})

test('an upload of MAX_UPLOAD_BYTES passes, by length and chunked', async () => {
  const body = Buffer.alloc(UPLOAD_MAX, 7)
  expect((await sendRaw(gateway.port, post('/v1/files', body))).status).toBe(200)
  expect((await lastRequest(gateway.upstreams.openai).body).byteLength).toBe(UPLOAD_MAX)
  const client = await openRawClient(gateway.port)
  client.write(getText('/v1/files', { ...KEY, 'Transfer-Encoding': 'chunked' }, 'POST'))
  client.write(`${UPLOAD_MAX.toString(16)}\r\n`)
  client.write(body)
  client.write('\r\n0\r\n\r\n')
  expect((await client.response()).status).toBe(200)
  client.leave()
  expect((await lastRequest(gateway.upstreams.openai).body).byteLength).toBe(UPLOAD_MAX)
})

test('a chunked upload is refused where it exceeds MAX_UPLOAD_BYTES, and is never complete upstream', async () => {
  const before = gateway.upstreams.openai.requests.length
  expect(statusAndCode(await pour('/v1/files', 'x'.repeat(8192)))).toBe('413 request_too_large')
  const request = await gateway.upstreams.openai.request(before + 1)
  const outcome = await request.body.then(
    () => 'complete',
    () => 'broken',
  )
  expect(outcome).toBe('broken')
})

const CODINGS = {
  gzip: (bytes: Uint8Array<ArrayBuffer>) => Bun.gzipSync(bytes),
  'x-gzip': (bytes: Uint8Array<ArrayBuffer>) => Bun.gzipSync(bytes),
  GZIP: (bytes: Uint8Array<ArrayBuffer>) => Bun.gzipSync(bytes),
  zstd: (bytes: Uint8Array<ArrayBuffer>) => Bun.zstdCompressSync(bytes),
} as const

test('a body with a Content-Encoding is checked decoded and forwarded as the very bytes received', async () => {
  for (const [coding, encode] of Object.entries(CODINGS)) {
    const packed = encode(new TextEncoder().encode(chatOf(100)))
    const answer = await sendRaw(gateway.port, post('/v1/chat/completions', packed, { 'Content-Encoding': coding }))
    expect([coding, answer.status]).toEqual([coding, 200])
    const request = lastRequest(gateway.upstreams.openai)
    expect(request.header('content-encoding')).toBe(coding)
    expect(Buffer.from(await request.body).equals(packed)).toBe(true)
    const wrong = encode(new TextEncoder().encode('["model"]'))
    const refused = await sendRaw(gateway.port, post('/v1/chat/completions', wrong, { 'Content-Encoding': coding }))
    expect(statusAndCode(refused)).toBe('400 null')
  }
})

test('an encoded body that names no model goes on decoded, with the model put in', async () => {
  const text = '{"messages":[{"role":"user","content":"hi"}]}'
  const packed = Bun.gzipSync(new TextEncoder().encode(text))
  await sendRaw(gateway.port, post('/v1/chat/completions', packed, { 'Content-Encoding': 'gzip' }))
  const request = lastRequest(gateway.upstreams.openai)
  expect(request.header('content-encoding')).toBeUndefined()
  expect(Buffer.from(await request.body).toString()).toBe(`{"model":"the-default",${text.slice(1)}`)
})

test('an encoding that is unknown, or not what it says, is refused', async () => {
  const packed = Buffer.from(Bun.gzipSync(new TextEncoder().encode(chatOf(100))))
  const cases: Record<string, readonly [coding: string, body: Uint8Array]> = {
    unknown: ['lzma', packed],
    two: ['gzip, gzip', packed],
    'not gzip at all': ['gzip', Buffer.from(chatOf(100))],
    'cut off': ['gzip', packed.subarray(0, packed.byteLength - 12)],
    'with a wrong checksum': [
      'gzip',
      Buffer.from(packed.map((byte, at) => (at === packed.length - 8 ? byte ^ 1 : byte))),
    ],
    empty: ['gzip', Buffer.alloc(0)],
  }
  const before = gateway.upstreams.openai.requests.length
  for (const [label, [coding, body]] of Object.entries(cases)) {
    const answer = await sendRaw(gateway.port, post('/v1/chat/completions', body, { 'Content-Encoding': coding }))
    expect([label, answer.status]).toEqual([label, 400])
  }
  expect(gateway.upstreams.openai.requests).toHaveLength(before)
})

test('a bomb is refused where it exceeds MAX_JSON_BYTES', async () => {
  const spaces = Buffer.alloc(32 * 1024 * 1024, ' ')
  const bombs = { gzip: gzipSync(spaces), zstd: Bun.zstdCompressSync(spaces) }
  const before = gateway.upstreams.openai.requests.length
  for (const [coding, bomb] of Object.entries(bombs)) {
    expect(bomb.byteLength).toBeLessThan(JSON_MAX)
    const answer = await sendRaw(gateway.port, post('/v1/chat/completions', bomb, { 'Content-Encoding': coding }))
    expect([coding, statusAndCode(answer)]).toEqual([coding, '413 request_too_large'])
  }
  expect(gateway.upstreams.openai.requests).toHaveLength(before)
})

test('more than MAX_IN_FLIGHT requests at once are answered 503 with Retry-After, and a place is free again at the end', async () => {
  const hold = Promise.withResolvers<void>()
  const before = gateway.upstreams.openai.requests.length
  gateway.upstreams.openai.play(async (request, { json }) => {
    await request.body
    await hold.promise
    json({ ok: true })
  })
  const held = [getText('/v1/models', KEY), postText('/v1/chat/completions', chatOf(100), KEY)].map((bytes) =>
    sendRaw(gateway.port, bytes),
  )
  await gateway.upstreams.openai.request(before + 2)
  for (const bytes of [getText('/v1/models', KEY), postText('/v1/chat/completions', chatOf(100), KEY)]) {
    const refused = await sendRaw(gateway.port, bytes)
    expect(statusAndCode(refused)).toBe('503 overloaded')
    expect(refused.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
  }
  expect(gateway.upstreams.openai.requests).toHaveLength(before + 2)
  hold.resolve()
  expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200])
  await expectAllFree()
})

test('a refused caller takes no place: the door comes before the count', async () => {
  const hold = Promise.withResolvers<void>()
  const guarded = await startGateway({
    env: { REQUIRE_AUTH: 'true', API_TOKEN: 'token-one-0123456789abcdef', MAX_IN_FLIGHT: '1' },
    upstreams: {
      openai: async (_request, { json }) => {
        await hold.promise
        json({ ok: true })
      },
    },
  })
  try {
    const held = sendRaw(guarded.port, getText('/v1/models', { 'x-api-key': 'token-one-0123456789abcdef' }))
    await guarded.upstreams.openai.request(1)
    expect((await sendRaw(guarded.port, getText('/v1/models'))).status).toBe(401)
    hold.resolve()
    expect((await held).status).toBe(200)
  } finally {
    await guarded.stop()
  }
})

test('a place is free again however the request ended: refused, broken, or the client left', async () => {
  const gone = async (line: (status: unknown) => boolean, leave: () => Promise<void>): Promise<void> => {
    const seen = gateway.lines.length
    await leave()
    await gateway.line((entry) => gateway.lines.indexOf(entry) >= seen && line(entry['status']))
  }
  for (let round = 0; round < 2; round += 1) {
    await sendRaw(gateway.port, postText('/v1/chat/completions', '{', KEY))
    await sendRaw(gateway.port, postText('/v1/chat/completions', chatOf(JSON_MAX + 1), KEY))
    gateway.upstreams.openai.play((_request, { reset }) => reset())
    expect((await sendRaw(gateway.port, postText('/v1/embeddings', '{}', KEY))).status).toBe(502)
    gateway.upstreams.openai.play(() => undefined)
    for (const bytes of [
      getText('/v1/models', KEY),
      postText('/v1/chat/completions', chatOf(100), KEY),
      getText('/v1/chat/completions', { ...KEY, 'Content-Length': '100' }, 'POST'),
      `${getText('/v1/files', { ...KEY, 'Content-Length': '100' }, 'POST')}part`,
    ]) {
      await gone(
        (status) => status === 499,
        async () => {
          const client = await openRawClient(gateway.port)
          client.write(bytes)
          await new Promise((resolve) => void setTimeout(resolve, 20))
          client.leave()
        },
      )
    }
  }
  gateway.upstreams.openai.play(answerOk)
  await expectAllFree()
})
