import { describe, expect, test } from 'bun:test'
import { perTest } from '../helpers/per-test.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerAs, fail } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

const BOTH = { models: { smart: { targets: [{ upstream: 'first' }, { upstream: 'second' }] } } }
const OPENS = { breaker: { failures: 3, open: '1h', open_max: '1h' } }
/** As OpenAI's Python SDK tells its timeout, in seconds. */
const PYTHON = 'x-stainless-read-timeout'
const hang: Script = (_request, { closed }) => closed

function after(ms: number, script: Script): Script {
  return async (request, connection) => {
    await Bun.sleep(ms)
    await script(request, connection)
  }
}

describe('a target that hangs', () => {
  test('is left alone once its silence has outlasted so many clients, and the next calls go elsewhere', async () => {
    const { chat, upstreams } = await start({
      upstreams: { first: hang, second: answerAs('second') },
      file: { ...BOTH, ...OPENS },
    })
    const statuses: number[] = []
    for (let call = 0; call < 6; call += 1) statuses.push((await chat({ model: 'smart' }, { [PYTHON]: '1' })).status)
    expect(statuses).toEqual([504, 504, 504, 200, 200, 200])
    expect(upstreams.first.requests).toHaveLength(3)
  })

  test('is known as such also where its clients wait side by side', async () => {
    const { chat } = await start({
      upstreams: { first: hang, second: answerAs('second') },
      file: { ...BOTH, ...OPENS },
    })
    const calls = Array.from({ length: 3 }, () => chat({ model: 'smart' }, { [PYTHON]: '1' }))
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([504, 504, 504])
    expect((await chat({ model: 'smart' }, { [PYTHON]: '1' })).status).toBe(200)
  })

  test('is not one that is only slower than a hasty client waits: it has answered others, or usually takes longer', async () => {
    const { chat, upstreams } = await start({
      upstreams: { first: after(600, answerAs('first')), second: answerAs('second') },
      file: { ...BOTH, ...OPENS },
    })
    await (await chat({ model: 'smart' })).text()
    for (let call = 0; call < 4; call += 1)
      expect((await chat({ model: 'smart' }, { [PYTHON]: '0.3' })).status).toBe(504)
    expect(await (await chat({ model: 'smart' })).json()).toMatchObject({ by: 'first' })
    expect(upstreams.second.requests).toHaveLength(0)
  })

  test('is not one that still waits for what its client uploads too slowly for its own clock (Node’s)', async () => {
    const gateway = await start({
      upstreams: { first: answerAs('first'), second: answerAs('second') },
      file: { breaker: { failures: 1, open: '1h', open_max: '1h' }, all_open: 'refuse', pins: { files: 'first' } },
    })
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        sent += 1
        if (sent > 12) return controller.close()
        await Bun.sleep(150)
        controller.enqueue(new Uint8Array(40_000))
      },
    })
    const headers = { 'x-stainless-timeout': '1', 'content-type': 'multipart/form-data; boundary=x' }
    const late = await fetch(`${gateway.url}/v1/files`, { method: 'POST', body, headers })
    expect(late.status).toBe(504)
    const again = await fetch(`${gateway.url}/v1/files`)
    expect(await again.json()).toMatchObject({ by: 'first' })
  })

  test('is asked again when its breaker’s time is up, and one answer is enough', async () => {
    const { chat, upstreams } = await start({
      upstreams: { first: hang, second: answerAs('second') },
      file: { ...BOTH, breaker: { failures: 1, open: 50, open_max: 50 } },
    })
    expect((await chat({ model: 'smart' }, { [PYTHON]: '0.3' })).status).toBe(504)
    upstreams.first.play(answerAs('first'))
    await Bun.sleep(80)
    expect(await (await chat({ model: 'smart' })).json()).toMatchObject({ by: 'first' })
  })
})

describe('retry.on: [timeout]', () => {
  const AGAIN = { retry: { on: ['connect', 'timeout'], attempts: 3 } }

  test('gives the first target half of the client’s time, so that the second can still answer', async () => {
    const gateway = await start({
      upstreams: { first: hang, second: answerAs('second') },
      file: { ...BOTH, ...AGAIN },
    })
    expect(await (await gateway.chat({ model: 'smart' }, { [PYTHON]: '2' })).json()).toMatchObject({ by: 'second' })
    const { tries } = (await gateway.exchange(1)) as { tries: { target: string; why?: string; ms: number }[] }
    expect(tries).toMatchObject([
      { target: 'first/smart', why: 'timeout' },
      { target: 'second/smart', status: 200 },
    ])
    expect(tries[0]?.ms).toBeGreaterThanOrEqual(900)
  })

  test('halves what is left again for a third, and the last one has all of the rest', async () => {
    const gateway = await start({
      upstreams: { first: hang, second: hang, third: hang },
      file: {
        models: { smart: { targets: [{ upstream: 'first' }, { upstream: 'second' }, { upstream: 'third' }] } },
        ...AGAIN,
      },
    })
    expect((await gateway.chat({ model: 'smart' }, { [PYTHON]: '2' })).status).toBe(504)
    expect(await gateway.exchange(1)).toMatchObject({
      attempts: 3,
      tries: [{ why: 'timeout' }, { why: 'timeout' }, { why: 'client_deadline' }],
    })
  })

  test('makes no second attempt where timeout is not in it: the first may bill', async () => {
    const { chat, upstreams } = await start({ upstreams: { first: hang, second: answerAs('second') }, file: BOTH })
    expect((await chat({ model: 'smart' }, { [PYTHON]: '0.3' })).status).toBe(504)
    expect(upstreams.second.requests).toHaveLength(0)
  })

  test('has its share also where the first one’s places are taken', async () => {
    const { chat, upstreams } = await start({
      upstreams: { first: hang, second: fail(429) },
      settings: { first: { concurrency: { max: 1, queue: 4, queue_timeout: '1h' } } },
      file: { ...BOTH, ...AGAIN },
    })
    const holding = chat({ model: 'smart' }, { [PYTHON]: '4' })
    await upstreams.first.request(1)
    upstreams.second.play(answerAs('second'))
    expect(await (await chat({ model: 'smart' }, { [PYTHON]: '2' })).json()).toMatchObject({ by: 'second' })
    await (await holding).text()
  })
})
