import { describe, expect, test } from 'bun:test'
import { perTest } from '../helpers/per-test.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerAs, fail } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

const TARGETS = [{ upstream: 'first' }, { upstream: 'second' }]
const HEDGED = { models: { smart: { targets: TARGETS, hedge: { percentile: 95, min: 30 } } } }
const SAMPLES = 20

type Chat = (body: Readonly<Record<string, unknown>>) => Promise<Response>

/** Gives a target the recent times that a hedge is measured by. */
async function warmUp(chat: Chat, calls = SAMPLES): Promise<void> {
  for (let call = 0; call < calls; call += 1) await (await chat({ model: 'smart' })).text()
}

/** Says nothing until the gateway has gone. */
function stuck(): { readonly script: Script; readonly gone: Promise<void> } {
  const gone = Promise.withResolvers<void>()
  return {
    gone: gone.promise,
    script: async (_request, { closed }) => {
      await closed
      gone.resolve()
    },
  }
}

describe('a first target that is slow for once', () => {
  test('has the second one asked beside it; the first answer wins, the other call is ended at once, both are logged', async () => {
    const gateway = await start({
      upstreams: { first: answerAs('first'), second: answerAs('second') },
      file: { ...HEDGED, debug_headers: true },
    })
    await warmUp(gateway.chat)
    for (let turn = 1; turn <= 5; turn += 1) {
      const { script, gone } = stuck()
      gateway.upstreams.first.play(script)
      const response = await gateway.chat({ model: 'smart' })
      expect(await response.json()).toMatchObject({ by: 'second' })
      expect(response.headers.get('x-nexcode-attempts')).toBe('2')
      await gone
      const line = await gateway.exchange(SAMPLES + turn)
      expect(line).toMatchObject({ attempts: 2, status: 200 })
      expect(line['tries']).toEqual([
        { target: 'second/smart', status: 200, ms: expect.any(Number) },
        { target: 'first/smart', ms: expect.any(Number), why: 'lost' },
      ])
    }
    expect(gateway.upstreams.second.requests).toHaveLength(5)
  })

  test('may still win: then it is the second call that is ended', async () => {
    const gateway = await start({
      upstreams: { first: answerAs('first'), second: answerAs('second') },
      file: HEDGED,
    })
    await warmUp(gateway.chat)
    const { script, gone } = stuck()
    gateway.upstreams.second.play(script)
    gateway.upstreams.first.play(async (request, connection) => {
      await gateway.upstreams.second.request(1)
      await answerAs('first')(request, connection)
    })
    expect(await (await gateway.chat({ model: 'smart' })).json()).toMatchObject({ by: 'first' })
    await gone
    expect(await gateway.exchange(SAMPLES + 1)).toMatchObject({ attempts: 2 })
  })

  test('is waited for where the second one fails meanwhile', async () => {
    const { chat, upstreams } = await start({
      upstreams: { first: answerAs('first'), second: fail(503) },
      file: HEDGED,
    })
    await warmUp(chat)
    const failed = Promise.withResolvers<void>()
    upstreams.second.play(async (request, connection) => {
      await fail(503)(request, connection)
      failed.resolve()
    })
    upstreams.first.play(async (request, connection) => {
      await failed.promise
      await Bun.sleep(20)
      await answerAs('first')(request, connection)
    })
    expect(await (await chat({ model: 'smart' })).json()).toMatchObject({ by: 'first' })
    expect(upstreams.second.requests).toHaveLength(1)
  })

  test('has a stream go on from the winner alone', async () => {
    const { chat, upstreams } = await start({
      upstreams: { first: answerAs('first'), second: answerAs('second') },
      file: HEDGED,
    })
    await warmUp(chat)
    upstreams.first.play(stuck().script)
    upstreams.second.play(async (request, connection) => {
      await request.body
      connection.startChunked(200, { 'content-type': 'text/event-stream' })
      connection.chunk('data: {"by":"second"}\n\n')
      connection.chunk('data: [DONE]\n\n')
      connection.endChunks()
    })
    const response = await chat({ model: 'smart', stream: true })
    expect(await response.text()).toBe('data: {"by":"second"}\n\ndata: [DONE]\n\n')
  })
})

describe('no second target is asked', () => {
  /** The first target answers late, but answers; by then a hedge would have been sent. */
  const late: Script = async (request, connection) => {
    await Bun.sleep(150)
    await answerAs('first')(request, connection)
  }

  test('where the file does not say hedge, or says that this model has none', async () => {
    const files = [
      { models: { smart: { targets: TARGETS } } },
      { models: { smart: { targets: TARGETS, hedge: false } }, hedge: { min: 10 } },
    ]
    for (const file of files) {
      const { chat, upstreams } = await start({
        upstreams: { first: answerAs('first'), second: answerAs('second') },
        file,
      })
      await warmUp(chat)
      upstreams.first.play(late)
      expect(await (await chat({ model: 'smart' })).json()).toMatchObject({ by: 'first' })
      expect(upstreams.second.requests).toHaveLength(0)
    }
  })

  test('where there are too few recent times to know what slow is', async () => {
    const { chat, upstreams } = await start({
      upstreams: { first: answerAs('first'), second: answerAs('second') },
      file: HEDGED,
    })
    await warmUp(chat, SAMPLES - 1)
    upstreams.first.play(late)
    expect(await (await chat({ model: 'smart' })).json()).toMatchObject({ by: 'first' })
    expect(upstreams.second.requests).toHaveLength(0)
  })

  test('where an SDK retries already, or one attempt is all there may be', async () => {
    const { chat, upstreams } = await start({
      upstreams: { first: answerAs('first'), second: answerAs('second') },
      file: HEDGED,
    })
    await warmUp(chat)
    upstreams.first.play(late)
    const response = await chat({ model: 'smart' }, { 'x-stainless-retry-count': '1' })
    expect(await response.json()).toMatchObject({ by: 'first' })
    expect(upstreams.second.requests).toHaveLength(0)
  })

  test('beyond the budget: of several slow calls at once, one is hedged', async () => {
    const { chat, upstreams } = await start({
      upstreams: { first: answerAs('first'), second: answerAs('second') },
      file: HEDGED,
    })
    await warmUp(chat)
    const release = Promise.withResolvers<void>()
    const held: Script = async (request, connection) => {
      await release.promise
      await answerAs('late')(request, connection)
    }
    upstreams.first.play(held)
    upstreams.second.play(held)
    const calls = Array.from({ length: 5 }, () => chat({ model: 'smart' }))
    await upstreams.first.request(SAMPLES + 5)
    await upstreams.second.request(1)
    await Bun.sleep(100)
    release.resolve()
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    expect(upstreams.second.requests).toHaveLength(1)
  })
})
