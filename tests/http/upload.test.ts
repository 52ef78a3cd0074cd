import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { expectHeldBack } from '../helpers/held-back.ts'
import { getText, openRawClient, postText, type RawClient } from '../helpers/raw-client.ts'
import { statusAndCode } from '../helpers/received-answers.ts'
import { lastRequest } from '../helpers/received-requests.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const TOKEN = 'token-one-0123456789abcdef'
const KEY = { Authorization: `Bearer ${TOKEN}` }
const CHAT = '{"model":"m","messages":[{"role":"user","content":"hi"}]}'
/** Four times what a busy machine may take from one drip to the next. */
const IDLE_MS = 1000
const MIB = 1024 * 1024

let gateway: TestGateway<'openai'>

beforeAll(async () => {
  gateway = await startGateway({
    upstreams: { openai: answerOk },
    env: { REQUIRE_AUTH: 'true', API_TOKEN: TOKEN, UPLOAD_IDLE_TIMEOUT_MS: String(IDLE_MS) },
  })
})

beforeEach(() => gateway.upstreams.openai.play(answerOk))

afterAll(() => gateway.stop())

async function send(bytes: string): Promise<RawClient> {
  const client = await openRawClient(gateway.port)
  client.write(bytes)
  return client
}

function post(target: string, headers: Readonly<Record<string, string>>): string {
  return getText(target, headers, 'POST')
}

test('the upstream sees the first part of an upload before the client has sent the rest', async () => {
  for (const type of [
    'multipart/form-data; boundary=b',
    'application/octet-stream',
    'application/json',
    'text/plain',
  ]) {
    const before = gateway.upstreams.openai.requests.length
    const client = await send(`${post('/v1/files', { ...KEY, 'Content-Type': type, 'Content-Length': '10' })}first`)
    expect(await (await gateway.upstreams.openai.request(before + 1)).firstBytes).toContain('first')
    client.write('later')
    expect((await client.response()).status).toBe(200)
    client.leave()
    expect(Buffer.from(await lastRequest(gateway.upstreams.openai).body).toString()).toBe('firstlater')
  }
})

test('the upstream sees the first chunk of a chunked upload before the client has sent the rest', async () => {
  const before = gateway.upstreams.openai.requests.length
  const client = await send(
    `${post('/v1/audio/transcriptions', { ...KEY, 'Transfer-Encoding': 'chunked' })}5\r\nfirst\r\n`,
  )
  expect(await (await gateway.upstreams.openai.request(before + 1)).firstBytes).toContain('first')
  client.write('5\r\nlater\r\n0\r\n\r\n')
  expect((await client.response()).status).toBe(200)
  client.leave()
  expect(Buffer.from(await lastRequest(gateway.upstreams.openai).body).toString()).toBe('firstlater')
})

test('401 comes before any reading of the body and before 100 Continue', async () => {
  const before = gateway.upstreams.openai.requests.length
  for (const target of ['/v1/chat/completions', '/v1/files', '/unknown', '/openapi.json']) {
    for (const framing of [{ 'Content-Length': '1000' }, { 'Transfer-Encoding': 'chunked' }] as const) {
      for (const expectation of [{}, { Expect: '100-continue' }] as const) {
        const client = await send(post(target, { ...framing, ...expectation, Authorization: 'Bearer wrong' }))
        expect(statusAndCode(await client.response())).toBe('401 invalid_api_key')
        expect(client.received().toString('latin1')).toStartWith('HTTP/1.1 401 ')
        client.leave()
      }
    }
  }
  expect(gateway.upstreams.openai.requests).toHaveLength(before)
})

test('a refusal by the headers alone comes before 100 Continue: guard, length, method', async () => {
  for (const [bytes, expected] of [
    [post('/v1/../x', { ...KEY, Expect: '100-continue', 'Content-Length': '9' }), '400 invalid_target'],
    [post('/health', { Expect: '100-continue', 'Content-Length': '9' }), '405 method_not_supported'],
    [
      post('/v1/chat/completions', { ...KEY, Expect: '100-continue', 'Content-Length': '99999999999' }),
      '413 request_too_large',
    ],
    [post('/v1/files', { ...KEY, Expect: '100-continue', 'Content-Length': '99999999999' }), '413 request_too_large'],
  ] as const) {
    const client = await send(bytes)
    expect(statusAndCode(await client.response())).toBe(expected)
    expect(client.received().toString('latin1')).not.toContain(' 100 ')
    client.leave()
  }
})

test('a client that expects 100 Continue is told to go on when its body is wanted', async () => {
  for (const target of ['/v1/chat/completions', '/v1/files', '/v1/embeddings']) {
    const head = post(target, {
      ...KEY,
      Expect: '100-continue',
      'Content-Type': 'application/json',
      'Content-Length': String(CHAT.length),
    })
    const client = await send(head)
    await client.until((received) => received.includes('HTTP/1.1 100 '))
    client.write(CHAT)
    expect((await client.response()).status).toBe(200)
    expect(
      client
        .received()
        .toString('latin1')
        .match(/HTTP\/1\.1 100 /g),
    ).toHaveLength(1)
    client.leave()
    const request = lastRequest(gateway.upstreams.openai)
    expect(Buffer.from(await request.body).toString()).toBe(CHAT)
    expect(request.header('expect')).toBeUndefined()
  }
})

test('a body that stops arriving is answered 408 after UPLOAD_IDLE_TIMEOUT_MS, and the connection ends', async () => {
  const before = gateway.upstreams.openai.requests.length
  const cases = [
    ['/v1/chat/completions', { 'Content-Length': '100' }, '{"model"'],
    ['/v1/chat/completions', { 'Transfer-Encoding': 'chunked' }, '8\r\n{"model"\r\n'],
    ['/v1/chat/completions', { 'Content-Length': '100' }, ''],
    ['/v1/files', { 'Content-Length': '100' }, 'part'],
    ['/v1/files', { 'Transfer-Encoding': 'chunked' }, '4\r\npart\r\n'],
    ['/v1/embeddings', { 'Content-Length': '100', 'Content-Type': 'application/json' }, '{'],
    ['/v1/embeddings', { 'Content-Length': '100', 'Content-Type': 'application/json' }, ''],
  ] as const
  const judge = async ([target, framing, part]: (typeof cases)[number]): Promise<void> => {
    const startedAt = performance.now()
    const client = await send(post(target, { ...KEY, ...framing }) + part)
    expect([target, part, statusAndCode(await client.response())]).toEqual([target, part, '408 upload_timeout'])
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(IDLE_MS - 10)
    client.leave()
  }
  await Promise.all(cases.map(judge))
  const bodies = await Promise.allSettled(gateway.upstreams.openai.requests.slice(before).map(({ body }) => body))
  expect(bodies.filter(({ status }) => status === 'fulfilled')).toEqual([])
})

test('a body that drips slower than the whole timeout, but never pauses for as long, is served', async () => {
  for (const target of ['/v1/chat/completions', '/v1/files']) {
    const client = await send(post(target, { ...KEY, 'Content-Length': String(CHAT.length) }))
    const startedAt = performance.now()
    for (let at = 0; at < CHAT.length; at += 12) {
      client.write(CHAT.slice(at, at + 12))
      await new Promise((resolve) => void setTimeout(resolve, IDLE_MS / 4))
    }
    expect(performance.now() - startedAt).toBeGreaterThan(IDLE_MS)
    expect((await client.response()).status).toBe(200)
    client.leave()
    expect(Buffer.from(await lastRequest(gateway.upstreams.openai).body).toString()).toBe(CHAT)
  }
})

test('an upstream that takes a long time is no pause of the client', async () => {
  gateway.upstreams.openai.play(async (request, { json }) => {
    await request.body
    await new Promise((resolve) => void setTimeout(resolve, IDLE_MS * 2))
    json({ ok: true })
  })
  for (const target of ['/v1/chat/completions', '/v1/files']) {
    const client = await send(postText(target, CHAT, KEY))
    expect((await client.response()).status).toBe(200)
    client.leave()
  }
})

test('a client that leaves in the midst of its upload closes the connection to the upstream', async () => {
  const closed = Promise.withResolvers<void>()
  const before = gateway.upstreams.openai.requests.length
  gateway.upstreams.openai.play((_request, connection) => {
    connection.closed.then(closed.resolve, closed.reject)
  })
  const client = await send(`${post('/v1/files', { ...KEY, 'Content-Length': '100' })}part`)
  const request = await gateway.upstreams.openai.request(before + 1)
  client.leave()
  await closed.promise
  const outcome = await request.body.then(
    () => 'complete',
    () => 'broken',
  )
  expect(outcome).toBe('broken')
})

test('an upload is never read far ahead of an upstream that takes nothing', async () => {
  const resume = Promise.withResolvers<void>()
  const total = 96 * MIB
  gateway.upstreams.openai.play(async (request, { socket, json }) => {
    socket.pause()
    await resume.promise
    socket.resume()
    await request.body
    json({ ok: true })
  })
  const client = await send(post('/v1/files', { ...KEY, 'Content-Length': String(total) }))
  const chunk = Buffer.alloc(MIB, 1)
  let accepted = 0
  let acceptedAt = performance.now()
  const pump = (async () => {
    for (let sent = 0; sent < total; sent += MIB) {
      await new Promise<void>((resolve) => void client.socket.write(chunk, () => resolve()))
      accepted += MIB
      acceptedAt = performance.now()
    }
  })()
  while (performance.now() - acceptedAt < 150) await new Promise((resolve) => void setTimeout(resolve, 25))
  expectHeldBack(accepted, [gateway.port, gateway.upstreams.openai.port])
  resume.resolve()
  await pump
  expect((await client.response()).status).toBe(200)
  client.leave()
  expect((await lastRequest(gateway.upstreams.openai).body).byteLength).toBe(total)
})

test('bytes of a body that nobody read are never taken for the next request', async () => {
  const before = gateway.upstreams.openai.requests.length
  const inner = getText('/v1/smuggled', KEY)
  for (const [bytes, expected] of [
    [postText('/v1/files', inner, { Authorization: 'Bearer wrong' }), '401 invalid_api_key'],
    [postText('/v1/chat/completions', inner, { Authorization: 'Bearer wrong' }), '401 invalid_api_key'],
    [postText('/unknown', inner, KEY), '404 unknown_url'],
    [postText('/health', inner), '405 method_not_supported'],
    [postText('/v1/..', inner, KEY), '400 invalid_target'],
    [postText('/v1/models', inner, { ...KEY, Host: 'a/b' }), '400 invalid_host'],
  ] as const) {
    const client = await send(bytes)
    expect(statusAndCode(await client.response())).toBe(expected)
    await new Promise((resolve) => void setTimeout(resolve, 20))
    expect(
      client
        .received()
        .toString('latin1')
        .match(/HTTP\/1\.1 /g),
    ).toHaveLength(1)
    client.leave()
  }
  expect(gateway.upstreams.openai.requests).toHaveLength(before)
})

test('a connection whose body was not read either ends or goes on with the next request', async () => {
  for (const body of ['x', 'x'.repeat(1000), 'x'.repeat(300_000)]) {
    const client = await send(postText('/v1/files', body, { Authorization: 'Bearer wrong' }))
    const refused = await client.response()
    expect(refused.status).toBe(401)
    if (refused.headers.get('connection') === 'close') {
      await client.closed
    } else {
      client.write(getText('/health'))
      await client.until((received) => received.includes('{"status":"ok"}'))
      client.leave()
    }
  }
})

test('a client that sends its whole body before it reads gets to see the refusal', async () => {
  const client = await openRawClient(gateway.port)
  client.socket.pause()
  client.write(post('/v1/files', { Authorization: 'Bearer wrong', 'Content-Length': String(4 * MIB) }))
  await new Promise<void>((resolve) => void client.socket.write(Buffer.alloc(4 * MIB, 1), () => resolve()))
  client.socket.resume()
  expect((await client.response()).status).toBe(401)
  client.leave()
})
