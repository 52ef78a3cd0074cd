import { describe, expect, test } from 'bun:test'
import { Exchange, type Observer } from '../../../src/exchange/exchange.ts'
import { Findings } from '../../../src/exchange/findings.ts'
import { joinObservers } from '../../../src/exchange/join-observers.ts'
import { ApiError } from '../../../src/openai/api-error.ts'

function open(observer: Observer = {}, headers: Readonly<Record<string, string>> = {}): Exchange {
  const arrival = { target: '/v1/chat/completions', isHttp10: false, abort: new AbortController(), body: undefined }
  return new Exchange(new Request('http://x/', { method: 'POST', headers }), arrival, observer)
}

describe('an exchange', () => {
  test('has no principal before it is identified: to ask for one is an error, and no fallback', () => {
    const exchange = open()
    expect(exchange.principalName).toBe('none')
    expect(() => exchange.principal.kind).toThrow('before it was known')
    exchange.identify({ kind: 'caller', id: 'caller-0a1b' })
    expect([exchange.principal.kind, exchange.principalName]).toEqual(['caller', 'caller-0a1b'])
  })

  test('ends once: what is let go at its end, and its observers, hear the first outcome', () => {
    const heard: unknown[] = []
    const exchange = open({ onEnd: (_exchange, outcome, bytes) => void heard.push([outcome.kind, bytes]) })
    exchange.atEnd(({ kind }) => void heard.push(kind))
    exchange.end({ kind: 'complete' }, 7)
    exchange.end({ kind: 'failed', cause: new Error('later') }, 9)
    expect(heard).toEqual(['complete', ['complete', 7]])
  })

  test.each([
    ['the client left', new ApiError('client_closed'), { kind: 'cancelled' }],
    ['a clock ran out', new ApiError('upstream_timeout'), { kind: 'failed' }],
  ])('that breaks off because %s is blamed on that, whatever was seen of it', (_what, reason, outcome) => {
    const exchange = open()
    exchange.abort.abort(reason)
    exchange.end({ kind: 'failed', cause: new Error('a broken pipe') })
    expect(exchange.outcome).toMatchObject(outcome)
  })

  test('takes the caller’s own id where that is safe, else gives one of OpenAI’s form', () => {
    expect(open({}, { 'x-request-id': 'trace:7' }).id).toBe('trace:7')
    expect(open({}, { 'x-request-id': 'a b' }).id).toMatch(/^req_[0-9a-f]{32}$/)
  })
})

describe('a child of an exchange', () => {
  test('is let in as its parent is, and begins with what that has found out about the request', () => {
    const parent = open()
    parent.identify({ kind: 'local' })
    Object.assign(parent, { model: 'm', stream: true, rules: [1], params: 'clamp=n', attempts: 3, status: 200 })
    const child = parent.child({ abort: new AbortController() })
    expect([child.id, child.principal.kind]).toEqual([parent.id, 'local'])
    expect(child).toMatchObject({ model: 'm', stream: true, rules: [1], params: 'clamp=n', attempts: 0, status: 0 })
  })

  test('reports what it has found out: calls are counted once, tries follow each other, the last call’s words hold', () => {
    const parent = open()
    parent.tries = []
    const once = { target: 'a', status: 503, ms: 1, why: undefined }
    for (const [upstream, status, timeToFirstByteMs] of [
      ['first', 503, 5],
      ['second', 200, 9],
    ] as const) {
      const child = parent.child({})
      child.attempts += 1
      child.onAttempt({ ...once, target: upstream, status })
      Object.assign(child, { upstream, status, timeToFirstByteMs })
      child.report()
      child.report()
    }
    expect(parent).toMatchObject({ attempts: 2, upstream: 'second', status: 200, timeToFirstByteMs: 5 })
    expect(parent.tries?.map(({ target }) => target)).toEqual(['first', 'second'])
  })

  test('that knows nothing of an upstream leaves its parent’s', () => {
    const parent = open()
    Object.assign(parent, { upstream: 'first', cache: 'MISS', connection: 'new' })
    parent.child({}).report()
    expect(parent).toMatchObject({ upstream: 'first', cache: 'MISS', connection: 'new' })
  })

  test('ends by itself, and is no exchange of its own to observers: these hear of its parent', () => {
    const heard: [string, Exchange][] = []
    const parent = open({
      onStart: (exchange) => void heard.push(['start', exchange]),
      onAttempt: (exchange) => void heard.push(['attempt', exchange]),
      onEnd: (exchange) => void heard.push(['end', exchange]),
    })
    const child = parent.child({}).child({})
    child.onAttempt({ target: 'a', status: 200, ms: 1, why: undefined })
    child.end({ kind: 'complete' })
    expect([child.outcome?.kind, parent.outcome]).toEqual(['complete', undefined])
    expect(heard).toEqual([
      ['start', parent],
      ['attempt', parent],
    ])
  })

  test('has every finding: a new field is declared once', () => {
    const child = open().child({})
    expect(Object.keys(child)).toEqual(expect.arrayContaining(Object.keys(new Findings())))
  })
})

test('observers are told in their order, each with what it is by itself; what none wants costs nothing', () => {
  const heard: string[] = []
  class Counting implements Observer {
    readonly #name: string
    constructor(name: string) {
      this.#name = name
    }
    onEnd(): void {
      heard.push(this.#name)
    }
  }
  const joined = joinObservers([new Counting('one'), {}, new Counting('two')])
  open(joined).end({ kind: 'complete' })
  expect(heard).toEqual(['one', 'two'])
  expect(Object.keys(joined)).toEqual(['onEnd'])
})
