import { expect, test } from 'bun:test'
import { type MeteredGateway, startMetered } from '../helpers/metered-gateway.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { USAGE_ROWS } from '../unit/answers/usage-rows.ts'

const FIXTURES = new URL('../fixtures/usage/', import.meta.url)
const TYPES: Readonly<Record<string, string>> = {
  json: 'application/json',
  sse: 'text/event-stream; charset=utf-8',
  ndjson: 'application/x-ndjson',
}

/** The endpoints by the beginnings of the fixtures' names; others are chats. */
const PATHS: readonly (readonly [beginning: string, path: string])[] = [
  ['completions', '/v1/completions'],
  ['responses', '/v1/responses'],
  ['embeddings', '/v1/embeddings'],
  ['images', '/v1/images/generations'],
  ['transcription', '/v1/audio/transcriptions'],
  ['speech', '/v1/audio/speech'],
  ['moderations', '/v1/moderations'],
  ['gemini-native', '/v1/rerank'],
  ['cohere', '/v1/rerank'],
  ['ollama', '/v1/rerank'],
  ['batch', '/v1/batches/batch_C0FFEE'],
]

/** Answers with the recorded answer that the request's header names. */
const answerRecorded: Script = async (request, connection) => {
  await request.body
  const file = request.header('x-fixture') ?? ''
  const type = TYPES[file.slice(file.lastIndexOf('.') + 1)] ?? ''
  connection.respond(200, { 'content-type': type }, await Bun.file(new URL(file, FIXTURES)).text())
}

/** Calls an endpoint by a model of the fixture's name. */
function call(gateway: MeteredGateway, key: string, file: string): Promise<Response> {
  const path = PATHS.find(([beginning]) => file.startsWith(beginning))?.[1] ?? '/v1/chat/completions'
  const headers = { authorization: `Bearer ${key}`, 'x-fixture': file }
  if (path.startsWith('/v1/batches')) return fetch(gateway.url + path, { headers })
  if (path.startsWith('/v1/audio/trans')) {
    const body = new FormData()
    body.set('model', file)
    body.set('file', new File(['x'], 'x.wav'))
    return fetch(gateway.url + path, { method: 'POST', headers, body })
  }
  const stream = file.endsWith('.sse')
  return gateway.chat({ model: file, stream, prompt: 'x', input: 'x', messages: [], max_tokens: 1 }, headers, path)
}

const HTTP_ROWS = USAGE_ROWS.filter(({ file }) => !/^(?:anthropic-messages|responses-background)/.test(file))

test('whatever form a server tells its usage in, the books have it', async () => {
  await using gateway = await startMetered(answerRecorded)
  const key = await gateway.key()
  for (const { file } of HTTP_ROWS) {
    const answer = await call(gateway, key, file)
    expect([file, answer.status]).toEqual([file, 200])
    await answer.arrayBuffer()
  }
  const books = await gateway.bookedByModel(HTTP_ROWS.length)
  for (const { file, usage, told } of HTTP_ROWS) {
    const booked = Object.entries(books.get(file === 'batch.json' ? '' : file)?.usage ?? {})
    const counts = Object.fromEntries(booked.filter(([, count]) => count !== 0))
    // An estimate also has the prompt, by the request's bytes.
    if (told?.isEstimated === true) expect([file, counts]).toMatchObject([file, usage])
    else expect([file, counts]).toEqual([file, { ...usage }])
  }
})
