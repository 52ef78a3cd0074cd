import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { gzipSync } from 'node:zlib'
import { DONE, event } from '../helpers/cache-calls.ts'
import { extensionFiles } from '../helpers/extension-files.ts'
import { perTest } from '../helpers/per-test.ts'
import { openRawClient, postText, type RawResponse } from '../helpers/raw-client.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerAs } from '../helpers/upstream-scripts.ts'
import { AT_ONCE_MS, within } from '../helpers/within.ts'

setDefaultTimeout(60_000)

const start = perTest(startGateway)
const { write } = extensionFiles()
const PASS = write('pass', 'return next(request)')
const EACH = write('each', 'const r = await next(request); return context.stream(context.events(r), r)')
const BODY = JSON.stringify({ model: 'm', temperature: 0, stream: true, messages: MESSAGES })
const KEY = { 'idempotency-key': 'k-1' }
const CACHED = { cache: { store: 'memory' } }
const FINISHED = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
const USAGE = 'data: {"choices":[],"usage":{"total_tokens":3}}\n\n'

/** Answers as a server of HTTP/1.0 does: with neither a length nor chunks, until it closes. */
function untilClose(body: string, type = 'text/event-stream', version = '1.0'): Script {
  return async (request, { socket }) => {
    await request.body
    socket.end(`HTTP/${version} 200 OK\r\nContent-Type: ${type}\r\n\r\n${body}`)
  }
}

/** Answers in chunks that come to their proper end. */
function chunked(...chunks: readonly string[]): Script {
  return async (request, connection) => {
    await request.body
    connection.startChunked(200, { 'content-type': 'text/event-stream' })
    for (const chunk of chunks) connection.chunk(chunk)
    connection.endChunks()
  }
}

/** Asks, and gives what came until the body's end, or the connection's. */
async function ask(
  { port }: TestGateway,
  headers: Readonly<Record<string, string>> = {},
  target = '/v1/chat/completions',
): Promise<RawResponse> {
  const client = await openRawClient(port)
  client.write(postText(target, BODY, headers))
  return within(AT_ONCE_MS, 'the answer', client.response())
}

const WAYS: readonly (readonly [string, object, Readonly<Record<string, string>>])[] = [
  ['on its own way', {}, {}],
  ['through the cache', CACHED, {}],
  ['with an alias', { models: { m: { targets: [{ upstream: 'one' }], report_model: 'alias' } } }, {}],
  ['through an extension that passes it on', { extensions: [PASS] }, {}],
  ['through an extension that reads it', { extensions: [EACH] }, {}],
  ['with pings', {}, { SSE_PING_MS: '10000' }],
]

describe.each(WAYS)('a stream that ends by closing, %s,', (_way, file, env) => {
  test('is broken without its last event: the client sees an error and a break, the log a failure of the upstream', async () => {
    const gateway = await start({ upstreams: { one: untilClose(event('a')) }, file, env })
    const answer = await ask(gateway)
    expect([answer.status, answer.isComplete]).toEqual([200, false])
    expect(answer.text()).toStartWith(event('a'))
    expect(JSON.parse(answer.text().slice(event('a').length + 'data: '.length))).toMatchObject({
      error: { type: 'server_error' },
    })
    expect(await gateway.exchange(1)).toMatchObject({ status: 200, outcome: 'failed', error: 'upstream_unreachable' })
  })

  test.each([
    ['[DONE]', event('a') + DONE],
    ['[DONE], and no blank line', `${event('a')}data: [DONE]`],
    ['[DONE] and comments', `${event('a')}${DONE}: keepalive 1/1\n\n`],
    ['a finish_reason', event('a') + FINISHED],
    ['a finish_reason and its usage', event('a') + FINISHED + USAGE],
    ['an error', `${event('a')}data: {"error":{"message":"gone"}}\n\n`],
  ])('is complete with %s', async (_last, body) => {
    const gateway = await start({ upstreams: { one: untilClose(body) }, file, env })
    const answer = await ask(gateway)
    expect([answer.isComplete, answer.text()]).toEqual([true, body])
    expect(await gateway.exchange(1)).toMatchObject({ status: 200, outcome: 'complete' })
  })

  test.each([
    ['in chunks', chunked()],
    ['in chunks, with comments alone', chunked(': ping\n\n', ': ping\n\n')],
    ['by closing', untilClose('')],
  ])('is broken without a single event: %s', async (_how, script) => {
    const gateway = await start({ upstreams: { one: script }, file, env })
    const answer = await ask(gateway)
    expect([answer.status, answer.isComplete]).toEqual([200, false])
    expect(answer.text()).toContain('data: {"error":')
    expect(await gateway.exchange(1)).toMatchObject({ outcome: 'failed', error: 'upstream_invalid_response' })
  })
})

describe('where the framing can’t tell,', () => {
  test.each([
    ['/v1/completions', event('a')],
    ['/v1/responses', 'event: response.created\ndata: {"type":"response.created"}\n\n'],
    ['/v1/messages', 'event: message_start\ndata: {"type":"message_start"}\n\n'],
    ['/v1/images/generations', 'data: {"type":"image_generation.partial_image"}\n\n'],
    ['/v1/audio/transcriptions', 'data: {"type":"transcript.text.delta"}\n\n'],
  ])('a stream of %s without its last event is broken', async (target, body) => {
    const gateway = await start({ upstreams: { one: untilClose(body, 'text/event-stream', '1.1') }, file: {} })
    expect((await ask(gateway, {}, target)).isComplete).toBe(false)
    expect(await gateway.exchange(1)).toMatchObject({ outcome: 'failed', stream: true })
  })

  test.each([
    ['/v1/responses', 'data: {"type":"response.completed","response":{}}\n\n'],
    ['/v1/messages', 'event: message_stop\ndata: {"type":"message_stop"}\n\n'],
    ['/v1/threads/t/runs', 'event: thread.run.created\ndata: {}\n\n'],
  ])('a stream of %s that ends with %j is complete', async (target, body) => {
    const gateway = await start({ upstreams: { one: untilClose(body) }, file: {} })
    const answer = await ask(gateway, {}, target)
    expect([answer.isComplete, answer.text()]).toEqual([true, body])
  })

  test.each([
    ['{"choices":[{"message":{"content":"half', false],
    ['', false],
    ['{"choices":[]}\n', true],
    ['[1]', true],
  ])('JSON is whole with its last bracket: %j', async (body, isComplete) => {
    const gateway = await start({ upstreams: { one: untilClose(body, 'application/json') }, file: {} })
    expect((await ask(gateway)).isComplete).toBe(isComplete)
    expect(await gateway.exchange(1)).toMatchObject({ outcome: isComplete ? 'complete' : 'failed' })
  })
})

test('nothing is looked for in what is encoded, but whether there is anything', async () => {
  const gzipped =
    (body: string, type: string): Script =>
    async (request, { socket }) => {
      await request.body
      socket.write(`HTTP/1.0 200 OK\r\nContent-Type: ${type}\r\nContent-Encoding: gzip\r\n\r\n`)
      socket.end(body === '' ? '' : gzipSync(body))
    }
  for (const [body, type, isComplete] of [
    [event('a'), 'text/event-stream', true],
    ['{"a":1}', 'application/json', true],
    ['', 'text/event-stream', false],
  ] as const) {
    const gateway = await start({ upstreams: { one: gzipped(body, type) }, file: {} })
    expect((await ask(gateway)).isComplete).toBe(isComplete)
  }
})

test('a stream in chunks that come to their end needs no last event: some servers send none', async () => {
  const gateway = await start({ upstreams: { one: chunked(event('a')) }, file: {} })
  const answer = await ask(gateway)
  expect([answer.isComplete, answer.text()]).toEqual([true, event('a')])
  expect(await gateway.exchange(1)).toMatchObject({ outcome: 'complete' })
})

describe('what is kept', () => {
  test.each([
    ['ends by closing, without its last event', untilClose(event('a'))],
    ['ends without an event', chunked()],
    ['ends in chunks, without a finish_reason', chunked(event('a'))],
  ])('is no stream that %s', async (_how, script) => {
    const gateway = await start({ upstreams: { one: script }, file: CACHED })
    for (const headers of [{}, {}, KEY, KEY]) await ask(gateway, headers)
    expect(gateway.upstreams.one.requests).toHaveLength(4)
  })

  test.each([
    ['ends by closing, with its last event', untilClose(event('a') + DONE)],
    ['has a finish_reason and no [DONE]', chunked(event('a'), FINISHED, USAGE)],
  ])('is one that %s', async (_how, script) => {
    const gateway = await start({ upstreams: { one: script }, file: CACHED })
    for (const headers of [{}, {}, KEY, KEY]) expect((await ask(gateway, headers)).isComplete).toBe(true)
    expect(gateway.upstreams.one.requests).toHaveLength(2)
  })
})

test.each([
  ['end by closing, without their last event', untilClose(event('a'))],
  ['end without an event', chunked()],
])('streams that %s open the breaker', async (_how, script) => {
  const gateway = await start({
    upstreams: { one: script, two: answerAs('two') },
    file: {
      models: { m: { targets: [{ upstream: 'one' }, { upstream: 'two' }] } },
      breaker: { failures: 2, open: '1h', open_max: '1h' },
      retry: { attempts: 1 },
    },
  })
  for (let call = 0; call < 4; call += 1) await ask(gateway)
  expect([gateway.upstreams.one.requests.length, gateway.upstreams.two.requests.length]).toEqual([2, 2])
})
