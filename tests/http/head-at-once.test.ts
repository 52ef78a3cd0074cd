import { afterAll, beforeAll, expect, test } from 'bun:test'
import { openRawClient } from '../helpers/raw-client.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { byHand } from '../helpers/upstream-scripts.ts'
import { AT_ONCE_MS, within } from '../helpers/within.ts'

let gateway: TestGateway<'openai'>

beforeAll(async () => {
  gateway = await startGateway({ upstreams: { openai: byHand } })
})

afterAll(() => gateway.stop())

const POST = 'POST /v1/files HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer sk-mine\r\n'

test.each([
  ['a bare CR in the request line', 'GET /v1/models\rX'],
  ['a bare CR behind the version', 'GET /v1/models HTTP/1.1\rHost: a\r'],
  ['a bare CR in a header', 'GET /v1/models HTTP/1.1\r\nHost: a\rX-A: b'],
  ['two CRs before an LF', 'GET /v1/models HTTP/1.1\r\nHost: a\r\r\n'],
  ['a bare LF', 'GET /v1/models HTTP/1.1\r\nHost: a\n'],
  ['a folded line', 'GET /v1/models HTTP/1.1\r\nHost: a\r\n b'],
  ['a NUL in a header', 'GET /v1/models HTTP/1.1\r\nHost: a\0'],
  ['a space before a colon', 'GET /v1/models HTTP/1.1\r\nHost '],
  ['another version', 'GET /v1/models HTTP/3'],
  ['two lengths', `${POST}Content-Length: 4\r\nContent-Length: 5\r\n`],
  ['a bare CR behind a chunk size', `${POST}Transfer-Encoding: chunked\r\n\r\n5\rX`],
  ['a chunk longer than its size', `${POST}Transfer-Encoding: chunked\r\n\r\n2\r\nabc`],
  ['a bare CR in a trailer', `${POST}Transfer-Encoding: chunked\r\n\r\n0\r\nX: a\rb`],
])(
  '%s is answered 400 at once, and the connection ends, though nothing more of the request comes',
  async (_name, text) => {
    const client = await openRawClient(gateway.port)
    client.write(text)
    const answer = await within(AT_ONCE_MS / 2, 'the refusal', client.response())
    expect(answer.status).toBe(400)
    await within(AT_ONCE_MS, 'the end of the connection', client.closed)
  },
)
