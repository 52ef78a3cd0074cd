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
  ['responses-background', '/v1/responses/resp_C0FFEE'],
  ['responses', '/v1/responses'],
  ['embeddings', '/v1/embeddings'],
  ['images', '/v1/images/generations'],
  ['transcription', '/v1/audio/transcriptions'],
  ['speech', '/v1/audio/speech'],
  ['moderations', '/v1/moderations'],
  ['gemini-native', '/v1/rerank'],
  ['cohere', '/v1/rerank'],
  ['ollama', '/v1/rerank'],
  ['anthropic-messages', '/v1/messages'],
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
  if (/_C0FFEE$/.test(path)) return fetch(gateway.url + path, { headers })
  if (path.startsWith('/v1/audio/trans')) {
    const body = new FormData()
    body.set('model', file)
    body.set('file', new File(['x'], 'x.wav'))
    return fetch(gateway.url + path, { method: 'POST', headers, body })
  }
  const stream = file.endsWith('.sse')
  return gateway.chat({ model: file, stream, prompt: 'x', input: 'x', messages: [], max_tokens: 1 }, headers, path)
}

/** Fetched objects are no calls of a model: their own test is below. */
const CALLS = USAGE_ROWS.filter(({ file }) => !/^(?:batch|responses-background)/.test(file))

test('whatever form a server tells its usage in, the books have it', async () => {
  await using gateway = await startMetered(answerRecorded)
  const key = await gateway.key()
  for (const { file } of CALLS) {
    const answer = await call(gateway, key, file)
    expect([file, answer.status]).toEqual([file, 200])
    await answer.arrayBuffer()
  }
  const books = await gateway.bookedByModel(CALLS.length)
  for (const { file, usage, told } of CALLS) {
    const booked = Object.entries(books.get(file)?.usage ?? {})
    const counts = Object.fromEntries(booked.filter(([, count]) => count !== 0))
    // Where nothing is told, the prompt counts by the request's bytes.
    if (told?.isEstimated === true || Object.keys(usage).length === 0)
      expect([file, counts]).toMatchObject([file, usage])
    else expect([file, counts]).toEqual([file, { ...usage }])
  }
})

test('a batch, and a response of the background, are booked when they are fetched, and once', async () => {
  await using gateway = await startMetered(answerRecorded)
  const key = await gateway.key()
  for (let times = 0; times < 3; times += 1) {
    await (await call(gateway, key, 'batch.json')).arrayBuffer()
    await (await call(gateway, key, 'responses-background.json')).arrayBuffer()
  }
  // This one was booked when it was made.
  const headers = { authorization: `Bearer ${key}`, 'x-fixture': 'responses.json' }
  await (await fetch(`${gateway.url}/v1/responses/resp_2`, { headers })).arrayBuffer()
  await (await call(gateway, key, 'embeddings.json')).arrayBuffer()
  const { requests, usage } = await gateway.booked(3)
  expect(requests).toBe(3)
  expect([usage['inputText'], usage['outputText']]).toEqual([2200 + 2000 + 8, 200 + 154])
})

test('a response is booked each time that it is made, though a server gives all of them one id', async () => {
  await using gateway = await startMetered(answerRecorded)
  const key = await gateway.key()
  for (let times = 0; times < 2; times += 1) await (await call(gateway, key, 'responses.json')).arrayBuffer()
  // The model is the one that was asked for.
  expect((await gateway.bookedByModel(2)).get('responses.json')?.usage['outputReasoning']).toBe(512)
})
