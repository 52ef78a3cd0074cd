import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { gzipSync } from 'node:zlib'
import { REST_MS } from '../../src/exchange/answer-end.ts'
import type { UpstreamConnection } from '../helpers/scripted-upstream.ts'
import type { SentRequest } from '../helpers/send-request.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { byHand, SSE } from '../helpers/upstream-scripts.ts'
import { AT_ONCE_MS, within } from '../helpers/within.ts'

setDefaultTimeout(60_000)

let gateway: TestGateway<'openai'>

beforeAll(async () => {
  gateway = await startGateway({ upstreams: { openai: byHand } })
})

afterAll(() => gateway.stop())

const event = (data: object, name?: string): string =>
  `${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`
const FIRST = event({ choices: [{ index: 0, delta: { content: 'hi' } }] })
const LARGE = 'x'.repeat(300_000)

/** What each protocol ends with: with it, the client has all that it asked for. */
const LAST_EVENTS: readonly (readonly [name: string, target: string, last: string])[] = [
  ['a chat completion', '/v1/chat/completions', 'data: [DONE]\n\n'],
  ['a chat completion in CR LF', '/v1/chat/completions', 'data: [DONE]\r\n\r\n'],
  ['a chat completion in CR, without a space', '/v1/chat/completions', 'data:[DONE]\r\r'],
  ['a chat completion without /v1', '/chat/completions', 'data: [DONE]\n\n'],
  ['a chat completion with a comment behind', '/v1/chat/completions', 'data: [DONE]\n\n: bye\n\n'],
  ['a chat completion that failed', '/v1/chat/completions', event({ error: { message: 'gone' } })],
  ['a text completion', '/v1/completions', 'data: [DONE]\n\n'],
  ['a response', '/v1/responses', event({ type: 'response.completed', response: {} }, 'response.completed')],
  [
    'a large response',
    '/v1/responses',
    event({ type: 'response.completed', response: { output: LARGE } }, 'response.completed'),
  ],
  ['a response that is told in data only', '/v1/responses', event({ response: {}, type: 'response.incomplete' })],
  ['a response that failed', '/v1/responses', event({ type: 'response.failed', response: {} })],
  ['a response with [DONE] behind', '/v1/responses', `${event({ type: 'response.completed' })}data: [DONE]\n\n`],
  ['a message', '/v1/messages', event({ type: 'message_stop' }, 'message_stop')],
  ['an image', '/v1/images/generations', event({ type: 'image_generation.completed', b64_json: LARGE })],
  ['a transcript', '/v1/audio/transcriptions', event({ type: 'transcript.text.done', text: 'hi' })],
  ['speech', '/v1/audio/speech', event({ type: 'speech.audio.done' })],
  ['a run', '/v1/threads/t/runs', 'event: done\ndata: [DONE]\n\n'],
]

/** Begins a stream, and resolves when the client has had its last event, which may come in pieces. */
async function toLastEvent(
  call: SentRequest,
  connection: UpstreamConnection,
  last: string,
  pieces: readonly string[] = [last],
): Promise<void> {
  connection.startChunked(200, SSE)
  connection.chunk(FIRST)
  for (const piece of pieces) connection.chunk(piece)
  await call.client.until((received) => tailOf(received).endsWith(last.slice(-40)))
}

/** The end of a body without its framing: as much as a test looks for. */
function tailOf(received: Buffer): string {
  return received
    .subarray(-4096)
    .toString('latin1')
    .replace(/\r\n[0-9a-f]+\r\n/g, '')
    .replace(/\r\n$/, '')
}

describe('a client that leaves with the last event has had all of its answer', () => {
  test.each(LAST_EVENTS)('of %s: complete, and the connection upstream is kept', async (_name, target, last) => {
    const before = gateway.upstreams.openai.connectionCount()
    for (let times = 0; times < 3; times += 1) {
      const call = await gateway.send({ target })
      const { connection } = await gateway.upstreams.openai.arrival()
      await toLastEvent(call, connection, last)
      call.client.leave()
      await call.client.closed
      connection.endChunks()
      expect(await call.record()).toMatchObject({ status: 200, outcome: 'complete', stream: true, attempts: 1 })
    }
    expect(gateway.upstreams.openai.connectionCount() - before).toBeLessThanOrEqual(1)
  })

  test.each([1, 4, 6, 9, 12, 13])('also where [DONE] comes in two pieces, cut at %i', async (at) => {
    const call = await gateway.send()
    const { connection } = await gateway.upstreams.openai.arrival()
    const last = 'data: [DONE]\n\n'
    await toLastEvent(call, connection, last, [last.slice(0, at), last.slice(at)])
    call.client.leave()
    expect(await call.record()).toMatchObject({ status: 200, outcome: 'complete' })
    connection.endChunks()
  })

  test('also where it comes byte by byte, and the client leaves with a reset', async () => {
    const call = await gateway.send({ target: '/v1/responses' })
    const { connection } = await gateway.upstreams.openai.arrival()
    const last = event({ type: 'response.completed', response: { id: 'r' } })
    await toLastEvent(call, connection, last, [...last])
    call.client.socket.resetAndDestroy()
    expect(await call.record()).toMatchObject({ status: 200, outcome: 'complete' })
    connection.endChunks()
  })

  test('also where the upstream never ends the body: then it is left after a moment', async () => {
    const call = await gateway.send()
    const { connection } = await gateway.upstreams.openai.arrival()
    await toLastEvent(call, connection, 'data: [DONE]\n\n')
    call.client.leave()
    await within(AT_ONCE_MS, 'closing', connection.closed)
    expect(await call.record()).toMatchObject({ status: 200, outcome: 'complete' })
  })

  test('also where the upstream breaks off behind it, with the client there', async () => {
    const call = await gateway.send()
    const { connection } = await gateway.upstreams.openai.arrival()
    await toLastEvent(call, connection, 'data: [DONE]\n\n')
    connection.reset()
    const response = await call.client.response()
    expect([response.isComplete, response.text()]).toEqual([true, `${FIRST}data: [DONE]\n\n`])
    expect(await call.record()).toMatchObject({ status: 200, outcome: 'complete' })
  })

  test('in gzip, where nobody looks: the body’s end within a moment says so', async () => {
    const call = await gateway.send()
    const { connection } = await gateway.upstreams.openai.arrival()
    const gzipped = gzipSync(`${FIRST}data: [DONE]\n\n`)
    connection.startChunked(200, { ...SSE, 'content-encoding': 'gzip' })
    connection.chunk(gzipped.subarray(0, -8))
    await call.client.until((received) => received.includes('content-encoding') && received.length > 200)
    call.client.leave()
    await call.client.closed
    connection.chunk(gzipped.subarray(-8))
    connection.endChunks()
    expect(await call.record()).toMatchObject({ status: 200, outcome: 'complete' })
  })
})

describe('a client that leaves before the last event cancels its call', () => {
  test.each<[string, string, readonly string[]]>([
    [
      'at text that speaks of it',
      '/v1/chat/completions',
      [event({ choices: [{ delta: { content: 'data: [DONE]' } }] })],
    ],
    ['at the beginning of it', '/v1/chat/completions', ['data: [DO']],
    ['at a finish_reason', '/v1/chat/completions', [event({ choices: [{ delta: {}, finish_reason: 'stop' }] })]],
    ['at another protocol’s', '/v1/responses', [event({ type: 'response.output_text.done' })]],
    ['at the beginning of a large one', '/v1/responses', [`data: {"type":"response.completed","response":"${LARGE}`]],
    ['at a partial image', '/v1/images/generations', [event({ type: 'image_generation.partial_image' })]],
  ])('%s', async (_where, target, chunks) => {
    const call = await gateway.send({ target })
    const { connection } = await gateway.upstreams.openai.arrival()
    await toLastEvent(call, connection, chunks.at(-1) ?? '', chunks)
    call.client.leave()
    await within(AT_ONCE_MS, 'closing', connection.closed)
    expect(await call.record()).toMatchObject({ status: 499, outcome: 'cancelled' })
  })

  test('in gzip: a moment later', async () => {
    const call = await gateway.send()
    const { connection } = await gateway.upstreams.openai.arrival()
    connection.startChunked(200, { ...SSE, 'content-encoding': 'gzip' })
    connection.chunk(gzipSync(FIRST).subarray(0, -8))
    await call.client.until((received) => received.includes('content-encoding') && received.length > 200)
    call.client.leave()
    await within(AT_ONCE_MS, 'closing', connection.closed)
    expect(await call.record()).toMatchObject({ status: 499, outcome: 'cancelled' })
  })
})

test('forty streamed chats of clients that close at [DONE], with the body’s end up to 50 ms behind, cost few connections', async () => {
  const before = gateway.upstreams.openai.connectionCount()
  const outcomes: unknown[] = []
  let tooLate = 0
  for (let number = 0; number < 40; number += 1) {
    const call = await gateway.send()
    const { connection } = await gateway.upstreams.openai.arrival()
    await toLastEvent(call, connection, 'data: [DONE]\n\n')
    call.client.leave()
    const leftAt = performance.now()
    await Bun.sleep([1, 5, 20, 50][number % 4] ?? 0)
    if (performance.now() - leftAt > REST_MS / 2 + 10) tooLate += 1
    connection.endChunks()
    outcomes.push((await call.record())['outcome'])
  }
  expect(outcomes).toEqual(Array(40).fill('complete'))
  // One, but for a machine that is too busy to end them, or to read on, within the moment that it has for it.
  expect(gateway.upstreams.openai.connectionCount() - before).toBeLessThanOrEqual(10 + tooLate)
})
