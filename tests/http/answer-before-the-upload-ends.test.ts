import { afterAll, beforeAll, expect, test } from 'bun:test'
import { openRawClient } from '../helpers/raw-client.ts'
import { startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

const TOKEN = 'a-token-of-this-gateway'
const SLICE = Buffer.alloc(64 * 1024, 'x')
const SLICES = 48

let gateway: TestGateway

beforeAll(async () => {
  const gone = await startScriptedUpstream(() => undefined)
  await gone.close()
  gateway = await startGateway({
    env: {
      OPENAI_API_BASE: `${gone.url}/v1`,
      REQUIRE_AUTH: 'true',
      API_TOKEN: TOKEN,
      MAX_JSON_BYTES: '100000',
      MAX_UPLOAD_BYTES: '8000000',
    },
  })
})
afterAll(() => gateway.stop())

const chunked = (data: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${data.byteLength.toString(16)}\r\n`), data, Buffer.from('\r\n')])
const BODIES = [
  { framing: `Content-Length: ${SLICE.byteLength * SLICES}`, slice: SLICE, end: '' },
  { framing: 'Transfer-Encoding: chunked', slice: chunked(SLICE), end: '0\r\n\r\n' },
]
const CASES = [
  { what: 'a wrong token', target: '/v1/files', token: 'wrong', status: 401 },
  { what: 'an unknown URL', target: '/nothing/of/this/kind', token: TOKEN, status: 404 },
  { what: 'an upstream that is down', target: '/v1/files', token: TOKEN, status: 502 },
  { what: 'a body that is too large', target: '/v1/chat/completions', token: TOKEN, status: 413 },
]

test.each(CASES.flatMap((one) => BODIES.map((body) => [`${one.what} (${body.framing})`, one, body] as const)))(
  'an upload that is answered early may go on to its end, and its client sees the answer: %s',
  async (_name, { target, token, status }, { framing, slice, end }) => {
    const client = await openRawClient(gateway.port)
    const broken: string[] = []
    client.socket.on('error', (error) => void broken.push(String(error)))
    client.write(
      `POST ${target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: multipart/form-data; boundary=x\r\n${framing}\r\n\r\n`,
    )
    client.write(slice)
    // The second one is more than a chat completion may have here.
    client.write(slice)
    const response = await client.response()
    expect([response.status, response.headers.get('connection')]).toEqual([status, 'close'])
    for (let sent = 2; sent < SLICES; sent += 1) {
      await new Promise<void>((resolve) => void client.socket.write(slice, () => resolve()))
    }
    client.write(end)
    await client.closed
    expect(broken).toEqual([])
    expect(client.socket.bytesWritten).toBeGreaterThan(SLICE.byteLength * SLICES)
  },
)

test('a client that never ends its upload does not keep the connection for ever', async () => {
  const client = await openRawClient(gateway.port)
  client.write('POST /v1/files HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nbegun')
  expect((await client.response()).status).toBe(401)
  await client.closed
})
