import { afterAll, beforeAll, expect, test } from 'bun:test'
import { getText, openRawClient, postText, sendRaw } from '../helpers/raw-client.ts'
import { all, answersOf, sendUntilClosed, statusAndCode } from '../helpers/received-answers.ts'
import { lastRequest } from '../helpers/received-requests.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const KEY = { Authorization: 'Bearer sk-mine' }

let gateway: TestGateway<'openai'>

beforeAll(async () => {
  gateway = await startGateway({ upstreams: { openai: answerOk } })
})

afterAll(() => gateway.stop())

test('CONNECT, TRACE and unknown methods are refused, whatever the target', async () => {
  const methods = ['TRACE', 'PROPFIND', 'FOO', 'QUERY', 'MKCOL', 'PURGE', 'get', 'Post', 'LINK', 'SEARCH', 'M-SEARCH']
  const requests = Object.fromEntries(
    methods.flatMap((method) =>
      ['/v1/models', '/v1/chat/completions', '/health', '/'].map((target) => [
        `${method} ${target}`,
        getText(target, KEY, method),
      ]),
    ),
  )
  const answers = await answersOf(gateway.port, requests, statusAndCode)
  expect(answers).toEqual(all(Object.keys(requests), '405 method_not_supported'))

  const connects = {
    authority: getText('evil.example:443', KEY, 'CONNECT'),
    path: getText('/v1/models', KEY, 'CONNECT'),
    'with a body behind': `${getText('evil.example:443', KEY, 'CONNECT')}GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n`,
  }
  expect(await answersOf(gateway.port, connects, ({ status }) => status)).toEqual(all(Object.keys(connects), 405))
  expect(gateway.upstreams.openai.connectionCount()).toBe(0)
})

test('what no method can be is refused, and the connection ends', async () => {
  for (const method of ['G@T', 'GET(', 'GE\u0000T', '', ' ']) {
    const received = await sendUntilClosed(gateway.port, getText('/v1/models', KEY, method))
    expect(received).toMatch(/^HTTP\/1\.1 40[05] /)
    expect(received.match(/HTTP\/1\.1 /g)).toHaveLength(1)
  }
  expect(gateway.upstreams.openai.connectionCount()).toBe(0)
})

test('nothing behind a refused CONNECT is taken for a request', async () => {
  const client = await openRawClient(gateway.port)
  client.write(`${getText('evil.example:443', KEY, 'CONNECT')}${getText('/v1/models', KEY)}`)
  await client.closed
  expect(
    client
      .received()
      .toString('latin1')
      .match(/HTTP\/1\.1 /g),
  ).toHaveLength(1)
  expect(gateway.upstreams.openai.connectionCount()).toBe(0)
})

test('a method that an endpoint of ours does not have is refused, with Allow', async () => {
  for (const path of ['/health', '/ready', '/', '/docs']) {
    const answer = await sendRaw(gateway.port, postText(path, '{ no JSON'))
    expect(statusAndCode(answer)).toBe('405 method_not_supported')
    expect(answer.headers.get('allow')).toContain('GET')
  }
})

test('every other method passes through with its body', async () => {
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
    const body = `{"of":"${method}"}`
    const bytes = `${getText('/v1/assistants/a', { ...KEY, 'Content-Type': 'application/json', 'Content-Length': String(body.length) }, method)}${body}`
    expect((await sendRaw(gateway.port, bytes)).status).toBe(200)
    const request = lastRequest(gateway.upstreams.openai)
    expect(request.method).toBe(method)
    expect(Buffer.from(await request.body).toString()).toBe(body)
  }
})

test('a request without a body passes through without one', async () => {
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
    expect((await sendRaw(gateway.port, getText('/v1/batches/b/cancel', KEY, method))).status).toBe(200)
    const request = lastRequest(gateway.upstreams.openai)
    expect([request.method, (await request.body).byteLength]).toEqual([method, 0])
    expect(request.header('transfer-encoding')).toBeUndefined()
  }
  expect((await sendRaw(gateway.port, getText('/v1/x', { ...KEY, 'Content-Length': '0' }, 'POST'))).status).toBe(200)
  expect(lastRequest(gateway.upstreams.openai).header('content-length')).toBe('0')
})

test('methods of the JSON endpoints other than POST are the business of the upstream', async () => {
  for (const [method, target] of [
    ['GET', '/v1/chat/completions?limit=1'],
    ['GET', '/v1/chat/completions/chatcmpl-1/messages'],
    ['DELETE', '/v1/chat/completions/chatcmpl-1'],
    ['POST', '/v1/chat/completions/chatcmpl-1'],
    ['GET', '/v1/completions'],
  ] as const) {
    expect((await sendRaw(gateway.port, getText(target, KEY, method))).status).toBe(200)
    expect([lastRequest(gateway.upstreams.openai).method, lastRequest(gateway.upstreams.openai).target]).toEqual([
      method,
      target,
    ])
  }
})

test('HEAD is answered with the headers of the upstream, the length among them, and without a body', async () => {
  gateway.upstreams.openai.play((_request, { write }) =>
    write('HTTP/1.1 200 OK\r\ncontent-length: 123\r\nx-a: b\r\n\r\n'),
  )
  const client = await openRawClient(gateway.port)
  client.write(getText('/v1/files/f/content', KEY, 'HEAD') + getText('/health', {}))
  await client.until((received) => received.includes('{"status":"ok"}'))
  const [head, next] = client.received().toString('latin1').split('\r\n\r\n')
  client.leave()
  expect(lastRequest(gateway.upstreams.openai).method).toBe('HEAD')
  expect(head).toStartWith('HTTP/1.1 200 ')
  expect(head?.toLowerCase()).toContain('\r\ncontent-length: 123')
  expect(head?.toLowerCase()).toContain('\r\nx-a: b')
  expect(next).toStartWith('HTTP/1.1 200 ')
})

test('204 and 304 pass through without a body, and the connection stays in step', async () => {
  for (const status of [204, 304]) {
    gateway.upstreams.openai.play((_request, { write }) => write(`HTTP/1.1 ${status} None\r\netag: "a"\r\n\r\n`))
    const client = await openRawClient(gateway.port)
    client.write(getText('/v1/files/f', { ...KEY, 'If-None-Match': '"a"' }, 'DELETE') + getText('/health', {}))
    await client.until((received) => received.includes('{"status":"ok"}'))
    const [head, next] = client.received().toString('latin1').split('\r\n\r\n')
    client.leave()
    expect(head).toStartWith(`HTTP/1.1 ${status} `)
    expect(head).toContain('etag: "a"')
    expect(head?.toLowerCase()).not.toContain('transfer-encoding')
    expect(next).toStartWith('HTTP/1.1 200 ')
    expect(lastRequest(gateway.upstreams.openai).header('if-none-match')).toBe('"a"')
  }
})
