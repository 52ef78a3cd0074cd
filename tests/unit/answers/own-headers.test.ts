import { describe, expect, test } from 'bun:test'
import { addDebugHeaders, addOwnHeaders } from '../../../src/answers/own-headers.ts'
import type { Exchange } from '../../../src/exchange/exchange.ts'

type Facts = Pick<
  Exchange,
  | 'id'
  | 'clientRequestId'
  | 'upstreamRequestId'
  | 'shouldRetry'
  | 'principalName'
  | 'upstream'
  | 'upstreamMs'
  | 'attempts'
  | 'params'
  | 'startedAt'
>

function exchangeOf(changes: Partial<Facts> = {}): Exchange {
  const facts: Facts = {
    id: 'req_ours',
    clientRequestId: undefined,
    upstreamRequestId: undefined,
    shouldRetry: undefined,
    principalName: 'alice',
    upstream: undefined,
    upstreamMs: undefined,
    attempts: 1,
    params: '',
    startedAt: performance.now(),
    ...changes,
  }
  return facts as Exchange
}

/** The headers of an answer with ours added, and the exchange that has seen it. */
function added(headers: Record<string, string>, changes: Partial<Facts> = {}, hasDebugHeaders = false) {
  const exchange = exchangeOf(changes)
  const own = new Headers(headers)
  addOwnHeaders(own, exchange, hasDebugHeaders)
  return { headers: Object.fromEntries(own), exchange }
}

describe('the ids', () => {
  test('of an upstream that gives one is the answer’s, and the log knows it; else it is ours', () => {
    const theirs = added({ 'x-request-id': 'req_theirs' })
    expect([theirs.headers['x-request-id'], theirs.exchange.upstreamRequestId]).toEqual(['req_theirs', 'req_theirs'])
    const ours = added({})
    expect([ours.headers['x-request-id'], ours.exchange.upstreamRequestId]).toEqual(['req_ours', undefined])
  })

  test('of the client comes back where it gave one', () => {
    expect(added({}, { clientRequestId: 'mine' }).headers['x-client-request-id']).toBe('mine')
    expect(added({}).headers).not.toHaveProperty('x-client-request-id')
  })
})

describe('a stream of events', () => {
  test('is kept from being held back by whoever stands in front', () => {
    expect(added({ 'content-type': 'Text/Event-Stream; charset=utf-8' }).headers).toMatchObject({
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
    })
  })

  test('keeps what its upstream says about that', () => {
    const said = { 'content-type': 'text/event-stream', 'cache-control': 'private', 'x-accel-buffering': 'yes' }
    expect(added(said).headers).toMatchObject(said)
  })

  test('alone gets that', () => {
    expect(added({ 'content-type': 'application/json' }).headers).toEqual({
      'content-type': 'application/json',
      'x-request-id': 'req_ours',
    })
  })
})

test('SDKs are told not to try again where that would be in vain, and nothing where it would not', () => {
  expect(added({}, { shouldRetry: false }).headers['x-should-retry']).toBe('false')
  expect(added({}).headers).not.toHaveProperty('x-should-retry')
})

describe('the debug headers', () => {
  test('tell who asked, who answered, how often and how long it took', () => {
    const { headers } = added({}, { upstream: 'azure/gpt-4o', upstreamMs: 12.345, attempts: 2, params: 'rules' }, true)
    expect(headers).toMatchObject({
      'x-nexcode-request-id': 'req_ours',
      'x-nexcode-principal': 'alice',
      'x-nexcode-upstream': 'azure/gpt-4o',
      'x-nexcode-attempts': '2',
      'x-nexcode-params': 'rules',
      'server-timing': expect.stringMatching(/^nexcode;dur=-?\d+\.\d\d, upstream;dur=12\.3[45]$/),
    })
  })

  test('leave out what there is not, and are not there unless they are asked for', () => {
    const { headers } = added({}, {}, true)
    for (const name of ['x-nexcode-upstream', 'x-nexcode-params']) expect(headers).not.toHaveProperty(name)
    expect(headers['server-timing']).toEndWith(', upstream;dur=0.00')
    expect(Object.keys(added({}).headers)).toEqual(['x-request-id'])
  })

  test('stand beside the times that the upstream tells itself', () => {
    const headers = new Headers({ 'server-timing': 'db;dur=1' })
    addDebugHeaders(headers, exchangeOf())
    expect(headers.get('server-timing')).toStartWith('db;dur=1, nexcode;dur=')
  })
})
