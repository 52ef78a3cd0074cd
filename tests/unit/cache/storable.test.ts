import { describe, expect, test } from 'bun:test'
import { isHeadStorable, isStorable } from '../../../src/cache/storable.ts'
import { isWholeAnswer } from '../../../src/cache/whole-answer.ts'
import { bytesOf } from '../json/json-texts.ts'

const OWN = { isShared: false }
const SHARED = { isShared: true }
const answer = (headers: Record<string, string> = {}, status = 200): Response => new Response(null, { status, headers })

describe('an answer’s head allows that it is kept', () => {
  test.each<Record<string, string>>([
    {},
    { 'cache-control': 'no-cache' },
    { 'cache-control': 'public, max-age=0, must-revalidate' },
    { vary: 'Origin, Accept-Encoding' },
    { 'set-cookie': '__cf_bm=abc; path=/; HttpOnly' },
    { 'set-cookie': '_cfuvid=abc' },
    { 'set-cookie': 'AWSALBCORS=abc' },
  ])('with %j', (headers) => {
    expect(isHeadStorable(answer(headers), OWN)).toBe(true)
    expect(isHeadStorable(answer(headers), SHARED)).toBe(true)
  })

  test.each<[Record<string, string>, number]>([
    [{}, 201],
    [{}, 206],
    [{}, 404],
    [{}, 500],
    [{ 'cache-control': 'max-age=60, No-Store' }, 200],
    [{ vary: '*' }, 200],
    [{ vary: 'user-agent' }, 200],
    [{ 'set-cookie': 'session=abc' }, 200],
    [{ 'set-cookie': '__cf_bm_of_mine=abc' }, 200],
  ])('but not with %j and %d', (headers, status) => {
    expect(isHeadStorable(answer(headers, status), OWN)).toBe(false)
  })

  test('but not with one cookie of a session beside one of a load balancer', () => {
    const both = answer()
    both.headers.append('set-cookie', '__cf_bm=abc')
    both.headers.append('set-cookie', 'session=abc')
    expect(isHeadStorable(both, OWN)).toBe(false)
  })

  test('where it is private: only for a scope of one caller', () => {
    expect(isHeadStorable(answer({ 'cache-control': 'private' }), OWN)).toBe(true)
    expect(isHeadStorable(answer({ 'cache-control': 'private' }), SHARED)).toBe(false)
  })
})

test('only a body that has come to its end is kept', () => {
  expect(isStorable(answer(), { kind: 'complete' }, OWN)).toBe(true)
  expect(isStorable(answer({}, 500), { kind: 'complete' }, OWN)).toBe(false)
  expect(isStorable(answer(), { kind: 'cancelled' }, OWN)).toBe(false)
  expect(isStorable(answer(), { kind: 'failed', cause: undefined }, OWN)).toBe(false)
})

function isWhole(endpoint: string, type: string, chunks: readonly string[], coding?: string): boolean {
  const headers = new Headers({ 'content-type': type, ...(coding !== undefined && { 'content-encoding': coding }) })
  return isWholeAnswer(
    endpoint,
    headers,
    chunks.map((chunk) => ({ bytes: bytesOf(chunk), atMs: 0 })),
  )
}

describe('a stream that ended properly is a whole answer', () => {
  const SSE = 'text/event-stream; charset=utf-8'
  const DELTA = 'data: {"choices":[{"delta":{"content":"\\ndata: {\\"error\\""}}]}\n\n'
  const COMPLETED = 'event: response.completed\ndata: {"type":"response.completed","response":{}}\n\n'

  test.each<[string, string[]]>([
    ['chat/completions', [DELTA, 'data: [DO', 'NE]\n\n']],
    ['chat/completions', [DELTA, 'data: [DONE]\r\n\r\n']],
    ['chat/completions', ['data: {"error":null,"choices":[]}\n\n', 'data:[DONE]\n']],
    ['completions', [DELTA, 'data: [DONE]\n\n', ': bye\n\n'.slice(7)]],
    ['responses', ['event: response.created\ndata: {"type":"response.created"}\n\n', COMPLETED]],
    ['responses', ['data: {"type":"response.incomplete","response":{}}\n\n']],
    ['audio/speech', ['data: {"type":"speech.audio.done"}\n\n']],
  ])('of %s: %j', (endpoint, chunks) => {
    expect(isWhole(endpoint, SSE, chunks)).toBe(true)
  })

  test.each<[string, string[]]>([
    ['chat/completions', []],
    ['chat/completions', [DELTA]],
    ['chat/completions', [DELTA, 'data: {"error":{"message":"overloaded"}}\n\n', 'data: [DONE]\n\n']],
    ['chat/completions', ['data: [DONE]\n\n', DELTA]],
    ['chat/completions', ['data: {"content":"data: [DONE]"}\n\n']],
    ['responses', ['event: error\ndata: {"type":"error"}\n\n']],
    ['responses', ['event: response.failed\ndata: {"type":"response.failed","response":{}}\n\n', COMPLETED]],
    ['responses', ['event: response.created\ndata: {"type":"response.created"}\n\n']],
    ['audio/speech', ['data: {"error":{"message":"overloaded"}}\n\n']],
  ])('but this one of %s is not: %j', (endpoint, chunks) => {
    expect(isWhole(endpoint, SSE, chunks)).toBe(false)
  })

  test('as far as can be said, where it is encoded', () => {
    expect(isWhole('chat/completions', SSE, ['\u001f\u008b'], 'gzip')).toBe(true)
    expect(isWhole('chat/completions', SSE, [DELTA], 'identity')).toBe(false)
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

  test.each<[string, string[]]>([
    ['chat/completions', []],
    ['chat/completions', ['{"a":1']],
    ['chat/completions', ['[{"a":1}']],
    ['chat/completions', ['a}']],
    ['chat/completions', ['{ "error" : {"message":"no"}}']],
    ['responses', ['{"id":"r","status": "failed"}']],
    ['responses', ['{"id":"r","status":"in_progress"}']],
  ])('but this one of %s is not: %j', (endpoint, chunks) => {
    expect(isWhole(endpoint, 'application/json; charset=utf-8', chunks)).toBe(false)
  })

  test('and of other types nothing can be said', () => {
    expect(isWhole('models', 'text/plain', ['{'])).toBe(true)
    expect(isWholeAnswer('models', new Headers(), [])).toBe(true)
  })
})
