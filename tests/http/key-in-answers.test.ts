import { afterAll, beforeAll, expect, test } from 'bun:test'
import { gzipSync } from 'node:zlib'
import { CHAT } from '../helpers/send-request.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerAs, byHand } from '../helpers/upstream-scripts.ts'

const SERVER_KEY = 'sk-server-own-0123456789'
const STARS = '*'.repeat(SERVER_KEY.length)
/** A program on this machine without a key: it spends the server's. */
const NO_KEY = {}
const FILE = { method: 'GET', target: '/v1/files/file-1', body: null, headers: NO_KEY } as const

let gateway: TestGateway<'openai'>

beforeAll(async () => {
  gateway = await startGateway({
    upstreams: { openai: byHand },
    env: { OPENAI_API_KEY: SERVER_KEY, IDEMPOTENCY_WINDOW_MS: '60000' },
  })
})

afterAll(() => gateway.stop())

/** All that a client gets where the upstream answers with these bytes. */
async function shownOf(answer: string | Uint8Array, shot = {}): Promise<string> {
  const { client } = await gateway.send({ ...FILE, ...shot })
  const { connection } = await gateway.upstreams.openai.arrival()
  connection.write(answer)
  await client.response()
  const received = client.received().toString('latin1')
  client.leave()
  return received
}

const framed = (status: string, headers: string, body: string): string =>
  `HTTP/1.1 ${status}\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

test.each([
  ['a redirect', framed('302 Found', `location: https://login.test/?key=${SERVER_KEY}\r\n`, '{}')],
  ['its body', framed('307 Moved', 'location: /elsewhere\r\n', `go to ?key=${SERVER_KEY}`)],
  ['a cookie', framed('200 OK', `set-cookie: a=1\r\nset-cookie: key=${SERVER_KEY}; Secure\r\n`, '{}')],
  ['a challenge', framed('400 No', `www-authenticate: Bearer error="${SERVER_KEY}"\r\n`, '{"error":{}}')],
  ['a header of a good answer', framed('200 OK', `x-debug-authorization: Bearer ${SERVER_KEY}\r\n`, '{}')],
  [
    'a header in a form of its own',
    framed('200 OK', `link: <?k=${encodeURIComponent(SERVER_KEY).replaceAll('-', '%2D')}>\r\n`, '{}'),
  ],
  ['the reason', framed(`500 bad key ${SERVER_KEY}`, '', '{"error":{}}')],
  ['an interim answer', `HTTP/1.1 103 Early Hints\r\nlink: <?key=${SERVER_KEY}>\r\n\r\n${framed('200 OK', '', '{}')}`],
  [
    'a trailer',
    `HTTP/1.1 200 OK\r\ntrailer: x-key\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nx-key: ${SERVER_KEY}\r\n\r\n`,
  ],
  [
    'an extension of a chunk',
    `HTTP/1.1 500 X\r\ntransfer-encoding: chunked\r\n\r\n2;k=${SERVER_KEY}\r\n{}\r\n0\r\n\r\n`,
  ],
  ['JSON in which it is escaped', framed('500 No', '', `{"error":"${SERVER_KEY.replaceAll('-', '\\u002d')}"}`)],
  ['base64', framed('500 X', '', `{"sent":"${btoa(`Bearer ${SERVER_KEY}`)}"}`)],
  ['a body without a type', framed('400 X', '', `a=${encodeURIComponent(SERVER_KEY)}`)],
])("the server's key never comes back to a caller who spends it: in %s", async (_where, answer) => {
  const shown = await shownOf(answer)
  expect(shown).toMatch(/^HTTP\/1\.1 [2345]/)
  for (const form of [SERVER_KEY, SERVER_KEY.replaceAll('-', '\\u002d'), SERVER_KEY.replaceAll('-', '%2D')]) {
    expect(shown).not.toContain(form)
  }
  expect(shown).not.toContain(btoa(`Bearer ${SERVER_KEY}`).slice(11, -4))
})

test('what of an error nobody can decode does not go on: its client may make something of it', async () => {
  const text = `{"error":{"message":"bad key ${SERVER_KEY}"}}${' '.repeat(5000)}`
  for (const [coding, body] of [
    ['gzip', gzipSync(text).subarray(0, -6)],
    ['gzip, unknown', gzipSync(text)],
    ['x-own', Buffer.from(text)],
  ] as const) {
    const head = `HTTP/1.1 401 No\r\ncontent-encoding: ${coding}\r\ncontent-length: ${body.byteLength}\r\n\r\n`
    const shown = await shownOf(Buffer.concat([Buffer.from(head), body]))
    expect(shown).toStartWith('HTTP/1.1 502 ')
    expect(shown).toContain('"code":"upstream_invalid_response"')
    expect(shown).not.toContain(SERVER_KEY)
  }
})

test('nor does it come back to those who get an answer again', async () => {
  const headers = { 'Idempotency-Key': 'again' }
  const answer = framed(
    '400 No',
    `x-echo: ${SERVER_KEY}\r\ncontent-type: application/json\r\n`,
    `{"error":"${SERVER_KEY}"}`,
  )
  const chat = { method: 'POST', target: '/v1/chat/completions', body: CHAT, headers }
  expect(await shownOf(answer, chat)).toContain(`{"error":"${STARS}"}`)
  const { client } = await gateway.send(chat)
  const again = await Promise.race([
    client.response(),
    gateway.upstreams.openai.arrival().then(({ connection }) => connection.write(answer)),
  ]).then(() => client.response())
  expect(again.text()).toBe(`{"error":"${STARS}"}`)
  expect(again.headers.get('x-echo')).toBe(STARS)
})

test("what else an upstream is sent with each call is hidden as the key is: its own headers' and parameters' secrets", async () => {
  const gateway = await startGateway({
    upstreams: { one: answerAs('one') },
    settings: {
      one: {
        headers: { 'x-portkey-api-key': 'portkey-0123456789' },
        query: { 'api-version': '2024', sig: 'sig-0123456789' },
      },
    },
  })
  gateway.upstreams.one.play((request, connection) => {
    connection.respond(404, { 'x-echo': request.header('x-portkey-api-key') ?? '' }, `no ${request.target}`)
  })
  const answer = await fetch(`${gateway.url}/v1/files/f`, { headers: { authorization: 'Bearer sk-mine' } })
  expect(answer.headers.get('x-echo')).toBe('*'.repeat('portkey-0123456789'.length))
  expect(await answer.text()).toBe(`no /v1/files/f?api-version=2024&sig=${'*'.repeat('sig-0123456789'.length)}`)
  await gateway.stop()
})
