import { afterAll, beforeAll, expect, test } from 'bun:test'
import { getText, openRawClient, postText, sendRaw } from '../helpers/raw-client.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

let gateway: TestGateway<'openai'>
beforeAll(async () => {
  gateway = await startGateway({ upstreams: { openai: answerOk } })
})
afterAll(() => gateway.stop())

const BODY = '{"id":"chatcmpl-1"}'
const REQUESTS = {
  chat: postText('/v1/chat/completions', '{"model":"m","messages":[{"role":"user","content":"x"}]}'),
  file: getText('/v1/files/file-1/content'),
}

/** Answers with these header lines, whatever they come to. */
function answering(lines: string, body = BODY, type = 'application/json'): Script {
  return async (request, connection) => {
    await request.body
    connection.write(`HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nConnection: close\r\n${lines}\r\n${body}`)
    connection.socket.end()
  }
}

test.each([
  ['application/json', BODY],
  ['application/octet-stream', 'x'.repeat(100_000)],
  ['text/event-stream', 'data: {}\n\ndata: [DONE]\n\n'],
])('a length that the upstream tells several times, alike, is told once: %s', async (type, body) => {
  const line = `Content-Length: ${body.length}\r\n`
  for (const bytes of Object.values(REQUESTS)) {
    for (const lines of [line + line, `${line}X-Between: 1\r\ncontent-length:${body.length}\r\n${line}`]) {
      gateway.upstreams.openai.play(answering(lines, body, type))
      const answer = await sendRaw(gateway.port, bytes)
      expect([answer.status, answer.headers.get('content-length'), answer.text()]).toEqual([
        200,
        String(body.length),
        body,
      ])
    }
  }
})

test('a HEAD gets one length, too', async () => {
  gateway.upstreams.openai.play(answering('Content-Length: 5\r\nContent-Length: 5\r\n', '', 'text/plain'))
  const client = await openRawClient(gateway.port)
  client.write(getText('/v1/files/file-1/content', {}, 'HEAD'))
  const head = (await client.until((bytes) => bytes.includes('\r\n\r\n'))).toString()
  client.leave()
  expect(head.match(/content-length: .*/gi)).toEqual(['content-length: 5'])
})

test('lengths that differ, or are none, are an answer that is not valid: 502', async () => {
  for (const lines of [
    `Content-Length: ${BODY.length}\r\nContent-Length: 5\r\n`,
    `Content-Length: 5\r\nContent-Length: ${BODY.length}\r\n`,
    'Content-Length: abc\r\n',
    `Content-Length: +${BODY.length}\r\n`,
  ]) {
    for (const bytes of Object.values(REQUESTS)) {
      gateway.upstreams.openai.play(answering(lines))
      const answer = await sendRaw(gateway.port, bytes)
      expect([lines, answer.status, answer.json()]).toMatchObject([
        lines,
        502,
        { error: { code: 'upstream_invalid_response' } },
      ])
    }
  }
})

test('where a body comes in chunks, a length beside them says nothing, and goes no further', async () => {
  const chunked = `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`
  for (const length of [BODY.length, 5, 500]) {
    for (const bytes of Object.values(REQUESTS)) {
      gateway.upstreams.openai.play(answering(`Content-Length: ${length}\r\nTransfer-Encoding: chunked\r\n`, chunked))
      const answer = await sendRaw(gateway.port, bytes)
      expect([answer.status, answer.isComplete, answer.text()]).toEqual([200, true, BODY])
    }
  }
})
