import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import paths from '../fixtures/openai-paths.json' with { type: 'json' }
import { getText, openRawClient, postText, sendRaw } from '../helpers/raw-client.ts'
import { statusAndCode } from '../helpers/received-answers.ts'
import { lastRequest } from '../helpers/received-requests.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const KEY = { Authorization: 'Bearer sk-mine' }

let gateway: TestGateway<'openai'>

beforeAll(async () => {
  gateway = await startGateway({ upstreams: { openai: answerOk } })
})

beforeEach(() => gateway.upstreams.openai.play(answerOk))

afterAll(() => gateway.stop())

/** Bytes of every value, the same in each run. */
function bytesOf(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 8) * 7) & 0xff))
}

function upload(target: string, body: Buffer, contentType: string, method = 'POST'): Buffer {
  const headers = { ...KEY, 'Content-Type': contentType, 'Content-Length': String(body.byteLength) }
  return Buffer.concat([Buffer.from(getText(target, headers, method)), body])
}

test('GET /v1/models passes through, its answer byte for byte', async () => {
  const body = '{ "object":"list", "data":[ {"id":"m","created":1.0e3} ]}\n'
  gateway.upstreams.openai.play((_request, { respond }) => respond(200, { 'content-type': 'application/json' }, body))
  const answer = await sendRaw(gateway.port, getText('/v1/models', KEY))
  expect([answer.status, answer.text()]).toEqual([200, body])
})

test("every documented path of OpenAI's API passes through, with and without /v1", async () => {
  for (const path of paths.map((template) => template.replaceAll(/[{}]/g, ''))) {
    for (const sent of [`/v1${path}`, path]) {
      expect([sent, (await sendRaw(gateway.port, getText(sent, KEY))).status]).toEqual([sent, 200])
      expect(lastRequest(gateway.upstreams.openai).target).toBe(`/v1${path}`)
    }
  }
})

test('whatever comes next under /v1 passes through; an unknown path without it is OpenAI’s unknown URL', async () => {
  await sendRaw(gateway.port, getText('/v1/brand/new/thing?x=1', KEY))
  expect(lastRequest(gateway.upstreams.openai).target).toBe('/v1/brand/new/thing?x=1')
  const before = gateway.upstreams.openai.requests.length
  for (const target of [
    '/brand/new',
    '/v1',
    '/v2/models',
    '/v1beta/models',
    '/V1/models',
    '/modelsx',
    '/.well-known/x',
  ]) {
    const answer = await sendRaw(gateway.port, getText(target, KEY))
    expect(statusAndCode(answer)).toBe('404 unknown_url')
    const { error } = answer.json() as { error: { message: string } }
    expect(error.message).toStartWith(`Unknown request URL: GET ${target}. Please check the URL for typos`)
  }
  expect(gateway.upstreams.openai.requests).toHaveLength(before)
})

test('multipart in, binary out: both byte for byte', async () => {
  const file = bytesOf(300_000)
  const sound = bytesOf(500_000)
  const form = Buffer.concat([
    Buffer.from('--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'),
    file,
    Buffer.from('\r\n--b--\r\n'),
  ])
  gateway.upstreams.openai.play(async (request, { respond }) => {
    await request.body
    respond(200, { 'content-type': 'audio/mpeg' }, sound)
  })
  const answer = await sendRaw(
    gateway.port,
    upload('/v1/audio/transcriptions', form, 'multipart/form-data; boundary=b'),
  )
  expect(answer.headers.get('content-type')).toBe('audio/mpeg')
  expect(answer.body.equals(sound)).toBe(true)
  const request = lastRequest(gateway.upstreams.openai)
  expect(request.header('content-type')).toBe('multipart/form-data; boundary=b')
  expect(request.header('content-length')).toBe(String(form.byteLength))
  expect(Buffer.from(await request.body).equals(form)).toBe(true)
})

test('a chunked upload arrives chunked, byte for byte', async () => {
  const client = await openRawClient(gateway.port)
  client.write(getText('/v1/files', { ...KEY, 'Transfer-Encoding': 'chunked' }, 'POST'))
  const parts = [bytesOf(1), bytesOf(70_000), Buffer.from('\r\n0\r\n\r\n')]
  for (const part of parts) {
    client.write(Buffer.concat([Buffer.from(`${part.byteLength.toString(16)};ext=1\r\n`), part, Buffer.from('\r\n')]))
  }
  client.write('0\r\nX-Trailer: dropped\r\n\r\n')
  expect((await client.response()).status).toBe(200)
  client.leave()
  const request = lastRequest(gateway.upstreams.openai)
  expect(request.header('transfer-encoding')).toBe('chunked')
  expect(request.header('content-length')).toBeUndefined()
  expect(Buffer.from(await request.body).equals(Buffer.concat(parts))).toBe(true)
})

test('what calls itself JSON passes as it is where no endpoint of ours reads it', async () => {
  for (const body of ['', '{', 'nonsense', '{"a":1,"a":2}', '[1.0, 1e400]', '\ufeff{}', '\u0000']) {
    expect((await sendRaw(gateway.port, postText('/v1/embeddings', body, KEY))).status).toBe(200)
    expect(Buffer.from(await lastRequest(gateway.upstreams.openai).body).toString()).toBe(body)
  }
})

test('a DELETE with a JSON body keeps it', async () => {
  const body = Buffer.from('{"reason": "x"}')
  expect((await sendRaw(gateway.port, upload('/v1/files/f', body, 'application/json', 'DELETE'))).status).toBe(200)
  expect(lastRequest(gateway.upstreams.openai).method).toBe('DELETE')
  expect(Buffer.from(await lastRequest(gateway.upstreams.openai).body).equals(body)).toBe(true)
})

test('an answer without a length goes on chunked, and ends where the upstream ends it', async () => {
  const body = bytesOf(100_000)
  gateway.upstreams.openai.play((_request, { write, socket }) => {
    write('HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\nconnection: close\r\n\r\n')
    write(body)
    socket.end()
  })
  const answer = await sendRaw(gateway.port, getText('/v1/files/f/content', KEY))
  expect(answer.headers.get('transfer-encoding')).toBe('chunked')
  expect([answer.isComplete, answer.body.equals(body)]).toEqual([true, true])
})

test('every status of the upstream passes through with its body, its own errors untouched', async () => {
  const body = '{"error":{"message":"m","type":null,"param":null,"code":429}, "extra":[1.0]}'
  for (const status of [200, 201, 202, 206, 400, 401, 403, 404, 409, 418, 422, 429, 500, 503, 529, 599]) {
    gateway.upstreams.openai.play(async (request, { respond }) => {
      await request.body
      respond(status, { 'content-type': 'application/json' }, body)
    })
    for (const target of ['/v1/models', '/v1/chat/completions']) {
      const chat = '{"model":"m","messages":[{"role":"user","content":"x"}]}'
      const answer = await sendRaw(gateway.port, postText(target, chat, KEY))
      expect([answer.status, answer.text()]).toEqual([status, body])
    }
  }
})

test('an upload and its answer flow at the same time, unbuffered both ways', async () => {
  gateway.upstreams.openai.play(async (request, { startChunked, chunk, endChunks }) => {
    startChunked(200, { 'content-type': 'application/octet-stream' })
    chunk('early')
    await request.body
    chunk('late')
    endChunks()
  })
  const client = await openRawClient(gateway.port)
  client.write(`${getText('/v1/uploads/u/parts', { ...KEY, 'Content-Length': '6' }, 'POST')}one`)
  await client.until((bytes) => bytes.includes('early'))
  client.write('two')
  const answer = await client.response()
  client.leave()
  expect(answer.text()).toBe('earlylate')
  expect(Buffer.from(await lastRequest(gateway.upstreams.openai).body).toString()).toBe('onetwo')
})
