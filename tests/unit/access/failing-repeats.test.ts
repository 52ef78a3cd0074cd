import { describe, expect, test } from 'bun:test'
import { createFailingRepeats } from '../../../src/access/failing-repeats.ts'
import type { Exchange } from '../../../src/exchange/exchange.ts'
import type { Outcome } from '../../../src/exchange/outcome.ts'
import { ApiError } from '../../../src/openai/api-error.ts'
import { sha256 } from '../../../src/process/sha256.ts'

type Facts = Pick<
  Exchange,
  'id' | 'principalName' | 'request' | 'requestTarget' | 'endpointName' | 'attempts' | 'status' | 'atEnd'
>

interface Call {
  readonly principal?: string
  readonly method?: string
  readonly target?: string
  readonly body?: unknown
}

const COMPLETE: Outcome = { kind: 'complete' }
const BROKEN: Outcome = { kind: 'failed', cause: new Error('reset') }
const answer = (status: number, headers: Readonly<Record<string, string>> = {}) => new Response('', { status, headers })

/** A bound of three failures, a clock that stands, and calls that fail as the test says. */
function boundOf(max = 3) {
  const clock = { ms: 1_000 }
  const warnings: unknown[] = []
  const repeats = createFailingRepeats({
    max,
    now: () => clock.ms,
    sha256,
    log: { warn: (fields: unknown) => void warnings.push(fields) } as never,
  })

  /** Begins a call; throws where it is refused. `end` ends it with the status that the caller saw. */
  const begin = ({ principal = 'alice', method = 'POST', target = '/v1/chat', body = 'hi' }: Call = {}) => {
    const ends: ((outcome: Outcome) => void)[] = []
    const facts: Facts = {
      id: 'id',
      principalName: principal,
      request: new Request('http://localhost/', { method }),
      requestTarget: target,
      endpointName: 'chat.completions',
      attempts: 1,
      status: 200,
      atEnd: (callback: (outcome: Outcome) => void) => void ends.push(callback),
    }
    const exchange = facts as Exchange
    const sent = { bodyFor: () => (typeof body === 'string' ? new TextEncoder().encode(body) : body) }
    repeats.admit(exchange, sent)
    const end = (status: number, outcome = COMPLETE): void => {
      Object.assign(exchange, { status })
      for (const callback of ends) callback(outcome)
      repeats.onEnd?.(exchange, outcome)
    }
    return { exchange, sent, end }
  }

  const failWith = (response: Response, call: Call = {}): void => {
    const { exchange, sent, end } = begin(call)
    repeats.answered(exchange, sent, response)
    end(response.status)
  }
  const failTimes = (times: number, call: Call = {}): void => {
    for (let n = 0; n < times; n += 1) failWith(answer(500), call)
  }
  const isRefused = (call: Call = {}): boolean => {
    try {
      begin(call).end(200)
      return false
    } catch (refusal) {
      expect(refusal).toBeInstanceOf(ApiError)
      expect((refusal as ApiError).kind).toBe('failing_repeats')
      return true
    }
  }
  return { repeats, clock, warnings, begin, failWith, failTimes, isRefused }
}

describe('a request that fails again and again', () => {
  test('is refused from the failure on that is one too many, until a minute after the first one', () => {
    const { clock, failTimes, isRefused } = boundOf()
    failTimes(1)
    clock.ms += 40_000
    failTimes(2)
    expect(isRefused()).toBe(true)
    clock.ms += 19_999
    expect(isRefused()).toBe(true)
    clock.ms += 1
    expect(isRefused()).toBe(false)
  })

  test('is told of once in a window, with who asks and for how long it is refused', () => {
    const { clock, warnings, failTimes, isRefused } = boundOf()
    failTimes(3)
    clock.ms += 10_000.5
    for (let n = 0; n < 3; n += 1) expect(isRefused()).toBe(true)
    expect(warnings).toEqual([
      { request_id: 'id', principal: 'alice', route: 'chat.completions', failures: 3, for_ms: 50_000 },
    ])
  })

  test('is refused with the seconds that are left, one at least', () => {
    const { clock, begin, failTimes } = boundOf()
    failTimes(3)
    for (const [passedMs, seconds] of [
      [0, 60],
      [30_500, 30],
      [59_999, 1],
    ] as const) {
      clock.ms = 1_000 + passedMs
      expect(() => begin()).toThrow(`Please try again in ${seconds}s.`)
    }
  })

  test('is known by caller, method, target and body: another of any of them is another request', () => {
    const { failTimes, isRefused } = boundOf()
    failTimes(3)
    for (const other of [{ principal: 'bob' }, { method: 'PUT' }, { target: '/v1/chat?a' }, { body: 'ho' }]) {
      expect(isRefused(other)).toBe(false)
    }
    expect(isRefused()).toBe(true)
  })

  test('is forgiven by a success, and not by a refusal of the caller’s own making', () => {
    const { begin, failTimes, isRefused } = boundOf()
    failTimes(2)
    begin().end(400)
    failTimes(1)
    expect(isRefused()).toBe(true)
    const other = boundOf()
    other.failTimes(2)
    other.begin().end(200)
    other.failTimes(2)
    expect(other.isRefused()).toBe(false)
  })

  test('that succeeds for one who began before it was refused forgives as well', () => {
    const { begin, failTimes, isRefused } = boundOf()
    failTimes(2)
    const slow = begin()
    failTimes(1)
    expect(isRefused()).toBe(true)
    slow.end(200)
    expect(isRefused()).toBe(false)
  })
})

describe('a failure', () => {
  test.each([
    [500, {}, true],
    [503, { 'retry-after': '1' }, true],
    [429, {}, true],
    [429, { 'retry-after': '1' }, false],
    [429, { 'retry-after-ms': '10' }, false],
    [428, {}, false],
    [400, {}, false],
    [200, {}, false],
  ])('is a %d with %j: %p', (status, headers, counts) => {
    const { failWith, isRefused } = boundOf(1)
    failWith(answer(status, headers as Record<string, string>))
    expect(isRefused()).toBe(counts)
  })

  test('is an upstream that gave no answer, once something was sent to it', () => {
    const thrown = [
      [new ApiError('upstream_timeout'), 1, true],
      [new ApiError('upstream_unreachable'), 2, true],
      // Nothing was sent.
      [new ApiError('upstream_unreachable'), 0, false],
      // The caller's own, and ours.
      [new ApiError('invalid_target'), 1, false],
      [new Error('a defect'), 1, false],
    ] as const
    for (const [error, attempts, counts] of thrown) {
      const { repeats, begin, isRefused } = boundOf(1)
      const { exchange, sent } = begin()
      repeats.failed(Object.assign(exchange, { attempts }), sent, error)
      expect(isRefused()).toBe(counts)
    }
  })

  test('is an answer that broke off, from the second time on: the first one’s body is gone when it breaks', () => {
    const { begin, isRefused } = boundOf(2)
    for (let n = 0; n < 2; n += 1) begin().end(200, BROKEN)
    expect(isRefused()).toBe(false)
    for (let n = 0; n < 2; n += 1) begin().end(200, BROKEN)
    expect(isRefused()).toBe(true)
  })

  test.each<[string, number, Outcome]>([
    ['an error that broke off', 500, BROKEN],
    ['a client that left', 200, { kind: 'cancelled' }],
    [
      'one that this server cut, which had no memory for it',
      200,
      { kind: 'failed', cause: new ApiError('memory_full') },
    ],
  ])('is not %s', (_what, status, outcome) => {
    const { begin, isRefused } = boundOf(1)
    for (let n = 0; n < 3; n += 1) begin().end(status, outcome)
    expect(isRefused()).toBe(false)
  })
})

describe('counting', () => {
  test('takes no body that streams through, and no long one', () => {
    for (const body of [null, new ReadableStream(), new Uint8Array(8 * 1024 * 1024 + 1)]) {
      const { failTimes, isRefused } = boundOf(1)
      failTimes(3, { body })
      expect(isRefused({ body })).toBe(false)
    }
    const { failTimes, isRefused } = boundOf(1)
    const body = new Uint8Array(8 * 1024 * 1024)
    failTimes(1, { body })
    expect(isRefused({ body })).toBe(true)
  })

  test('digests nothing while nothing has failed, and only the bodies of callers with a failure after one', () => {
    let asked = 0
    const body = () => {
      asked += 1
      return new Uint8Array(1)
    }
    const { repeats, begin, failTimes } = boundOf()
    const { exchange } = begin({ principal: 'bob' })
    repeats.admit(exchange, { bodyFor: body })
    expect(asked).toBe(0)
    failTimes(1)
    repeats.admit(exchange, { bodyFor: body })
    expect(asked).toBe(0)
    failTimes(1, { principal: 'bob' })
    repeats.admit(exchange, { bodyFor: body })
    expect(asked).toBe(1)
  })

  test('forgets the oldest of a hundred requests of one caller, and the oldest of a thousand callers', () => {
    const requests = boundOf(1)
    for (let n = 0; n <= 100; n += 1) requests.failTimes(1, { body: `body ${n}` })
    expect([0, 1, 100].map((n) => requests.isRefused({ body: `body ${n}` }))).toEqual([false, true, true])
    const callers = boundOf(1)
    for (let n = 0; n <= 1000; n += 1) callers.failTimes(1, { principal: `caller ${n}` })
    expect([0, 1, 1000].map((n) => callers.isRefused({ principal: `caller ${n}` }))).toEqual([false, true, true])
  })

  test('does not happen where the bound is 0', () => {
    const { failTimes, isRefused } = boundOf(0)
    failTimes(50)
    expect(isRefused()).toBe(false)
  })
})
