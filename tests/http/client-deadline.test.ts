import { describe, expect, test } from 'bun:test'
import { perTest } from '../helpers/per-test.ts'
import { openRawClient } from '../helpers/raw-client.ts'
import { errorOf } from '../helpers/received-answers.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerAs, fail } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

const BOTH = { models: { smart: { targets: [{ upstream: 'first' }, { upstream: 'second' }] } } }
/** As OpenAI's Python SDK tells its timeout, in seconds. */
const PYTHON = 'x-stainless-read-timeout'
/** As its Node SDK does. */
const NODE = 'x-stainless-timeout'

/** Answers after a while. */
function after(ms: number, script: Script): Script {
  return async (request, connection) => {
    await Bun.sleep(ms)
    await script(request, connection)
  }
}

describe('a client that tells its timeout', () => {
  test.each([
    [PYTHON, '0.4', 400],
    [NODE, '1', 1000],
  ])('by %s: %s has a clean 504 just before, and the call upstream is ended', async (header, seconds, ms) => {
    const gone = Promise.withResolvers<void>()
    const gateway = await start({
      upstreams: { one: (_request, { closed }) => closed.then(() => gone.resolve()) },
      file: {},
    })
    const startedAt = performance.now()
    const response = await gateway.chat({ model: 'm' }, { [header]: seconds })
    // A machine with other things to do may be late; that it is in time elsewhere is what the log says.
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(ms * 0.8)
    expect(response.status).toBe(504)
    expect(await response.json()).toMatchObject({ error: { code: 'client_deadline', type: 'server_error' } })
    await gone.promise
    const line = await gateway.exchange(1)
    expect(line).toMatchObject({ attempts: 1, error: 'client_deadline', status: 504, outcome: 'failed' })
    expect(line['tries']).toMatchObject([{ target: 'one', why: 'client_deadline' }])
  })

  test('has no attempt made that would begin too late: the refusal is the answer, at once', async () => {
    const { chat, upstreams } = await start({
      upstreams: { one: fail(429, { 'retry-after-ms': '5000' }) },
      file: { retry: { base: 1 } },
    })
    const response = await chat({ model: 'm' }, { [PYTHON]: '3' })
    expect([response.status, response.headers.get('x-should-retry')]).toEqual([429, 'false'])
    expect(upstreams.one.requests).toHaveLength(1)
  })

  test('has no attempt made at a target that is usually too slow for what is left', async () => {
    const { chat, upstreams } = await start({
      upstreams: { first: answerAs('first'), second: after(2000, answerAs('second')) },
      file: { ...BOTH, models: { ...BOTH.models, slow: { targets: [{ upstream: 'second', model: 'smart' }] } } },
    })
    // What is known of a target comes from 20 answers.
    await Promise.all(Array.from({ length: 20 }, async () => (await chat({ model: 'slow' })).text()))
    upstreams.first.play(fail(503))
    const patient = await chat({ model: 'smart' }, { [PYTHON]: '60' })
    expect(await patient.json()).toMatchObject({ by: 'second' })
    expect((await chat({ model: 'smart' }, { [PYTHON]: '1.9' })).status).toBe(503)
    expect(upstreams.second.requests).toHaveLength(21)
  })

  test('has a 504 also where it still waits for a place', async () => {
    const gateway = await start({
      upstreams: { one: (_request, { closed }) => closed },
      settings: { one: { concurrency: { max: 1, queue: 5 } } },
    })
    const holder = new AbortController()
    const holding = fetch(`${gateway.url}/v1/models`, { signal: holder.signal }).catch(() => undefined)
    await gateway.upstreams.one.request(1)
    const response = await gateway.chat({ model: 'm' }, { [PYTHON]: '0.2' })
    expect(response.status).toBe(504)
    expect(await response.json()).toMatchObject({ error: { code: 'client_deadline' } })
    expect(await gateway.exchange(1)).toMatchObject({ attempts: 0, error: 'client_deadline' })
    expect(gateway.upstreams.one.requests).toHaveLength(1)
    holder.abort()
    await holding
  })
})

describe('what is not cut by a client’s timeout', () => {
  test('is a stream that has begun', async () => {
    const { chat } = await start({
      upstreams: {
        one: async (request, connection) => {
          await request.body
          connection.startChunked(200, { 'content-type': 'text/event-stream' })
          connection.chunk('data: {"choices":[]}\n\n')
          await Bun.sleep(1300)
          connection.chunk('data: [DONE]\n\n')
          connection.endChunks()
        },
      },
      file: {},
    })
    const response = await chat({ model: 'm', stream: true }, { [PYTHON]: '1' })
    expect(await response.text()).toBe('data: {"choices":[]}\n\ndata: [DONE]\n\n')
  })

  test('is a call of a server whose file says client_deadline: false', async () => {
    const { chat } = await start({
      upstreams: { one: after(250, answerAs('one')) },
      file: { client_deadline: false },
    })
    expect((await chat({ model: 'm' }, { [PYTHON]: '0.2' })).status).toBe(200)
  })

  test('is a call whose header is no number, or one too small to be meant', async () => {
    const { chat } = await start({ upstreams: { one: after(150, answerAs('one')) }, file: {} })
    const told = ['soon', '0', '-1', '0.05', '1e-1', '']
    const answers = await Promise.all(told.map((seconds) => chat({ model: 'm' }, { [NODE]: seconds })))
    expect(answers.map(({ status }) => status)).toEqual(told.map(() => 200))
  })
})

describe('the clock of a client that limits each wait (Python) starts when its request has come', () => {
  const FORM = { 'content-type': 'multipart/form-data; boundary=x' }

  /** Sends a body in pieces, a wait between them. */
  function upload(url: string, pieces: number, waitMs: number, headers: Readonly<Record<string, string>>) {
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (sent === pieces) return controller.close()
        sent += 1
        await Bun.sleep(waitMs)
        controller.enqueue(new Uint8Array(40_000).fill(0x78))
      },
    })
    return fetch(`${url}/v1/files`, { method: 'POST', body, headers: { ...FORM, ...headers } })
  }

  test('so that a slow upload, which is never silent, is not ended by it', async () => {
    const gateway = await start({ upstreams: { one: answerAs('one') }, file: {} })
    const response = await upload(gateway.url, 8, 200, { [PYTHON]: '1' })
    expect(response.status).toBe(200)
    expect((await gateway.upstreams.one.requests[0]?.body)?.byteLength).toBe(320_000)
  })

  test('and a slow JSON body, which is read whole, is not either', async () => {
    const gateway = await start({ upstreams: { one: answerAs('one') }, file: {} })
    const text = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'x'.repeat(2000) }] })
    const client = await openRawClient(gateway.port)
    client.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n${PYTHON}: 1\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n`,
    )
    for (let at = 0; at < text.length; at += 500) {
      await Bun.sleep(250)
      client.write(text.slice(at, at + 500))
    }
    expect((await client.response()).status).toBe(200)
    expect(gateway.upstreams.one.requests).toHaveLength(1)
    client.leave()
  })

  test('and runs from there on: an upstream that does not answer then is a 504', async () => {
    const gateway = await start({ upstreams: { one: (_request, { closed }) => closed }, file: {} })
    const startedAt = performance.now()
    const response = await upload(gateway.url, 4, 150, { [PYTHON]: '0.5' })
    expect(await errorOf(response)).toMatchObject([504, { code: 'client_deadline' }])
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(600 + 400)
  })

  test('where Node’s counts from the first byte on, the upload too, until the head of the answer is there', async () => {
    const gateway = await start({ upstreams: { one: answerAs('one') }, file: {} })
    const response = await upload(gateway.url, 12, 150, { [NODE]: '1' })
    expect(await errorOf(response)).toMatchObject([504, { code: 'client_deadline' }])
  })
})
