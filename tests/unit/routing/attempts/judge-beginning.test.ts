import { describe, expect, test } from 'bun:test'
import { type BeginningVerdict, judgeOf } from '../../../../src/routing/attempts/judge-beginning.ts'

const EVENTS = { 'content-type': 'text/event-stream; charset=utf-8' }
const JSON_TYPE = { 'content-type': 'application/json' }
const ERROR = { error: { message: 'Slow down', type: 'rate_limit_error', param: null, code: null } }
const data = (value: unknown): string => `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`
const delta = (content: unknown): string => data({ choices: [{ index: 0, delta: { role: 'assistant', content } }] })
const bytes = (text: string) => new TextEncoder().encode(text)

/** The verdict on an answer that comes in these pieces; `after` is how many of them it took, undefined: its end. */
function verdictOn(pieces: readonly string[], headers: Record<string, string> = EVENTS, endpoint = 'chat/completions') {
  const judge = judgeOf('POST', endpoint, new Response('x', { headers }))
  if (judge === undefined) throw new Error('It is not judged.')
  for (const [index, piece] of pieces.entries()) {
    const verdict = judge.add(bytes(piece))
    if (verdict !== undefined) return { verdict, after: index + 1 }
  }
  return { verdict: judge.end(), after: undefined }
}

const kindOf = (
  pieces: readonly string[],
  headers?: Record<string, string>,
  endpoint?: string,
): BeginningVerdict['kind'] => verdictOn(pieces, headers, endpoint).verdict.kind

describe('which answers are judged', () => {
  const judged = (method: string, endpoint: string, headers: Record<string, string>, body: string | null = 'x') =>
    judgeOf(method, endpoint, new Response(body, { headers })) !== undefined

  test.each(['chat/completions', 'completions', 'embeddings', 'responses', 'messages', 'moderations', 'images/edits'])(
    'those of POST %s, which a model makes',
    (endpoint) => {
      expect([judged('POST', endpoint, EVENTS), judged('POST', endpoint, JSON_TYPE)]).toEqual([true, true])
    },
  )

  test.each(['files', 'batches', 'responses/resp_1', 'threads', 'models'])('none of %s', (endpoint) => {
    expect(judged('POST', endpoint, JSON_TYPE)).toBe(false)
  })

  test('none of another method, without a body, of another type, or longer than any error', () => {
    expect(judged('GET', 'chat/completions', JSON_TYPE)).toBe(false)
    expect(judged('POST', 'chat/completions', JSON_TYPE, null)).toBe(false)
    expect(judged('POST', 'audio/speech', { 'content-type': 'audio/mpeg' })).toBe(false)
    expect(judged('POST', 'chat/completions', {})).toBe(false)
    const long = { ...JSON_TYPE, 'content-length': '65537' }
    expect([
      judged('POST', 'chat/completions', long),
      judged('POST', 'chat/completions', { ...long, ...EVENTS }),
    ]).toEqual([false, true])
    expect(judged('POST', 'chat/completions', { ...JSON_TYPE, 'content-length': '65536' })).toBe(true)
  })

  test('a JSON answer is handed on whole where all of it has come, and a stream as it comes', () => {
    const isWhole = (headers: Record<string, string>) =>
      judgeOf('POST', 'responses', new Response('x', { headers }))?.isWhole
    expect([isWhole(JSON_TYPE), isWhole(EVENTS)]).toEqual([true, false])
  })
})

describe('a stream', () => {
  test('whose first event is an error is one, and the event is what tells its status', () => {
    expect(verdictOn([data(ERROR)])).toEqual({ verdict: { kind: 'error', value: ERROR }, after: 1 })
  })

  test('is an error by the name of the event too, also where its data are no JSON', () => {
    expect(verdictOn(['event: error\ndata: it broke\n\n']).verdict).toEqual({
      kind: 'error',
      value: { error: 'it broke' },
    })
  })

  test.each([
    ['comments', [': ping\n\n', ': ping\n\n', data(ERROR)]],
    ['empty events', ['data:\n\n', 'id: 1\n\n', data(ERROR)]],
    ['a byte order mark', [`\ufeff${data(ERROR)}`]],
  ])('is an error behind %s as well', (_what, pieces) => {
    expect(kindOf(pieces)).toBe('error')
  })

  test('is one wherever the event is cut', () => {
    const event = data(ERROR)
    for (let at = 1; at < event.length; at += 1) {
      const { verdict, after } = verdictOn([event.slice(0, at), event.slice(at)])
      expect([verdict.kind, after]).toEqual(['error', 2])
    }
  })

  test('is one where it ends without the blank line behind its only event', () => {
    expect(kindOf([data(ERROR).trimEnd()])).toBe('error')
  })

  test('is an answer with its first word, and nothing behind that is waited for', () => {
    expect(verdictOn([delta('Hello'), data(ERROR)])).toEqual({ verdict: { kind: 'answer' }, after: 1 })
  })

  test('passes over an event that only opens it for what has come along with it, and not for what comes later', () => {
    expect(kindOf([delta('') + data(ERROR)])).toBe('error')
    expect(verdictOn([delta(''), data(ERROR)])).toEqual({ verdict: { kind: 'answer' }, after: 1 })
    const created = data({ type: 'response.created', response: { id: 'resp_1', output: [] } })
    expect(kindOf([created + data({ type: 'error', message: 'no' })], EVENTS, 'responses')).toBe('error')
  })

  test('that failed with something made already has been paid for: it goes on', () => {
    const failed = { type: 'response.failed', response: { error: { code: 'server_error' }, output: [{ id: 'msg_1' }] } }
    expect(kindOf([data(failed)], EVENTS, 'responses')).toBe('answer')
    const unpaid = { ...failed, response: { ...failed.response, output: [] } }
    expect(kindOf([data(unpaid)], EVENTS, 'responses')).toBe('error')
  })

  test('without an event is empty, and one with nothing but what opens it is an answer', () => {
    expect(kindOf([])).toBe('empty')
    expect(kindOf([': ping\n\n', '\n'])).toBe('empty')
    expect(kindOf(['data: [DONE]\n\n'])).toBe('answer')
    expect(kindOf([delta('')])).toBe('answer')
  })

  test('whose first event is longer than any error is an answer before it is complete', () => {
    const { verdict, after } = verdictOn(['data: ', 'x'.repeat(70_000), 'never read'])
    expect([verdict.kind, after]).toEqual(['answer', 2])
  })
})

describe('a JSON answer', () => {
  const kind = (value: unknown, endpoint = 'chat/completions') =>
    kindOf([typeof value === 'string' ? value : JSON.stringify(value)], JSON_TYPE, endpoint)

  test('that is an error is one, once all of it has come', () => {
    const text = JSON.stringify(ERROR)
    expect(verdictOn([text.slice(0, 10), text.slice(10)], JSON_TYPE)).toEqual({
      verdict: { kind: 'error', value: ERROR },
      after: undefined,
    })
  })

  test.each([
    ['an answer', { choices: [{ message: { content: 'an error?' } }], error: null }],
    ['an answer with an empty error', { id: 'c', choices: [], error: {} }],
    ['a list', [ERROR]],
    ['a text', '"error"'],
    ['what is no JSON', '{"error":'],
    ['nothing', ''],
  ])('is none where it is %s', (_what, value) => {
    expect(kind(value)).toBe('answer')
  })

  test('with tokens spent on it has been paid for, whatever it says', () => {
    expect(kind({ ...ERROR, usage: { completion_tokens: 3 } })).toBe('answer')
    expect(kind({ ...ERROR, usage: { completion_tokens: 0 } })).toBe('error')
    expect(kind({ ...ERROR, usage: { completion_tokens: null } })).toBe('error')
  })

  test('that begins with white space keeps a connection alive: it goes on at once', () => {
    expect(verdictOn([' ', JSON.stringify(ERROR)], JSON_TYPE)).toEqual({ verdict: { kind: 'answer' }, after: 1 })
  })

  test('that turns out longer than any error is an answer', () => {
    expect(verdictOn(['{"error":"', 'x'.repeat(70_000), '"}'], JSON_TYPE).after).toBe(2)
  })

  test('is read as UTF-8 wherever it is cut', () => {
    const judge = judgeOf('POST', 'chat/completions', new Response('x', { headers: JSON_TYPE }))
    for (const byte of bytes('{"error":{"message":"geht nicht: ü"}}')) judge?.add(Uint8Array.of(byte))
    expect(judge?.end()).toEqual({ kind: 'error', value: { error: { message: 'geht nicht: ü' } } })
  })
})
