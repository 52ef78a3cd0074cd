import { afterEach, expect, test } from 'bun:test'
import { freePort } from '../helpers/free-port.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { type GatewayOptions, startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerAs, fail } from '../helpers/upstream-scripts.ts'

let running: TestGateway<string> | undefined

afterEach(async () => {
  await running?.stop()
  running = undefined
})

async function start<Name extends string>(options: GatewayOptions<Name>): Promise<TestGateway<Name>> {
  const gateway = await startGateway(options)
  running = gateway as unknown as TestGateway<string>
  return gateway
}

const BOTH = {
  models: {
    smart: {
      targets: [
        { upstream: 'first', model: 'a' },
        { upstream: 'second', model: 'b' },
      ],
    },
  },
}

test.each([429, 503, 529])(
  'a first target that refuses with %d is followed by the second, whose answer it is',
  async (status) => {
    const gateway = await start({
      upstreams: { first: fail(status), second: answerAs('second') },
      file: BOTH,
    })
    const response = await gateway.chat({ model: 'smart' })
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ by: 'second', model: 'second-model' })
    expect(JSON.parse(new TextDecoder().decode(await gateway.upstreams.second.requests[0]?.body))).toMatchObject({
      model: 'b',
    })
    expect(await gateway.exchange(1)).toMatchObject({
      attempts: 2,
      status: 200,
      tries: [
        { target: 'first/a', status, ms: expect.any(Number) },
        { target: 'second/b', status: 200, ms: expect.any(Number) },
      ],
    })
  },
)

test.each([500, 502, 504, 400, 404])(
  'a %d is handed on, since it may have been billed or is the caller’s own',
  async (status) => {
    const { chat, upstreams } = await start({
      upstreams: { first: fail(status), second: answerAs('second') },
      file: BOTH,
    })
    const response = await chat({ model: 'smart' })
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ error: { message: `scripted ${status}` } })
    expect(response.headers.get('x-should-retry')).toBeNull()
    expect(upstreams.second.requests).toHaveLength(0)
  },
)

test('a target that nobody listens at is left for the next, before a byte is sent', async () => {
  const port = await freePort()
  const gateway = await start({
    upstreams: { first: answerAs('first'), second: answerAs('second') },
    settings: { first: { base_url: `http://127.0.0.1:${port}/v1` } },
    file: BOTH,
  })
  expect(await (await gateway.chat({ model: 'smart' })).json()).toMatchObject({ by: 'second' })
  expect(await gateway.exchange(1)).toMatchObject({ tries: [{ target: 'first/a', why: 'connect' }, { status: 200 }] })
})

test('a connection that breaks before an answer may have been billed: 502, and no second attempt', async () => {
  const reset: Script = async (request, connection) => {
    await request.body
    connection.reset()
  }
  const { chat, upstreams } = await start({ upstreams: { first: reset, second: answerAs('second') }, file: BOTH })
  const response = await chat({ model: 'smart' })
  expect(response.status).toBe(502)
  expect(upstreams.second.requests).toHaveLength(0)
})

test('retry.on has other failures followed by another attempt: 500, a reset, a timeout, a web page', async () => {
  const { promise: never } = Promise.withResolvers<void>()
  const scripts: Record<string, Script> = {
    '500': fail(500),
    reset: (_request, connection) => connection.reset(),
    timeout: () => never,
    invalid: (_request, connection) => connection.respond(200, { 'content-type': 'text/html' }, '<html></html>'),
  }
  for (const [cause, first] of Object.entries(scripts)) {
    const { chat, stop } = await startGateway({
      upstreams: { first, second: answerAs('second') },
      ...(cause === 'timeout' && { settings: { first: { timeouts: { first_byte: 50 } } } }),
      file: { ...BOTH, retry: { on: [Number(cause) || cause] } },
    })
    const response = await chat({ model: 'smart' })
    expect([cause, response.status, await response.json()]).toMatchObject([cause, 200, { by: 'second' }])
    await stop()
  }
})

test('all attempts spent: the last failure as it came, and x-should-retry tells the SDKs not to begin anew', async () => {
  const { chat, upstreams } = await start({
    upstreams: { first: fail(429), second: fail(503, { 'x-request-id': 'req_up' }) },
    file: { ...BOTH, retry: { attempts: 2 } },
  })
  const response = await chat({ model: 'smart' })
  expect(response.status).toBe(503)
  expect(response.headers.get('x-should-retry')).toBe('false')
  expect(response.headers.get('x-request-id')).toBe('req_up')
  expect([upstreams.first.requests.length, upstreams.second.requests.length]).toEqual([1, 1])
})

test('where an SDK already retries, one attempt is made', async () => {
  const { chat, upstreams } = await start({ upstreams: { first: fail(429), second: answerAs('second') }, file: BOTH })
  const response = await chat({ model: 'smart' }, { 'x-stainless-retry-count': '1' })
  expect(response.status).toBe(429)
  expect(response.headers.get('x-should-retry')).toBe('false')
  expect(upstreams.second.requests).toHaveLength(0)
})

test('one target alone is asked again after its Retry-After, and not where that is too long', async () => {
  let calls = 0
  const flaky: Script = async (request, connection) => {
    calls += 1
    if (calls === 1) await fail(429, { 'retry-after-ms': '30' })(request, connection)
    else if (calls === 2) await answerAs('only')(request, connection)
    else await fail(429, { 'retry-after': '60' })(request, connection)
  }
  const { chat } = await start({ upstreams: { only: flaky }, file: { retry: { base: 1 } } })
  expect((await chat({ model: 'm' })).status).toBe(200)
  expect(calls).toBe(2)
  const late = await chat({ model: 'm' })
  expect([late.status, late.headers.get('x-should-retry')]).toEqual([429, 'false'])
  expect(calls).toBe(3)
})
