import { describe, expect, test } from 'bun:test'
import { writeConfigFile } from '../helpers/config-file.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import type { LogLine } from '../helpers/log-lines.ts'
import { perTest } from '../helpers/per-test.ts'
import { openRawClient, postText, type RawClient } from '../helpers/raw-client.ts'
import { type Script, startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerAs } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

/** Answers each call when it is told to. */
interface Held {
  readonly script: Script
  /** Answers the n-th call, from 1. */
  readonly answer: (n: number) => Promise<void>
}

function holdAll(name: string): Held {
  const calls: PromiseWithResolvers<void>[] = []
  const nth = (n: number): PromiseWithResolvers<void> => {
    while (calls.length < n) calls.push(Promise.withResolvers<void>())
    return calls[n - 1] ?? Promise.withResolvers<void>()
  }
  let arrived = 0
  return {
    script: async (request, connection) => {
      arrived += 1
      await nth(arrived).promise
      await answerAs(name)(request, connection)
    },
    answer: async (n) => nth(n).resolve(),
  }
}

async function send({ port }: TestGateway, marker: string): Promise<RawClient> {
  const client = await openRawClient(port)
  client.write(postText('/v1/chat/completions', JSON.stringify({ model: marker, messages: MESSAGES })))
  return client
}

/** The record of the first call that has ended. */
function callOf(gateway: TestGateway): Promise<LogLine> {
  return gateway.line(({ msg, route }) => msg === 'exchange' && route !== 'ready')
}

/** Waits until so many calls have a place at the first upstream, and so many wait for one. */
async function untilGate({ url }: TestGateway, inFlight: number, queued: number): Promise<void> {
  for (;;) {
    const { targets } = (await (await fetch(`${url}/ready`)).json()) as { targets: Record<string, number>[] }
    if (targets[0]?.['in_flight'] === inFlight && targets[0]['queued'] === queued) return
  }
}

describe('an upstream with a limit of calls at once', () => {
  test('has the others wait in the order of their arrival', async () => {
    const { script, answer } = holdAll('one')
    const gateway = await start({
      upstreams: { one: script },
      settings: { one: { concurrency: { max: 1, queue: 3 } } },
    })
    const clients: RawClient[] = []
    for (const [index, marker] of ['a', 'b', 'c'].entries()) {
      clients.push(await send(gateway, marker))
      await untilGate(gateway, 1, index)
    }
    for (let n = 1; n <= 3; n += 1) {
      await gateway.upstreams.one.request(n)
      expect(gateway.upstreams.one.requests).toHaveLength(n)
      await answer(n)
      expect((await clients[n - 1]?.response())?.status).toBe(200)
    }
    const models = await Promise.all(gateway.upstreams.one.requests.map(async ({ body }) => modelIn(await body)))
    expect(models).toEqual(['a', 'b', 'c'])
  })

  test('answers 503 with Retry-After where the queue is full, without asking the upstream; the SDK may come again', async () => {
    const { script, answer } = holdAll('one')
    const gateway = await start({
      upstreams: { one: script },
      settings: { one: { concurrency: { max: 1, queue: 1 } } },
    })
    const calls = [gateway.chat({ model: 'm' })]
    await untilGate(gateway, 1, 0)
    calls.push(gateway.chat({ model: 'm' }))
    await untilGate(gateway, 1, 1)
    const refused = await gateway.chat({ model: 'm' })
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
    expect(refused.headers.get('x-should-retry')).toBeNull()
    expect(await refused.json()).toMatchObject({ error: { code: 'upstream_busy', type: 'server_error' } })
    expect(await callOf(gateway)).toMatchObject({
      attempts: 0,
      error: 'upstream_busy',
      tries: [{ target: 'one', why: 'upstream_busy' }],
    })
    await answer(1)
    await answer(2)
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([200, 200])
    expect(gateway.upstreams.one.requests).toHaveLength(2)
  })

  test('answers 503 with Retry-After to whoever has waited too long; its place in the queue is free again', async () => {
    const { script, answer } = holdAll('one')
    const gateway = await start({
      upstreams: { one: script },
      settings: { one: { concurrency: { max: 1, queue: 1, queue_timeout: 60 } } },
    })
    const first = gateway.chat({ model: 'm' })
    await untilGate(gateway, 1, 0)
    for (let turn = 0; turn < 2; turn += 1) {
      const late = await gateway.chat({ model: 'm' })
      expect([late.status, late.headers.get('retry-after')]).toEqual([503, '1'])
      expect(await late.json()).toMatchObject({ error: { code: 'queue_timeout' } })
    }
    await answer(1)
    expect((await first).status).toBe(200)
    expect(gateway.upstreams.one.requests).toHaveLength(1)
  })

  test('has the surplus go to the next target before it waits', async () => {
    const { script, answer } = holdAll('local')
    const gateway = await start({
      upstreams: { local: script, cloud: answerAs('cloud') },
      settings: { local: { concurrency: { max: 1, queue: 5 } } },
      file: { models: { smart: { targets: [{ upstream: 'local' }, { upstream: 'cloud' }] } } },
    })
    const first = gateway.chat({ model: 'smart' })
    await gateway.upstreams.local.request(1)
    expect(await (await gateway.chat({ model: 'smart' })).json()).toMatchObject({ by: 'cloud' })
    expect(await callOf(gateway)).toMatchObject({ attempts: 1, tries: [{ target: 'cloud/smart', status: 200 }] })
    await answer(1)
    expect(await (await first).json()).toMatchObject({ by: 'local' })
  })

  test('gives a place to the next when a client leaves, and forgets who leaves the queue', async () => {
    const { script, answer } = holdAll('one')
    const gateway = await start({
      upstreams: { one: script },
      settings: { one: { concurrency: { max: 1, queue: 2 } } },
    })
    const first = await send(gateway, 'first')
    await untilGate(gateway, 1, 0)
    const leaver = await send(gateway, 'leaver')
    await untilGate(gateway, 1, 1)
    const last = await send(gateway, 'last')
    await untilGate(gateway, 1, 2)
    leaver.leave()
    const left = await callOf(gateway)
    expect(left).toMatchObject({ model: 'leaver', outcome: 'cancelled', attempts: 0 })
    expect(left['tries']).toMatchObject([{ target: 'one', why: 'client_closed' }])
    await untilGate(gateway, 1, 1)
    first.leave()
    await gateway.upstreams.one.request(2)
    await answer(2)
    expect((await last.response()).status).toBe(200)
    expect(modelIn((await gateway.upstreams.one.requests[1]?.body) ?? new Uint8Array())).toBe('last')
    await untilGate(gateway, 0, 0)
  })

  test('has a place taken until a stream has ended', async () => {
    const end = Promise.withResolvers<void>()
    const gateway = await start({
      upstreams: {
        one: async (request, connection) => {
          await request.body
          connection.startChunked(200, { 'content-type': 'text/event-stream' })
          connection.chunk('data: {"choices":[]}\n\n')
          await end.promise
          connection.chunk('data: [DONE]\n\n')
          connection.endChunks()
        },
      },
      settings: { one: { concurrency: { max: 1, queue: 1 } } },
    })
    const streaming = await gateway.chat({ model: 'm', stream: true })
    const second = gateway.chat({ model: 'm' })
    await untilGate(gateway, 1, 1)
    expect(gateway.upstreams.one.requests).toHaveLength(1)
    gateway.upstreams.one.play(answerAs('one'))
    end.resolve()
    expect(await streaming.text()).toEndWith('data: [DONE]\n\n')
    expect((await second).status).toBe(200)
  })
})

test('a drain lets those that wait for a place have it', async () => {
  const { script, answer } = holdAll('one')
  const upstream = await startScriptedUpstream(script)
  const file = writeConfigFile({
    upstreams: { one: { base_url: `${upstream.url}/v1`, concurrency: { max: 1, queue: 5 } } },
  })
  const gateway = await startGateway({ env: { NEXCODE_CONFIG: file.path }, command: gatewayCommand() })
  const first = await send(gateway, 'first')
  await untilGate(gateway, 1, 0)
  const waiting = await send(gateway, 'waiting')
  await untilGate(gateway, 1, 1)
  gateway.child?.kill('SIGTERM')
  await gateway.line(({ msg }) => String(msg).startsWith('draining'))
  await answer(1)
  expect((await first.response()).status).toBe(200)
  await upstream.request(2)
  await answer(2)
  expect((await waiting.response()).status).toBe(200)
  expect(await gateway.line(({ msg }) => msg === 'stopped')).toMatchObject({ complete: true })
  expect(await gateway.child?.exited).toBe(0)
  await upstream.close()
  file.remove()
})

function modelIn(body: Uint8Array): unknown {
  return (JSON.parse(new TextDecoder().decode(body)) as { model: unknown }).model
}
