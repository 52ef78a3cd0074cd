import { describe, expect, test } from 'bun:test'
import { perTest } from '../helpers/per-test.ts'
import { openRawClient, postText } from '../helpers/raw-client.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerAs, fail } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

const BOTH = { models: { smart: { targets: [{ upstream: 'first' }, { upstream: 'second' }] } } }
const ONCE = { retry: { attempts: 1 } }
const BODY = JSON.stringify({ model: 'smart', messages: MESSAGES })

describe('the breaker of a target', () => {
  test('opens after so many failures in a row: the target is left alone, and no caller waits for it', async () => {
    const gateway = await start({
      upstreams: { first: fail(500), second: answerAs('second') },
      file: { ...BOTH, breaker: { failures: 3, open: '1h', open_max: '1h' } },
    })
    for (let call = 0; call < 3; call += 1) expect((await gateway.chat({ model: 'smart' })).status).toBe(500)
    for (let call = 0; call < 3; call += 1) {
      expect(await (await gateway.chat({ model: 'smart' })).json()).toMatchObject({ by: 'second' })
    }
    expect(gateway.upstreams.first.requests).toHaveLength(3)
    expect(await gateway.exchange(4)).toMatchObject({ attempts: 1, tries: [{ target: 'second/smart', status: 200 }] })
  })

  test('is told of: a warning when it opens, and a line when it closes; a probe that fails is no news', async () => {
    let isUp = false
    const gateway = await start({
      upstreams: {
        first: (request, connection) => (isUp ? answerAs('first') : fail(500))(request, connection),
        second: answerAs('second'),
      },
      file: { ...BOTH, breaker: { failures: 2, open: 60, open_max: 60 } },
    })
    const told = () => gateway.lines.filter(({ msg }) => String(msg).startsWith('a breaker'))
    for (let call = 0; call < 2; call += 1) await (await gateway.chat({ model: 'smart' })).text()
    const opened = await gateway.line(({ msg }) => String(msg).startsWith('a breaker opened'))
    expect(opened).toMatchObject({ level: 40, target: 'first/smart', open_ms: 60 })
    // Until a probe has failed.
    while ((await gateway.chat({ model: 'smart' })).status !== 500) await Bun.sleep(20)
    isUp = true
    while (told().length < 2) {
      await (await gateway.chat({ model: 'smart' })).text()
      await Bun.sleep(20)
    }
    expect(told()).toHaveLength(2)
    expect(told()[1]).toMatchObject({ level: 30, target: 'first/smart', msg: expect.stringContaining('closed') })
  })

  test('opens at a share of failures, although successes come between', async () => {
    let calls = 0
    const { chat, upstreams } = await start({
      upstreams: {
        first: async (request, connection) => {
          calls += 1
          await (calls % 2 === 0 ? fail(500) : answerAs('first'))(request, connection)
        },
        second: answerAs('second'),
      },
      file: { ...BOTH, breaker: { failures: 0, rate: 0.5, minimum: 6, window: '1m', open: '1h', open_max: '1h' } },
    })
    for (let call = 0; call < 8; call += 1) await (await chat({ model: 'smart' })).text()
    expect(upstreams.first.requests).toHaveLength(6)
    expect(upstreams.second.requests).toHaveLength(2)
  })

  test('opens for answers that begin well and break off, each time', async () => {
    const { chat, upstreams } = await start({
      upstreams: {
        first: async (request, connection) => {
          await request.body
          connection.startChunked(200, { 'content-type': 'text/event-stream' })
          connection.chunk('data: {"choices":[]}\n\n')
          connection.reset()
        },
        second: answerAs('second'),
      },
      file: { ...BOTH, breaker: { failures: 3, open: '1h', open_max: '1h' } },
    })
    for (let call = 0; call < 3; call += 1) {
      const broken = await (await chat({ model: 'smart', stream: true })).text().catch((thrown: unknown) => thrown)
      expect(String(broken)).not.toContain('[DONE]')
    }
    expect(await (await chat({ model: 'smart' })).json()).toMatchObject({ by: 'second' })
    expect(upstreams.first.requests).toHaveLength(3)
  })

  test('lets one call try when its time is up: a success closes it', async () => {
    const gateway = await start({
      upstreams: { first: fail(500), second: answerAs('second') },
      file: { ...BOTH, breaker: { failures: 1, open: 60, open_max: 60 } },
    })
    expect((await gateway.chat({ model: 'smart' })).status).toBe(500)
    const held = Promise.withResolvers<void>()
    const probing = gateway.upstreams.first.request(2)
    gateway.upstreams.first.play(async (request, connection) => {
      await held.promise
      await answerAs('first')(request, connection)
    })
    const calls: Promise<Response>[] = []
    // The others go to the second target, before and during the probe.
    while (gateway.upstreams.first.requests.length < 2) {
      const call = gateway.chat({ model: 'smart' })
      calls.push(call)
      await Promise.race([call, probing])
    }
    expect(await (await gateway.chat({ model: 'smart' })).json()).toMatchObject({ by: 'second' })
    expect(await states(gateway.url)).toMatchObject([{ target: 'first/smart', state: 'half_open' }, {}])
    held.resolve()
    await Promise.all(calls)
    expect(gateway.upstreams.first.requests).toHaveLength(2)
    expect(await (await gateway.chat({ model: 'smart' })).json()).toMatchObject({ by: 'first' })
    expect(await states(gateway.url)).toMatchObject([{ target: 'first/smart', state: 'closed' }, {}])
  })

  test('is none of the caller’s doing: a 4xx does not open it, nor does a client that leaves', async () => {
    const gateway = await start({
      upstreams: { first: fail(400), second: answerAs('second') },
      file: { ...BOTH, breaker: { failures: 1, open: '1h', open_max: '1h' }, ...ONCE },
    })
    for (const status of [400, 401, 404, 409, 422, 429]) {
      gateway.upstreams.first.play(fail(status))
      expect((await gateway.chat({ model: 'smart' })).status).toBe(status)
    }
    gateway.upstreams.first.play(async (_request, { closed }) => closed)
    const asked = gateway.upstreams.first.requests.length
    const client = await openRawClient(gateway.port)
    client.write(postText('/v1/chat/completions', BODY))
    await gateway.upstreams.first.request(asked + 1)
    client.leave()
    await gateway.exchange(asked + 1)
    expect(await states(gateway.url)).toMatchObject([{ state: 'closed', in_flight: 0 }, {}])
    gateway.upstreams.first.play(answerAs('first'))
    expect(await (await gateway.chat({ model: 'smart' })).json()).toMatchObject({ by: 'first' })
  })

  test('opens for a target that does not answer in time', async () => {
    const { chat, upstreams } = await start({
      upstreams: { first: (_request, { closed }) => closed, second: answerAs('second') },
      settings: { first: { timeouts: { first_byte: 50 } } },
      file: { ...BOTH, breaker: { failures: 1, open: '1h', open_max: '1h' } },
    })
    expect((await chat({ model: 'smart' })).status).toBe(504)
    expect(await (await chat({ model: 'smart' })).json()).toMatchObject({ by: 'second' })
    expect(upstreams.first.requests).toHaveLength(1)
  })

  test('never opens with breaker: false', async () => {
    const { chat, upstreams } = await start({
      upstreams: { first: fail(500), second: answerAs('second') },
      file: { ...BOTH, breaker: false },
    })
    for (let call = 0; call < 30; call += 1) expect((await chat({ model: 'smart' })).status).toBe(500)
    expect(upstreams.first.requests).toHaveLength(30)
  })
})

test('a target that says Retry-After is left alone that long, by all callers', async () => {
  const { chat, upstreams } = await start({
    upstreams: { first: fail(429, { 'retry-after': '3600' }), second: answerAs('second') },
    file: BOTH,
  })
  for (let call = 0; call < 3; call += 1) {
    expect(await (await chat({ model: 'smart' })).json()).toMatchObject({ by: 'second' })
  }
  expect(upstreams.first.requests).toHaveLength(1)
})

describe('where all targets are open', () => {
  const OPEN = { breaker: { failures: 1, open: '90s', open_max: '90s' }, ...ONCE }

  test('the least bad one is tried: the one that opens again first', async () => {
    const { chat, upstreams } = await start({
      upstreams: { first: fail(500), second: fail(500) },
      file: { ...BOTH, ...OPEN },
    })
    await chat({ model: 'smart' })
    await chat({ model: 'smart' })
    upstreams.first.play(answerAs('first'))
    expect(await (await chat({ model: 'smart' })).json()).toMatchObject({ by: 'first' })
    expect([upstreams.first.requests.length, upstreams.second.requests.length]).toEqual([2, 1])
  })

  test('the answer is 503 with Retry-After, where the file says refuse', async () => {
    const gateway = await start({
      upstreams: { first: fail(500), second: fail(500) },
      file: { ...BOTH, ...OPEN, all_open: 'refuse' },
    })
    await gateway.chat({ model: 'smart' })
    await gateway.chat({ model: 'smart' })
    const refused = await gateway.chat({ model: 'smart' })
    expect(refused.status).toBe(503)
    expect(await refused.json()).toMatchObject({ error: { code: 'upstream_unavailable', type: 'server_error' } })
    const seconds = Number(refused.headers.get('retry-after'))
    expect(seconds).toBeGreaterThan(80)
    expect(seconds).toBeLessThanOrEqual(90)
    expect([gateway.upstreams.first.requests.length, gateway.upstreams.second.requests.length]).toEqual([1, 1])
    expect(await gateway.exchange(3)).toMatchObject({ attempts: 0, error: 'upstream_unavailable', status: 503 })
  })
})

/** What /ready says of the targets; those that have their own entry in `models`. */
async function states(url: string): Promise<readonly { readonly target: string }[]> {
  const { targets } = (await (await fetch(`${url}/ready`)).json()) as { targets: { readonly target: string }[] }
  return targets.filter(({ target }) => target.includes('/'))
}
