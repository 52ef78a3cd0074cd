import { describe, expect, test } from 'bun:test'
import { perTest } from '../helpers/per-test.ts'
import { openRawClient, postText } from '../helpers/raw-client.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerAs, fail } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

const BOTH = {
  models: { smart: { targets: [{ upstream: 'first' }, { upstream: 'second' }] } },
}
const EVERYTHING = { on: ['connect', 'timeout', 'reset', 'invalid', 429, '5xx'] }
const EVENT = 'data: {"id":"chatcmpl-00000001","choices":[{"index":0,"delta":{"content":"one"}}]}\n\n'
const EVENTS = { 'content-type': 'text/event-stream' }

describe('after the first byte of an answer nothing is sent again, whatever retry.on says', () => {
  test('a stream that breaks after its first event goes on nowhere else', async () => {
    const seen = Promise.withResolvers<void>()
    const breaking: Script = async (request, connection) => {
      await request.body
      connection.startChunked(200, EVENTS)
      connection.chunk(EVENT)
      await seen.promise
      connection.socket.end()
    }
    const gateway = await start({
      upstreams: { first: breaking, second: answerAs('second') },
      file: { ...BOTH, retry: EVERYTHING },
    })
    const client = await openRawClient(gateway.port)
    client.write(postText('/v1/chat/completions', JSON.stringify({ model: 'smart', stream: true, messages: MESSAGES })))
    await client.until((received) => received.includes('"one"'))
    seen.resolve()
    await client.closed
    const text = client.received().toString()
    expect(text.split('"content":"one"')).toHaveLength(2)
    expect(text).toContain('upstream_unreachable')
    expect([gateway.upstreams.first.requests.length, gateway.upstreams.second.requests.length]).toEqual([1, 0])
    expect(await gateway.exchange(1)).toMatchObject({ attempts: 1, tries: [{ target: 'first/smart', status: 200 }] })
  })

  test('JSON whose head has come and whose body breaks is a 502', async () => {
    const breaking: Script = async (request, connection) => {
      await request.body
      connection.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"id":')
      connection.socket.end()
    }
    const { chat, upstreams } = await start({
      upstreams: { first: breaking, second: answerAs('second') },
      file: { ...BOTH, retry: EVERYTHING },
    })
    const response = await chat({ model: 'smart' })
    expect(response.status).toBe(502)
    expect([upstreams.first.requests.length, upstreams.second.requests.length]).toEqual([1, 0])
  })
})

describe('a target that is asked again', () => {
  test('is asked as often as configured, in all, and each attempt is in the log', async () => {
    const gateway = await start({
      upstreams: { only: fail(503) },
      file: { retry: { attempts: 3, base: 1, max: 2 } },
    })
    const response = await gateway.chat({ model: 'm' })
    expect([response.status, response.headers.get('x-should-retry')]).toEqual([503, 'false'])
    expect(gateway.upstreams.only.requests).toHaveLength(3)
    const line = await gateway.exchange(1)
    expect(line).toMatchObject({ attempts: 3, status: 503 })
    expect(line['tries']).toEqual(
      Array.from({ length: 3 }, () => ({ target: 'only', status: 503, ms: expect.any(Number) })),
    )
  })

  test('is not before its Retry-After is over', async () => {
    const times: number[] = []
    const flaky: Script = async (request, connection) => {
      times.push(performance.now())
      await (times.length === 1 ? fail(429, { 'retry-after-ms': '120' }) : answerAs('only'))(request, connection)
    }
    const { chat } = await start({ upstreams: { only: flaky }, file: { retry: { base: 1 } } })
    expect((await chat({ model: 'm' })).status).toBe(200)
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(119)
  })

  test('is not where its Retry-After is longer than retry_after_max, or than the time that is left', async () => {
    const patience = [
      { retry: { base: 1, retry_after_max: '1s' }, after: '2000' },
      { retry: { base: 1 }, timeouts: { total: '3s' }, after: '5000' },
    ]
    for (const { after, ...file } of patience) {
      const { chat, upstreams } = await start({ upstreams: { only: fail(429, { 'retry-after-ms': after }) }, file })
      const response = await chat({ model: 'm' })
      expect([response.status, response.headers.get('retry-after-ms')]).toEqual([429, after])
      expect(response.headers.get('x-should-retry')).toBe('false')
      expect(upstreams.only.requests).toHaveLength(1)
    }
  })

  test('has no more than the budget asked again at once: three, where few requests are under way', async () => {
    const held: (() => void)[] = []
    const isHeld = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const storm: Script = async (request, connection) => {
      await request.body
      held.push(() => connection.json({ error: { message: 'later' } }, 503))
      if (held.length === 10) isHeld[0]?.resolve()
      if (held.length === 13) isHeld[1]?.resolve()
    }
    const { chat, upstreams } = await start({
      upstreams: { only: storm },
      file: { retry: { attempts: 2, base: 1, max: 1, budget: 10 }, breaker: false },
    })
    const seven = Promise.withResolvers<void>()
    let answered = 0
    const calls = Array.from({ length: 10 }, async () => {
      const { status } = await chat({ model: 'm' })
      answered += 1
      if (answered === 7) seven.resolve()
      return status
    })
    await isHeld[0]?.promise
    for (const refuse of held) refuse()
    await Promise.all([isHeld[1]?.promise, seven.promise])
    for (const refuse of held.slice(10)) refuse()
    expect(await Promise.all(calls)).toEqual(Array(10).fill(503))
    expect(upstreams.only.requests).toHaveLength(13)
  })
})

test('a client that leaves during a back-off is not served any more, and gives back what the budget lent', async () => {
  let left = Promise.withResolvers<void>()
  /** The gateway closes it when it has chosen to ask again later. */
  const refusing: Script = async (request, connection) => {
    await request.body
    connection.startChunked(503, { 'content-type': 'application/json', 'retry-after-ms': '300' })
    connection.chunk('{"error":')
    await connection.closed
    left.resolve()
  }
  const gateway = await start({
    upstreams: { only: refusing },
    file: { retry: { attempts: 2, base: 1 }, breaker: false },
  })
  const body = JSON.stringify({ model: 'm', messages: MESSAGES })
  for (let leaver = 1; leaver <= 4; leaver += 1) {
    left = Promise.withResolvers()
    const client = await openRawClient(gateway.port)
    client.write(postText('/v1/chat/completions', body))
    await left.promise
    client.leave()
    expect(await gateway.exchange(leaver)).toMatchObject({ outcome: 'cancelled', attempts: 1 })
  }
  expect(gateway.upstreams.only.requests).toHaveLength(4)
  let calls = 0
  gateway.upstreams.only.play(async (request, connection) => {
    calls += 1
    await (calls === 1 ? fail(503) : answerAs('only'))(request, connection)
  })
  // A budget that was not given back would not allow a second attempt.
  expect((await gateway.chat({ model: 'm' })).status).toBe(200)
})

test('what a refusal would still send is closed when the next target is asked', async () => {
  const closed = Promise.withResolvers<void>()
  const endless: Script = async (request, connection) => {
    await request.body
    connection.startChunked(503, { 'content-type': 'application/json' })
    connection.chunk('{"error":')
    await connection.closed
    closed.resolve()
  }
  const { chat } = await start({ upstreams: { first: endless, second: answerAs('second') }, file: BOTH })
  expect(await (await chat({ model: 'smart' })).json()).toMatchObject({ by: 'second' })
  await closed.promise
})

test('debug_headers tell who answered and after how many attempts', async () => {
  const { chat } = await start({
    upstreams: { first: fail(503), second: answerAs('second') },
    file: { ...BOTH, debug_headers: true },
  })
  const { headers } = await chat({ model: 'smart' })
  expect([headers.get('x-nexcode-upstream'), headers.get('x-nexcode-attempts')]).toEqual(['second', '2'])
})
