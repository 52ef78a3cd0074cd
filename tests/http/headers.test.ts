import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { getText, openRawClient, postText, sendRaw } from '../helpers/raw-client.ts'
import { lastRequest } from '../helpers/received-requests.ts'
import type { ReceivedRequest } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const KEY = { Authorization: 'Bearer sk-mine' }
const CHAT = '{"model":"m","messages":[{"role":"user","content":"hi"}]}'

let gateway: TestGateway<'openai'>

beforeAll(async () => {
  gateway = await startGateway({ upstreams: { openai: answerOk } })
})

beforeEach(() => gateway.upstreams.openai.play(answerOk))

afterAll(() => gateway.stop())

/** The names of all headers but Connection, which is of the gateway's own hop. */
function namesOf({ headerLines }: ReceivedRequest): string[] {
  const names = headerLines.map(([name]) => name.toLowerCase())
  return names.filter((name) => name !== 'connection').sort()
}

/** Answers with a head exactly as given. */
function playHead(...lines: readonly string[]): void {
  gateway.upstreams.openai.play(async (request, { write }) => {
    await request.body
    write(Buffer.from(['HTTP/1.1 200 OK', ...lines, 'content-length: 2', '', '{}'].join('\r\n'), 'latin1'))
  })
}

/** The answer's head, line by line, as it stood on the wire. */
async function headLines(request: string): Promise<string[]> {
  const client = await openRawClient(gateway.port)
  client.write(request)
  const received = await client.until((bytes) => bytes.includes('\r\n\r\n'))
  client.leave()
  return received.subarray(0, received.indexOf('\r\n\r\n')).toString('latin1').split('\r\n')
}

test('the hop-by-hop headers of a request, and those named by Connection, do not reach the upstream', async () => {
  const hop = {
    Connection: 'keep-alive, X-Named, x-also-named , , "odd" ;',
    'X-Named': 'a',
    'X-ALSO-NAMED': 'b',
    'Keep-Alive': 'timeout=5',
    'Proxy-Connection': 'keep-alive',
    'Proxy-Authenticate': 'Basic',
    'Proxy-Authorization': 'Basic YTpi',
    TE: 'trailers, deflate',
    Trailer: 'X-Trailer',
    'X-Kept': 'c',
  }
  await sendRaw(gateway.port, postText('/v1/chat/completions', CHAT, { ...KEY, ...hop }))
  const request = lastRequest(gateway.upstreams.openai)
  expect(namesOf(request)).toEqual(
    ['accept', 'authorization', 'content-length', 'content-type', 'host', 'user-agent', 'x-kept'].sort(),
  )
  expect(request.header('connection')).toBe('keep-alive')
})

test('the hop-by-hop headers of an answer, and those named by Connection, do not reach the client', async () => {
  playHead(
    'Connection: keep-alive, X-Named',
    'X-Named: a',
    'Keep-Alive: timeout=1234',
    'Proxy-Authenticate: Basic',
    'Proxy-Connection: keep-alive',
    'Trailer: X-Trailer',
    'Upgrade: h2c',
    'X-Kept: b',
  )
  const answer = await sendRaw(gateway.port, getText('/v1/models', KEY))
  expect(answer.headers.get('x-kept')).toBe('b')
  for (const name of ['x-named', 'proxy-authenticate', 'proxy-connection', 'trailer', 'upgrade']) {
    expect(answer.headers.has(name)).toBe(false)
  }
  expect(answer.headers.get('keep-alive')).not.toBe('timeout=1234')
})

test('Connection: close of either side is no business of the other', async () => {
  await sendRaw(gateway.port, postText('/v1/embeddings', '{}', { ...KEY, Connection: 'close' }))
  expect(lastRequest(gateway.upstreams.openai).header('connection')).not.toBe('close')
  playHead('Connection: close')
  const client = await openRawClient(gateway.port)
  client.write(getText('/v1/models', KEY))
  await client.response()
  client.write(getText('/health'))
  await client.until((bytes) => bytes.includes('{"status":"ok"}'))
  client.leave()
})

test('a hostile Connection header breaks neither the framing nor the body', async () => {
  for (const named of ['content-length', 'transfer-encoding, content-type', 'host', 'accept, user-agent']) {
    for (const target of ['/v1/chat/completions', '/v1/uploads']) {
      const answer = await sendRaw(gateway.port, postText(target, CHAT, { ...KEY, Connection: named }))
      expect(answer.status).toBe(200)
      const request = lastRequest(gateway.upstreams.openai)
      expect(Buffer.from(await request.body).toString()).toBe(CHAT)
      expect(request.header('host')).toBe(`127.0.0.1:${gateway.upstreams.openai.port}`)
    }
  }
})

test('an upgrade that is not known is ignored, and the request served with its body', async () => {
  const upgrade = { ...KEY, Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABkAAQ' }
  for (const [bytes, body] of [
    [getText('/v1/models', upgrade), ''],
    [postText('/v1/chat/completions', CHAT, upgrade), CHAT],
    [postText('/v1/embeddings', CHAT, upgrade), CHAT],
  ] as const) {
    expect((await sendRaw(gateway.port, bytes)).status).toBe(200)
    const request = lastRequest(gateway.upstreams.openai)
    expect(namesOf(request)).not.toContain('http2-settings')
    expect(namesOf(request)).not.toContain('upgrade')
    expect(Buffer.from(await request.body).toString()).toBe(body)
  }
})

test('every other header of a request reaches the upstream with its value as it came', async () => {
  const sent = {
    ...KEY,
    Accept: 'application/json; q=0.5, */*',
    'Accept-Encoding': 'gzip;q=0, br',
    'Accept-Language': 'zh-CN,zh;q=0.9',
    'User-Agent': 'OpenAI/Python 2.0',
    'OpenAI-Organization': 'org-mine',
    'OpenAI-Project': 'proj_mine',
    'OpenAI-Beta': 'assistants=v2',
    'Idempotency-Key': 'stainless-retry-1',
    'X-Stainless-Retry-Count': '0',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    tracestate: 'a=1,b=2',
    'X-Client-Request-Id': 'mine',
    Cookie: 'a=b; c="d"',
    Range: 'bytes=0-1',
    'If-Match': '"x"',
    'Content-Language': 'en',
    'X-Empty': '',
    'X-Odd': `!#$%&'*+-.^_\`|~"(),/:;<=>?@[\\]{} \t x`,
    'X_Under.Score': 'y',
    'X-Long': 'z'.repeat(4000),
  }
  await sendRaw(gateway.port, getText('/v1/models', sent))
  const request = lastRequest(gateway.upstreams.openai)
  const received = Object.fromEntries(Object.keys(sent).map((name) => [name, request.header(name)]))
  expect(received).toEqual(sent)
  expect(namesOf(request)).toEqual([...Object.keys(sent).map((name) => name.toLowerCase()), 'host'].sort())
})

test('header values keep their bytes in both directions, those beyond ASCII too', async () => {
  playHead('X-Latin: caf\xe9', 'X-Utf8: \xe4\xbd\xa5')
  const bytes = Buffer.from(getText('/v1/models', { ...KEY, 'X-Latin': 'caf\xe9', 'X-Utf8': '\xe4\xbd\xa5' }), 'latin1')
  const answer = await sendRaw(gateway.port, bytes)
  const request = lastRequest(gateway.upstreams.openai)
  expect([request.header('x-latin'), request.header('x-utf8')]).toEqual(['caf\xe9', '\xe4\xbd\xa5'])
  expect([answer.headers.get('x-latin'), answer.headers.get('x-utf8')]).toEqual(['caf\xe9', '\xe4\xbd\xa5'])
})

test('repeated headers keep all their values, in order, in both directions', async () => {
  playHead('X-Multi: 1', 'Set-Cookie: a=1; Path=/', 'X-Multi: 2', 'Set-Cookie: b=2, c', 'X-Multi: 1')
  const lines = await headLines(getText('/v1/models', { ...KEY, 'X-Multi': '1\r\nX-Multi: 2\r\nX-Multi: 1' }))
  const request = lastRequest(gateway.upstreams.openai)
  const sent = request.headerLines.filter(([name]) => name.toLowerCase() === 'x-multi').map(([, value]) => value)
  expect(sent.join(', ')).toBe('1, 2, 1')
  const received = lines.filter((line) => /^x-multi:/i.test(line)).map((line) => line.slice('x-multi: '.length))
  expect(received.join(', ')).toBe('1, 2, 1')
  const cookies = lines.filter((line) => /^set-cookie:/i.test(line)).map((line) => line.slice('set-cookie: '.length))
  expect(cookies).toEqual(['a=1; Path=/', 'b=2, c'])
})

test("OpenAI's request ids and rate-limit headers, Retry-After and x-should-retry reach the client", async () => {
  const sent = {
    'x-request-id': 'req_upstream',
    'openai-processing-ms': '12',
    'openai-version': '2020-10-01',
    'openai-organization': 'org-x',
    'x-ratelimit-limit-requests': '60',
    'x-ratelimit-limit-tokens': '150000',
    'x-ratelimit-remaining-requests': '59',
    'x-ratelimit-remaining-tokens': '149984',
    'x-ratelimit-reset-requests': '1s',
    'x-ratelimit-reset-tokens': '6m0s',
    'retry-after': '7',
    'retry-after-ms': '7000',
    'x-should-retry': 'true',
    'cf-ray': 'x-y',
    'strict-transport-security': 'max-age=1',
    date: 'Thu, 01 Jan 1970 00:00:00 GMT',
    server: 'cloudflare',
  }
  for (const status of [200, 429, 503]) {
    gateway.upstreams.openai.play(async (request, { json }) => {
      await request.body
      json({ ok: true }, status, sent)
    })
    for (const bytes of [getText('/v1/models', KEY), postText('/v1/chat/completions', CHAT, KEY)]) {
      const answer = await sendRaw(gateway.port, bytes)
      expect(answer.status).toBe(status)
      const received = Object.fromEntries(Object.keys(sent).map((name) => [name, answer.headers.get(name)]))
      expect(received).toEqual(sent)
    }
  }
})

test('upstream sees no name of the runtime: the user agent of the client, or ours', async () => {
  await sendRaw(gateway.port, getText('/v1/models', KEY))
  expect(lastRequest(gateway.upstreams.openai).header('user-agent')).toMatch(/^NexCode\//)
  expect(lastRequest(gateway.upstreams.openai).header('accept-encoding')).toBeUndefined()
  await sendRaw(gateway.port, getText('/v1/models', { ...KEY, 'User-Agent': 'curl/8' }))
  expect(lastRequest(gateway.upstreams.openai).header('user-agent')).toBe('curl/8')
})

test('bytes with a Content-Encoding go through as they are, in both directions', async () => {
  const packed = Bun.gzipSync(new TextEncoder().encode('{"a":1}'))
  gateway.upstreams.openai.play(async (request, { respond }) => {
    await request.body
    respond(200, { 'content-type': 'application/json', 'content-encoding': 'gzip', vary: 'Accept-Encoding' }, packed)
  })
  const head = postText('/v1/embeddings', '', { ...KEY, 'Content-Encoding': 'gzip', 'Accept-Encoding': 'gzip' })
  const bytes = Buffer.concat([
    Buffer.from(head.replace('Content-Length: 0', `Content-Length: ${packed.byteLength}`)),
    packed,
  ])
  const answer = await sendRaw(gateway.port, bytes)
  expect(answer.headers.get('content-encoding')).toBe('gzip')
  expect(answer.headers.get('content-length')).toBe(String(packed.byteLength))
  expect(answer.body.equals(packed)).toBe(true)
  const request = lastRequest(gateway.upstreams.openai)
  expect([request.header('content-encoding'), request.header('accept-encoding')]).toEqual(['gzip', 'gzip'])
  expect(Buffer.from(await request.body).equals(packed)).toBe(true)
})

test('interim answers of the upstream do not take the place of its answer', async () => {
  gateway.upstreams.openai.play(async (request, { write, json }) => {
    await request.body
    write('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n')
    json({ ok: true })
  })
  const answer = await sendRaw(gateway.port, postText('/v1/chat/completions', CHAT, KEY))
  expect([answer.status, answer.json()]).toEqual([200, { ok: true }])
})

test('an expectation that nobody knows is ignored', async () => {
  const answer = await sendRaw(gateway.port, postText('/v1/chat/completions', CHAT, { ...KEY, Expect: 'miracle' }))
  expect(answer.status).toBe(200)
  expect(lastRequest(gateway.upstreams.openai).header('expect')).toBeUndefined()
})

test('requests that share a connection reach the upstream each with headers of its own', async () => {
  const client = await openRawClient(gateway.port)
  const seen: (readonly string[])[] = []
  const ask = async (key: string, headers: Readonly<Record<string, string>>, body = CHAT): Promise<void> => {
    client.write(postText('/v1/chat/completions', body, { Authorization: `Bearer ${key}`, ...headers }))
    const count = seen.length + 1
    await client.until((bytes) => bytes.toString('latin1').split('HTTP/1.1 200').length > count)
    const { header } = lastRequest(gateway.upstreams.openai)
    seen.push(['authorization', 'x-a', 'x-b', 'te', 'content-length'].map((name) => header(name) ?? ''))
  }
  const length = String(CHAT.length)
  const hop = { Connection: 'keep-alive', TE: 'trailers' }
  await ask('sk-one', { 'X-A': '1', ...hop })
  await ask('sk-one', { 'X-A': '1', ...hop })
  await ask('sk-two', { 'X-A': '1', ...hop })
  await ask('sk-one', { 'X-A': '2', ...hop }, `${CHAT} `)
  await ask('sk-one', { 'X-A': '2', ...hop, Connection: 'keep-alive, x-a' })
  await ask('sk-two', { 'X-B': '3', ...hop })
  await ask('sk-one', { 'X-A': '1', ...hop })
  client.leave()
  expect(seen).toEqual([
    ['Bearer sk-one', '1', '', '', length],
    ['Bearer sk-one', '1', '', '', length],
    ['Bearer sk-two', '1', '', '', length],
    ['Bearer sk-one', '2', '', '', String(CHAT.length + 1)],
    ['Bearer sk-one', '', '', '', length],
    ['Bearer sk-two', '', '3', '', length],
    ['Bearer sk-one', '1', '', '', length],
  ])
})
