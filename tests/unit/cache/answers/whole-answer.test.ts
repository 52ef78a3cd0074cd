import { describe, expect, test } from 'bun:test'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { isWholeAnswer } from '../../../../src/cache/answers/whole-answer.ts'
import { cpuMs } from '../../../helpers/cpu-time.ts'

const SSE = 'text/event-stream; charset=utf-8'
const JSON_TYPE = 'application/json; charset=utf-8'

function isWhole(
  endpoint: string,
  type: string,
  chunks: readonly (string | Uint8Array)[],
  coding?: string,
): boolean | Promise<boolean> {
  const headers = new Headers({ 'content-type': type, ...(coding !== undefined && { 'content-encoding': coding }) })
  return isWholeAnswer(
    endpoint,
    headers,
    chunks.map((chunk) => ({ bytes: new Uint8Array(Buffer.from(chunk)) })),
  )
}

const event = (data: unknown, name?: string): string =>
  `${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`
const delta = (more: object = {}, choice: object = {}): string =>
  event({
    id: 'c',
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta: { content: 'x' }, ...choice }],
    ...more,
  })

describe('a stream that ended properly is a whole answer', () => {
  const DELTA = 'data: {"choices":[{"delta":{"content":"\\ndata: {\\"error\\""}}]}\n\n'
  const COMPLETED = 'event: response.completed\ndata: {"type":"response.completed","response":{}}\n\n'
  const DONE = 'data: [DONE]\n\n'

  test.each<[string, string[]]>([
    ['chat/completions', [DELTA, 'data: [DO', 'NE]\n\n']],
    ['chat/completions', [DELTA, 'data: [DONE]\r\n\r\n']],
    ['chat/completions', ['\uFEFFdata: [DONE]\r\r']],
    ['chat/completions', ['data: {"error":null,"choices":[]}\n\n', 'data:[DONE]\n']],
    ['chat/completions', [DELTA, DONE, ': bye\n\n']],
    ['chat/completions', [delta(), delta({}, { delta: {}, finish_reason: 'stop' })]],
    ['chat/completions', [delta({}, { finish_reason: 'stop' }), event({ choices: [], usage: { total_tokens: 1 } })]],
    ['completions', [event({ choices: [{ index: 0, text: 'x', finish_reason: 'length' }] })]],
    ['completions', [DELTA, DONE]],
    ['responses', ['event: response.created\ndata: {"type":"response.created"}\n\n', COMPLETED]],
    ['responses', ['data: {"type":"response.incomplete","response":{}}\n\n']],
    ['responses', [COMPLETED, DONE]],
    ['messages', [event({ type: 'message_start' }), event({ type: 'message_stop' }, 'message_stop')]],
    ['audio/speech', ['data: {"type":"speech.audio.done"}\n\n']],
    ['audio/transcriptions', [event({ type: 'transcript.text.done' })]],
    [
      'images/generations',
      [event({ type: 'image_generation.completed' }), event({ type: 'image_generation.completed' })],
    ],
    ['threads/runs', [event({ id: 'x' }, 'thread.run.created')]],
  ])('of %s: %j', (endpoint, chunks) => {
    expect(isWhole(endpoint, SSE, chunks)).toBe(true)
  })

  test.each<[string, string[]]>([
    ['chat/completions', []],
    ['chat/completions', [': ping\n\n']],
    ['chat/completions', [DELTA]],
    ['chat/completions', [delta({}, { index: 1 }), delta({}, { finish_reason: 'stop' })]],
    ['chat/completions', [DELTA, 'data: {"error":{"message":"overloaded"}}\n\n', DONE]],
    ['chat/completions', [delta({ error: { code: 502 } }), DONE]],
    ['chat/completions', [delta({}, { finish_reason: 'error' }), DONE]],
    ['chat/completions', [delta({}, { error: { code: 502 } }), DONE]],
    ['chat/completions', [DONE, DELTA]],
    ['chat/completions', ['data: {"content":"data: [DONE]"}\n\n']],
    ['responses', ['event: error\ndata: {"type":"error"}\n\n']],
    ['responses', ['event: response.failed\ndata: {"type":"response.failed","response":{}}\n\n', COMPLETED]],
    ['responses', [event({ response: { output: [], error: { code: 'x' } }, type: 'response.completed' })]],
    ['responses', ['event: response.created\ndata: {"type":"response.created"}\n\n']],
    ['responses', ['event: response.created\ndata: {"type":"response.created"}\n\n', DONE]],
    ['messages', [event({ type: 'message_start' })]],
    ['messages', [event({ type: 'error', error: {} }, 'error'), event({ type: 'message_stop' })]],
    ['audio/speech', ['data: {"error":{"message":"overloaded"}}\n\n']],
    ['audio/transcriptions', [event({ type: 'transcript.text.delta' })]],
    ['threads/runs', [event({ status: 'failed' }, 'thread.run.failed'), 'event: done\ndata: [DONE]\n\n']],
  ])('but this one of %s is not: %j', (endpoint, chunks) => {
    expect(isWhole(endpoint, SSE, chunks)).toBe(false)
  })
})

describe('a body in JSON that ended properly is a whole answer', () => {
  test.each<[string, string[]]>([
    ['chat/completions', ['{"a":', '1}']],
    ['chat/completions', [' \n{"error":null}\r\n']],
    ['embeddings', ['[]']],
    ['responses', ['{"id":"r","status":"completed"}']],
    ['chat/completions', ['{"status":"failed"}']],
  ])('of %s: %j', (endpoint, chunks) => {
    expect(isWhole(endpoint, 'application/json', chunks)).toBe(true)
  })

  const PADDING = 'x'.repeat(600_000)

  test.each<[string, string[]]>([
    ['chat/completions', []],
    ['chat/completions', ['{"a":1']],
    ['chat/completions', ['[{"a":1}']],
    ['chat/completions', ['a}']],
    ['chat/completions', ['{"a":{"b":1}']],
    ['chat/completions', ['{ "error" : {"message":"no"}}']],
    ['chat/completions', ['{"id":"c","choices":[],"usage":{},"error":{"message":"no"}}']],
    ['chat/completions', [`{"padding":"${PADDING}","error":{"message":"no"}}`]],
    ['chat/completions', [`{"padding":"${PADDING}","\\u0065rror":{"message":"no"}}`]],
    ['chat/completions', ['{"choices":[{"finish_reason":"error"}]}']],
    ['responses', ['{"id":"r","status": "failed"}']],
    ['responses', [`{"output":["${PADDING}"],"status":"failed"}`]],
    ['responses', ['{"id":"r","status":"in_progress"}']],
    ['responses', ['{"id":"r","status":"queued","background":true}']],
    ['messages', ['{"type":"error","request_id":"r"}']],
  ])('but this one of %s is not: %#', async (endpoint, chunks) => {
    expect(await isWhole(endpoint, JSON_TYPE, chunks)).toBe(false)
  })

  test('and of other types nothing can be said, unless it has to be JSON or events', () => {
    expect(isWhole('models', 'text/plain', ['{'])).toBe(true)
    expect(isWholeAnswer('models', new Headers(), [])).toBe(true)
    expect(isWhole('chat/completions', 'text/plain', ['{"error":"no"}'])).toBe(false)
    expect(isWhole('chat/completions', 'text/plain', [delta()])).toBe(false)
    expect(isWhole('audio/transcriptions', 'text/plain', ['{"error":"is what was said"}'])).toBe(true)
  })
})

describe('an encoded body is judged by what it says', () => {
  const GOOD = `${delta()}data: [DONE]\n\n`
  const FAILED = `${delta()}${delta({ error: { code: 502 } })}data: [DONE]\n\n`
  const CODINGS: readonly [coding: string, encode: (text: string) => Uint8Array][] = [
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
    ['GZIP, identity', gzipSync],
    ['gzip, br', (text) => brotliCompressSync(gzipSync(text))],
  ]

  test.each(CODINGS)('in %s', async (coding, encode) => {
    expect(await isWhole('chat/completions', SSE, [encode(GOOD)], coding)).toBe(true)
    expect(await isWhole('chat/completions', SSE, [encode(FAILED)], coding)).toBe(false)
    expect(await isWhole('chat/completions', SSE, [encode(GOOD).subarray(0, -1)], coding)).toBe(false)
    expect(await isWhole('chat/completions', JSON_TYPE, [encode('{"choices":[]}')], coding)).toBe(true)
    expect(await isWhole('chat/completions', JSON_TYPE, [encode('{"choices":[],"error":"no"}')], coding)).toBe(false)
    expect(await isWhole('models', 'text/plain', [encode('text')], coding)).toBe(true)
    expect(await isWhole('models', 'text/plain', [encode('text').subarray(0, -3)], coding)).toBe(false)
  })

  test.each(['compress', 'gzip, compress', 'nonsense'])(
    'and one in %s, which nobody can read, is not kept',
    async (coding) => {
      expect(await isWhole('chat/completions', SSE, [GOOD], coding)).toBe(false)
    },
  )

  test('identity is no coding', () => {
    expect(isWhole('chat/completions', SSE, [GOOD], 'identity')).toBe(true)
    expect(isWhole('chat/completions', SSE, [delta()], 'identity')).toBe(false)
  })
})

test('a large answer is judged in a moment', async () => {
  const numbers = `{"data":[${'0.123456789,'.repeat(700_000)}0]}`
  const words = `${'data: {"choices":[{"index":0,"delta":{"content":"word "}}]}\n\n'.repeat(130_000)}data: [DONE]\n\n`
  const startedAt = cpuMs()
  expect(await isWhole('embeddings', JSON_TYPE, [numbers])).toBe(true)
  expect(await isWhole('chat/completions', SSE, [words])).toBe(true)
  expect(cpuMs() - startedAt).toBeLessThan(5000)
})

describe('a long event says what a short one does', () => {
  const LONG = 'x'.repeat(200_000)
  const DONE = 'data: [DONE]\n\n'

  test.each<[string, string, string, boolean]>([
    ['an answer', 'chat/completions', delta({ x: LONG }) + DONE, true],
    ['an error', 'chat/completions', delta({ x: LONG, error: { code: 502 } }) + DONE, false],
    [
      'an error, over many lines',
      'chat/completions',
      `data: {"x":"${LONG}",\ndata: "error":{"code":502}}\n\n${DONE}`,
      false,
    ],
    ['no error, but its word', 'chat/completions', delta({ x: `${LONG} error` }) + DONE, true],
    ['a last event', 'responses', event({ type: 'response.completed', response: { x: LONG } }), true],
    ['a last event by its name', 'messages', event({ x: LONG }, 'message_stop'), true],
    [
      'a failed one',
      'responses',
      event({ type: 'response.completed', response: { x: LONG, status: 'failed' } }),
      false,
    ],
    ['the end of the only choice', 'chat/completions', delta({ x: LONG, y: 'error' }, { finish_reason: 'stop' }), true],
    ['no end', 'chat/completions', delta({ x: LONG }), false],
  ])('%s', async (_, endpoint, stream, expected) => {
    expect(await isWhole(endpoint, SSE, [stream.slice(0, 70_000), stream.slice(70_000)])).toBe(expected)
  })
})

test('a million blank lines are read at once, and what stands behind them counts', async () => {
  const flood = '\r\n\n\r'.repeat(250_000)
  expect(await isWhole('chat/completions', SSE, [flood, 'data: [DONE]\n\n'])).toBe(true)
  expect(
    await isWhole('chat/completions', SSE, [flood, delta({ error: { code: 502 } }), flood, 'data: [DONE]\n\n']),
  ).toBe(false)
})
