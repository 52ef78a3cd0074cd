import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { DONE, event } from '../helpers/cache-calls.ts'
import { perTest } from '../helpers/per-test.ts'
import { openRawClient, postText } from '../helpers/raw-client.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { AT_ONCE_MS, within } from '../helpers/within.ts'

setDefaultTimeout(60_000)

const start = perTest(startGateway)
const SSE = 'text/event-stream'
const JSON_TYPE = 'application/json'
const GONE = { code: 502, message: 'Provider disconnected' }

const data = (value: object): string => `data: ${JSON.stringify(value)}\n\n`
const chunk = (more: object, choice: object = {}): string =>
  data({
    id: 'c',
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta: { content: '' }, ...choice }],
    ...more,
  })
const completion = (more: object, choice: object = {}): string =>
  JSON.stringify({ id: 'c', choices: [{ index: 0, message: { content: 'x' }, ...choice }], usage: {}, ...more })
const response = (more: object): object => ({ id: 'resp_1', object: 'response', output: [], ...more })

/** Answers each request with all of a body, in as many pieces as a stream has events. */
function answering(body: Uint8Array | string, type: string, coding?: string): Script {
  const headers = { 'content-type': type, ...(coding !== undefined && { 'content-encoding': coding }) }
  return async (request, connection) => {
    await request.body
    if (type === JSON_TYPE) return connection.respond(200, headers, body)
    connection.startChunked(200, headers)
    for (const piece of typeof body === 'string' ? body.split(/(?<=\n\n)/) : [body]) connection.chunk(piece)
    connection.endChunks()
  }
}

/** How often the upstream was called for two equal requests, by the cache and under one Idempotency-Key. */
async function callsFor(script: Script, path: string): Promise<readonly [byCache: number, byKey: number]> {
  const gateway = await start({ upstreams: { one: script }, file: { cache: { store: 'memory' } } })
  const body = JSON.stringify({
    model: 'm',
    temperature: 0,
    store: false,
    stream: true,
    messages: MESSAGES,
    input: 'a',
  })
  for (let call = 0; call < 2; call += 1) await post(gateway, path, body, {})
  const byCache = gateway.upstreams.one.requests.length
  for (let call = 0; call < 2; call += 1) await post(gateway, path, body, { 'idempotency-key': 'k-1' })
  return [byCache, gateway.upstreams.one.requests.length - byCache]
}

async function post({ port }: TestGateway, path: string, body: string, headers: Readonly<Record<string, string>>) {
  const client = await openRawClient(port)
  client.write(postText(path, body, { 'accept-encoding': 'gzip, deflate, br, zstd', ...headers }))
  const answer = await within(AT_ONCE_MS, 'the answer', client.response())
  expect([answer.status, answer.isComplete]).toEqual([200, true])
}

const CHAT = '/v1/chat/completions'
const RESPONSES = '/v1/responses'

const FAILED: readonly (readonly [name: string, path: string, type: string, body: string])[] = [
  ['an error in a chunk that begins with its id', CHAT, SSE, event('a') + chunk({ error: GONE }) + DONE],
  ['finish_reason "error"', CHAT, SSE, event('a') + chunk({}, { finish_reason: 'error' }) + DONE],
  ['an error of a choice', CHAT, SSE, event('a') + chunk({}, { error: GONE }) + DONE],
  ['an event called error', CHAT, SSE, `${event('a')}event: error\ndata: {"message":"gone"}\n\n${DONE}`],
  ['a late error of a text completion', '/v1/completions', SSE, `${data({ choices: [], error: 'gone' })}${DONE}`],
  ['a failed response', RESPONSES, SSE, data({ response: response({ status: 'failed' }), type: 'response.failed' })],
  [
    'a completed response that holds a failure',
    RESPONSES,
    SSE,
    data({ type: 'response.completed', response: response({ status: 'failed', error: GONE }) }),
  ],
  [
    'a completed response with an error',
    RESPONSES,
    SSE,
    data({ response: response({ status: 'completed', error: GONE }), type: 'response.completed' }),
  ],
  ['an error behind everything', CHAT, JSON_TYPE, completion({ error: GONE })],
  ['an error of a choice, in JSON', CHAT, JSON_TYPE, completion({}, { error: GONE })],
  ['finish_reason "error", in JSON', CHAT, JSON_TYPE, completion({}, { finish_reason: 'error' })],
  ['a late status', RESPONSES, JSON_TYPE, JSON.stringify(response({ padding: 'x'.repeat(2000), status: 'failed' }))],
  ['an error that is text', '/v1/embeddings', JSON_TYPE, '{"data":[],"error":"gone"}'],
]
const GOOD: readonly (readonly [name: string, path: string, type: string, body: string])[] = [
  ['errors that are null', CHAT, SSE, event('a') + chunk({ error: null }, { error: null }) + DONE],
  ['text about errors', CHAT, SSE, event('\\"error\\": {\\"code\\": 1}') + DONE],
  [
    'an incomplete response',
    RESPONSES,
    SSE,
    data({ type: 'response.incomplete', response: response({ error: null }) }),
  ],
  ['an error that is null, in JSON', CHAT, JSON_TYPE, completion({ error: null })],
  ['a completed response', RESPONSES, JSON_TYPE, JSON.stringify(response({ error: null, status: 'completed' }))],
]
const CODINGS: readonly (readonly [string, (text: string) => Uint8Array])[] = [
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
]

describe('a failure behind a 200 is not kept, and the next request reaches the upstream:', () => {
  test.each(FAILED)('%s', async (_name, path, type, body) => {
    expect(await callsFor(answering(body, type), path)).toEqual([2, 2])
  })

  test.each(FAILED)('%s, in gzip', async (_name, path, type, body) => {
    expect(await callsFor(answering(gzipSync(body), type, 'gzip'), path)).toEqual([2, 2])
  })

  test('an error behind so much text that it takes a while to be found: who asks at once behind its end does not get it', async () => {
    let seed = 7
    const word = (): string => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed.toString(36)
    }
    const body = completion({ padding: Array.from({ length: 100_000 }, word).join(' '), error: GONE })
    expect(await callsFor(answering(brotliCompressSync(body), JSON_TYPE, 'br'), CHAT)).toEqual([2, 2])
    expect(await callsFor(answering(body, JSON_TYPE), CHAT)).toEqual([2, 2])
  })
})

describe('an answer that is none is kept:', () => {
  test.each(GOOD)('%s', async (_name, path, type, body) => {
    expect(await callsFor(answering(body, type), path)).toEqual([1, 1])
  })

  test.each(GOOD)('%s, in gzip', async (_name, path, type, body) => {
    expect(await callsFor(answering(gzipSync(body), type, 'gzip'), path)).toEqual([1, 1])
  })
})

describe.each(CODINGS)('in %s', (coding, encode) => {
  const good = event('a') + DONE

  test('a good stream is kept, a failed one and one that was cut are not', async () => {
    expect(await callsFor(answering(encode(good), SSE, coding), CHAT)).toEqual([1, 1])
    expect(await callsFor(answering(encode(chunk({ error: GONE }) + DONE), SSE, coding), CHAT)).toEqual([2, 2])
    expect(await callsFor(answering(encode(good).subarray(0, -1), SSE, coding), CHAT)).toEqual([2, 2])
    expect(await callsFor(answering(encode(completion({})).subarray(0, -4), JSON_TYPE, coding), CHAT)).toEqual([2, 2])
  })
})

test('what nobody here can decode is not kept by the cache; under its key it may have been paid for, so it is given again as it came', async () => {
  expect(await callsFor(answering(event('a') + DONE, SSE, 'compress'), CHAT)).toEqual([2, 1])
})
