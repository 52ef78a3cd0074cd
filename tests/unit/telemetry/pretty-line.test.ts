import { describe, expect, test } from 'bun:test'
import { wantsColor } from '../../../src/telemetry/paint.ts'
import { createPrettyLine } from '../../../src/telemetry/pretty-line.ts'

const plain = createPrettyLine({ hasColor: false, isDetailed: false })
const detailed = createPrettyLine({ hasColor: false, isDetailed: true })

const EXCHANGE = {
  level: 30,
  time: new Date(2026, 0, 2, 3, 4, 5).toISOString(),
  request_id: 'req_1',
  method: 'POST',
  route: 'chat.completions',
  model: 'smart',
  upstream: 'openai',
  stream: true,
  status: 200,
  outcome: 'complete',
  bytes: 100,
  duration_ms: 812.4,
  attempts: 1,
  principal: 'alice',
  msg: 'exchange',
}

const line = (fields: object): string => `${JSON.stringify({ ...EXCHANGE, ...fields })}\n`

describe('a line for a person', () => {
  test('is one for an exchange: time, status, method, route, model and who answers, time taken, caller, outcome', () => {
    expect(plain(line({}))).toBe(
      '03:04:05 INFO  200  POST  chat.completions  smart → openai  812 ms  alice  complete (stream)\n',
    )
  })

  test('names the target that answered at last, and how many were asked', () => {
    const tries = [
      { target: 'openai/gpt-4o', status: 429, ms: 3, why: '429' },
      { target: 'azure/gpt-4o', status: 200, ms: 800 },
    ]
    expect(plain(line({ stream: false, tries }))).toBe(
      '03:04:05 INFO  200  POST  chat.completions  smart → azure/gpt-4o  812 ms  alice  complete (2 tries)\n',
    )
  })

  test('of what went wrong says why in words, and has below it all else that is known', () => {
    const failed = { level: 40, status: 502, outcome: 'failed', error: 'upstream_unreachable', cause: 'ECONNREFUSED' }
    const text = plain(
      line({ ...failed, path: '/v1/chat/completions', tries: [{ target: 'openai', ms: 2, why: 'connect' }] }),
    )
    const [first, ...below] = text.trimEnd().split('\n')
    expect(first).toBe(
      '03:04:05 WARN  502  POST  chat.completions  smart → openai  812 ms  alice  failed (stream)  upstream_unreachable: nothing listens there (ECONNREFUSED)  /v1/chat/completions',
    )
    expect(below).toEqual([
      '                try 1  openai  no answer  connect  2 ms',
      '                request_id=req_1 bytes=100 attempts=1',
    ])
  })

  test('of a refusal names what refused, and what was asked for', () => {
    const refused = { status: 400, upstream: undefined, stream: false, error: 'parameter_not_allowed', rule: 2 }
    expect(plain(line({ ...refused, path: '/v1/chat/completions' }))).toBe(
      '03:04:05 INFO  400  POST  chat.completions  smart  812 ms  alice  refused  parameter_not_allowed  by rule 2  /v1/chat/completions\n',
    )
  })

  test('of a client that left says so', () => {
    expect(plain(line({ status: 499, outcome: 'cancelled', stream: false }))).toEndWith('  alice  left by the client\n')
  })

  test('is followed by all that is known where everything is wanted', () => {
    const text = detailed(line({ params: 'clamp=max_tokens', rules: [1, 3], cache: 'miss' }))
    expect(text).toContain('complete (stream, cache miss)\n')
    expect(text).toEndWith('request_id=req_1 bytes=100 attempts=1 params=clamp=max_tokens rules=[1,3] cache=miss\n')
  })

  test('of any other event has what happened and what belongs to it; of an error its frames', () => {
    const time = EXCHANGE.time
    expect(plain(`${JSON.stringify({ level: 40, time, upstream: 'a', msg: 'a breaker opened' })}\n`)).toBe(
      '03:04:05 WARN  a breaker opened  upstream=a\n',
    )
    const err = { type: 'TypeError', message: 'no', stack: '    at a (b.ts:1:2)\n    at c' }
    expect(plain(`${JSON.stringify({ level: 50, time, worker: 2, err, msg: 'a defect' })}\n`)).toBe(
      '03:04:05 ERROR [2] a defect\n                TypeError: no\n                at a (b.ts:1:2)\n                at c\n',
    )
  })

  test("never passes a caller's control characters on to the terminal", () => {
    expect(plain(line({ model: 'a\u001b[2J\r\nb\u202ec' }))).toContain('  a?[2J??b?c → openai  ')
  })

  test('that is no JSON stays as it is', () => {
    expect(plain('odd\n')).toBe('odd\n')
  })

  test('has colours where they are wanted, and the same words', () => {
    const colored = createPrettyLine({ hasColor: true, isDetailed: false })(line({}))
    expect(colored).toContain('\u001b[32m200\u001b[0m')
    expect(Bun.stripANSI(colored)).toBe(plain(line({})))
  })
})

test.each([
  [true, {}, true],
  [false, {}, false],
  [true, { TERM: 'dumb' }, false],
  [true, { NO_COLOR: '1' }, false],
  [true, { NO_COLOR: '' }, true],
  [false, { FORCE_COLOR: '1' }, true],
  [false, { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
  [true, { FORCE_COLOR: '0' }, false],
  [true, { FORCE_COLOR: 'false' }, false],
])('on a terminal: %p, with %p: colours are wanted: %p', (isTerminal, env, wanted) => {
  expect(wantsColor({ isTerminal, env })).toBe(wanted)
})
