import { afterAll, beforeAll, expect, test } from 'bun:test'
import { gzipSync } from 'node:zlib'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { CAN_READ_MEMORY, rssMib } from '../helpers/process-memory.ts'
import { OWN_KEY } from '../helpers/send-request.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { byHand } from '../helpers/upstream-scripts.ts'

const MIB = 1024 * 1024
const GROWTH_MIB_MAX = 64

let gateway: TestGateway<'openai'>

beforeAll(async () => {
  gateway = await startGateway({
    upstreams: { openai: byHand },
    env: { OPENAI_API_KEY: 'sk-server-own-0123456789' },
    command: gatewayCommand(),
  })
})

afterAll(() => gateway.stop())

/** Reads an answer of the gateway's as it comes, without keeping it. */
async function hashOf(path: string, body: string | null): Promise<{ status: number; bytes: number; hash: string }> {
  const response = await fetch(`${gateway.url}${path}`, {
    method: body === null ? 'GET' : 'POST',
    headers: { ...OWN_KEY, 'content-type': 'application/json' },
    body,
    decompress: false,
  })
  const hasher = new Bun.CryptoHasher('sha256')
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    hasher.update(chunk)
    bytes += chunk.byteLength
  }
  return { status: response.status, bytes, hash: hasher.digest('hex') }
}

const sha256 = (bytes: Uint8Array): string => new Bun.CryptoHasher('sha256').update(bytes).digest('hex')
const rss = (): number => (CAN_READ_MEMORY ? rssMib(gateway.child?.pid ?? 0) : 0)

test.each(['content-length', 'chunked'])(
  'a JSON answer of 100 MB (%s) passes whole, in bounded memory',
  async (framing) => {
    const piece = Buffer.from(`"${'x'.repeat(MIB - 3)}",`)
    const count = 100
    gateway.upstreams.openai.play(async (_request, connection) => {
      const { socket } = connection
      if (framing === 'chunked') connection.startChunked(200, { 'content-type': 'application/json' })
      else
        connection.write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${count * MIB}\r\n\r\n`)
      for (let sent = 0; sent < count; sent += 1) {
        if (framing === 'chunked') connection.chunk(piece)
        else connection.write(piece)
        if (socket.writableNeedDrain) await new Promise((resolve) => void socket.once('drain', resolve))
      }
      if (framing === 'chunked') connection.endChunks()
    })
    const before = rss()
    const hasher = new Bun.CryptoHasher('sha256')
    for (let sent = 0; sent < count; sent += 1) hasher.update(piece)
    const body = '{"model":"m","messages":[{"role":"user","content":"x"}]}'
    expect(await hashOf('/v1/chat/completions', body)).toEqual({
      status: 200,
      bytes: count * MIB,
      hash: hasher.digest('hex'),
    })
    expect(rss() - before).toBeLessThan(GROWTH_MIB_MAX)
  },
  60_000,
)

test('a gzip bomb passes as the bytes that it is, in bounded memory', async () => {
  const bomb = gzipSync(new Uint8Array(256 * MIB), { level: 9 })
  for (const status of [200, 500]) {
    gateway.upstreams.openai.play((_request, connection) =>
      connection.respond(status, { 'content-type': 'application/json', 'content-encoding': 'gzip' }, bomb),
    )
    const before = rss()
    expect(await hashOf('/v1/models', null)).toEqual({ status, bytes: bomb.byteLength, hash: sha256(bomb) })
    expect(rss() - before).toBeLessThan(GROWTH_MIB_MAX)
  }
}, 60_000)

test("a gzip bomb as an error on the server's key, which has to be searched, is a 502 in bounded memory", async () => {
  const bomb = gzipSync(new Uint8Array(256 * MIB), { level: 9 })
  gateway.upstreams.openai.play((_request, connection) =>
    connection.respond(500, { 'content-type': 'application/json', 'content-encoding': 'gzip' }, bomb),
  )
  const before = rss()
  const response = await fetch(`${gateway.url}/v1/models`)
  expect(response.status).toBe(502)
  expect(await response.json()).toMatchObject({ error: { code: 'upstream_invalid_response' } })
  expect(rss() - before).toBeLessThan(GROWTH_MIB_MAX)
}, 60_000)
