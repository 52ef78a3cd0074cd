import { describe, expect, test } from 'bun:test'
import { perTest } from '../helpers/per-test.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerAs, fail } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

const EVENTS = { 'content-type': 'text/event-stream' }
const EVENT = 'data: {"choices":[]}\n\n'

/** Says nothing. */
const silent: Script = (_request, { closed }) => closed

/** Begins a stream and says no more. */
const stalling: Script = async (request, connection) => {
  await request.body
  connection.startChunked(200, EVENTS)
  connection.chunk(EVENT)
  await connection.closed
}

/** Answers after a while. */
function after(ms: number, script: Script): Script {
  return async (request, connection) => {
    await Bun.sleep(ms)
    await script(request, connection)
  }
}

/** Sends an event now and then, for a while. */
function trickle(everyMs: number, events: number): Script {
  return async (request, connection) => {
    await request.body
    connection.startChunked(200, EVENTS)
    for (let event = 0; event < events; event += 1) {
      connection.chunk(EVENT)
      await Bun.sleep(everyMs)
    }
    connection.chunk('data: [DONE]\n\n')
    connection.endChunks()
  }
}

async function codeOf(response: Response): Promise<string> {
  const { error } = (await response.json()) as { error: { code: string } }
  return `${response.status} ${error.code}`
}

describe('the wait for the first byte', () => {
  test('is each upstream’s own, else the file’s, else the environment’s; the call is ended there', async () => {
    const places = [
      { settings: { one: { timeouts: { first_byte: 500 } } }, file: { timeouts: { first_byte: '1h' } } },
      { file: { timeouts: { first_byte: 500 } }, env: { FIRST_BYTE_TIMEOUT_MS: '3600000' } },
      { env: { FIRST_BYTE_TIMEOUT_MS: '500' } },
    ]
    for (const place of places) {
      const gone = Promise.withResolvers<void>()
      const { chat } = await start({
        upstreams: { one: (_request, { closed }) => closed.then(() => gone.resolve()) },
        ...place,
      })
      expect(await codeOf(await chat({ model: 'm' }))).toBe('504 upstream_timeout')
      await gone.promise
    }
  })

  test('is a model’s own before all: another model of the same upstream has longer, and one has for ever', async () => {
    const { chat } = await start({
      upstreams: { one: after(150, answerAs('one')) },
      settings: { one: { timeouts: { first_byte: 60 } } },
      file: {
        models: {
          short: { targets: [{ upstream: 'one' }] },
          long: { targets: [{ upstream: 'one' }], timeouts: { first_byte: '1h' } },
          endless: { targets: [{ upstream: 'one' }], timeouts: { first_byte: 0 } },
        },
      },
    })
    const [short, long, endless] = await Promise.all(['short', 'long', 'endless'].map((model) => chat({ model })))
    expect([short?.status, long?.status, endless?.status]).toEqual([504, 200, 200])
  })
})

describe('the wait between two chunks', () => {
  test('is the upstream’s own, or the model’s before it, and ends a stream', async () => {
    const gateway = await start({
      upstreams: { one: stalling },
      settings: { one: { timeouts: { stream_idle: '1h' } } },
      file: { models: { quick: { targets: [{ upstream: 'one' }], timeouts: { stream_idle: 60 } } } },
    })
    const response = await gateway.chat({ model: 'quick', stream: true })
    expect(response.status).toBe(200)
    await response.text().catch(() => undefined)
    expect(await gateway.exchange(1)).toMatchObject({ outcome: 'failed', error: 'upstream_timeout' })
  })

  test('is without end where it is 0, whatever the environment says', async () => {
    const { chat } = await start({
      upstreams: { one: trickle(150, 2) },
      settings: { one: { timeouts: { stream_idle: 0 } } },
      env: { STREAM_IDLE_TIMEOUT_MS: '50' },
    })
    expect(await (await chat({ model: 'm', stream: true })).text()).toEndWith('data: [DONE]\n\n')
  })
})

describe('the limit on the whole', () => {
  test('ends a call that has no answer yet, over all attempts together', async () => {
    const gateway = await start({
      upstreams: { first: silent, second: silent },
      file: {
        models: {
          smart: {
            targets: [{ upstream: 'first' }, { upstream: 'second' }],
            timeouts: { first_byte: 200, total: 1200 },
            retry: { on: ['timeout'], attempts: 10, base: 1, max: 1 },
          },
        },
      },
    })
    expect(await codeOf(await gateway.chat({ model: 'smart' }))).toBe('504 upstream_timeout')
    const attempts = Number((await gateway.exchange(1))['attempts'])
    expect(attempts).toBeGreaterThan(1)
    expect(attempts).toBeLessThan(7)
    expect(gateway.upstreams.first.requests.length + gateway.upstreams.second.requests.length).toBe(attempts)
  })

  test('is that of the upstream which is asked, where the model has none', async () => {
    const targets = [{ upstream: 'first' }, { upstream: 'second' }]
    const { chat, upstreams } = await start({
      upstreams: { first: after(500, answerAs('first')), second: silent },
      settings: { first: { timeouts: { total: 0 } }, second: { timeouts: { total: 300 } } },
      file: { models: { smart: { targets }, other: { targets: targets.toReversed() } } },
    })
    const [patient, strict] = await Promise.all([chat({ model: 'smart' }), chat({ model: 'other' })])
    expect([patient.status, strict.status]).toEqual([200, 504])
    // A fallback has what its own upstream has.
    upstreams.first.play(fail(503))
    expect((await chat({ model: 'smart' })).status).toBe(504)
  })

  test('ends a stream in the midst', async () => {
    const gateway = await start({
      upstreams: { one: stalling },
      file: { models: { quick: { targets: [{ upstream: 'one' }], timeouts: { total: 1000 } } } },
    })
    const response = await gateway.chat({ model: 'quick', stream: true })
    expect(response.status).toBe(200)
    await response.text().catch(() => undefined)
    expect(await gateway.exchange(1)).toMatchObject({ outcome: 'failed', error: 'upstream_timeout' })
  })

  test('of a model may be longer than TOTAL_TIMEOUT_MS, or none at all', async () => {
    const { chat } = await start({
      upstreams: { one: after(500, answerAs('one')) },
      file: {
        models: {
          long: { targets: [{ upstream: 'one' }], timeouts: { total: '1h' } },
          endless: { targets: [{ upstream: 'one' }], timeouts: { total: 0 } },
          other: { targets: [{ upstream: 'one' }] },
        },
      },
      env: { TOTAL_TIMEOUT_MS: '300' },
    })
    const [long, endless, other] = await Promise.all(['long', 'endless', 'other'].map((model) => chat({ model })))
    expect([long?.status, endless?.status, other?.status]).toEqual([200, 200, 504])
  })
})
