import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { beginStream, DONE, event, numbered } from '../helpers/cache-calls.ts'
import { perTest } from '../helpers/per-test.ts'
import { openRawClient, sendRaw } from '../helpers/raw-client.ts'
import { errorOf } from '../helpers/received-answers.ts'
import type { Script, UpstreamConnection } from '../helpers/scripted-upstream.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { fail } from '../helpers/upstream-scripts.ts'

setDefaultTimeout(60_000)

const start = perTest(startGateway)
const KEY = { 'idempotency-key': 'once' } as const
const CHAT = JSON.stringify({ model: 'm', messages: MESSAGES })
const RESPONSE = { id: 'resp_1', object: 'response', created_at: 1, model: 'm', output: [] } as const

/** An upstream that answers each request with the same JSON. */
function always(body: object, headers: Readonly<Record<string, string>> = {}): Script {
  return async (request, connection) => {
    await request.body
    connection.json(body, 200, headers)
  }
}

/** An upstream that sends these pieces of a stream, and leaves its connection open. */
function openEnded(pieces: readonly string[]): Script {
  return async (request, connection) => {
    await request.body
    beginStream(connection)
    for (const piece of pieces) connection.chunk(piece)
  }
}

describe('one Idempotency-Key is one call upstream', () => {
  test.each([
    ['queued', { background: true, error: null }],
    ['in_progress', { background: true, error: null }],
    ['queued', {}],
    ['in_progress', { error: null, incomplete_details: null }],
    ['completed', { background: true, error: null }],
  ])('of a response in the background that is %s and says %p', async (status, more) => {
    const { chat, upstreams } = await start({ upstreams: { one: always({ ...RESPONSE, status, ...more }) }, file: {} })
    const asked = { model: 'm', input: 'x', background: true }
    for (let turn = 0; turn < 3; turn += 1) {
      expect(await (await chat(asked, KEY, '/v1/responses')).json()).toMatchObject({ status })
    }
    expect(upstreams.one.requests).toHaveLength(1)
  })

  test('of a stream in the background that breaks off: it goes on upstream, and nobody begins a second one', async () => {
    const script: Script = async (request, connection) => {
      await request.body
      beginStream(connection)
      connection.chunk('event: response.created\ndata: {"type":"response.created","response":{"id":"resp_1"}}\n\n')
      connection.reset()
    }
    const { chat, upstreams } = await start({ upstreams: { one: script }, file: {} })
    const asked = { model: 'm', input: 'x', background: true, stream: true }
    await (await chat(asked, KEY, '/v1/responses')).text().catch(() => undefined)
    const [status, error] = await errorOf(await chat(asked, KEY, '/v1/responses'))
    expect([status, error]).toMatchObject([409, { code: 'idempotency_outcome_unknown' }])
    expect(upstreams.one.requests).toHaveLength(1)
  })

  test.each([100, 70_000, 300_000, 3_000_000])(
    'of a stream whose last event has %d bytes, also when its client leaves right behind it',
    async (bytes) => {
      const last = `event: response.completed\ndata: ${JSON.stringify({ type: 'response.completed', response: { ...RESPONSE, status: 'completed', error: null, text: 'x'.repeat(bytes) } })}\n\n`
      const pieces = ['event: response.created\ndata: {"type":"response.created"}\n\n', last]
      const gateway = await start({ upstreams: { one: openEnded(pieces) }, file: {} })
      const body = '{"model":"m","input":"x","stream":true}'
      const head = `POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: k\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
      for (let turn = 1; turn <= 3; turn += 1) {
        const client = await openRawClient(gateway.port)
        client.write(head + body)
        await client.until((received) => received.includes('"}}\n\n'))
        client.leave()
        await gateway.exchange(turn)
      }
      expect(gateway.upstreams.one.requests).toHaveLength(1)
    },
  )

  test.each(['AWSALB', 'AWSALBCORS', '__cf_bm', 'GCLB', 'ARRAffinity', 'SERVERID', 'BIGipServerpool_1'])(
    'with a cookie %s of a load balancer’s that is another one with each answer',
    async (name) => {
      let answers = 0
      const script: Script = async (request, connection) => {
        await request.body
        answers += 1
        connection.json({ answers }, 200, { 'set-cookie': `${name}=${answers}; Path=/` })
      }
      const { chat, upstreams } = await start({
        upstreams: { one: script },
        settings: { one: { auth: 'caller' } },
        file: { cache: { store: 'memory', requests: 'all' } },
      })
      const own = { authorization: 'Bearer sk-mine' }
      const cookies = [undefined, `${name}=1`, `a=b; ${name}=2`, `a=b; ${name}=3; c=d`]
      const texts = new Map<string | undefined, string>()
      for (const cookie of cookies) {
        const headers = { ...KEY, ...own, ...(cookie !== undefined && { cookie }) }
        texts.set(cookie, await (await chat({ model: 'm' }, headers)).text())
      }
      // A session is another caller’s; what a load balancer adds is not.
      expect([...texts.values()]).toEqual(['{"answers":1}', '{"answers":1}', '{"answers":2}', '{"answers":3}'])
      const words = []
      for (const value of [1, 2, 3]) {
        const answer = await chat({ model: 'm' }, { ...own, cookie: `${name}=${value}` })
        words.push(answer.headers.get('x-nexcode-cache'))
        await answer.text()
      }
      expect(words).toEqual(['MISS', 'HIT', 'HIT'])
      expect(upstreams.one.requests).toHaveLength(4)
    },
  )

  test('of a body that tells no length', async () => {
    const gateway = await start({ upstreams: { one: numbered() }, file: {} })
    const body = '{"model":"m","input":"x"}'
    const chunked = (cut: number): string => {
      const pieces = [body.slice(0, cut), body.slice(cut)].filter((piece) => piece !== '')
      const chunks = pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('')
      return `POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: k\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${chunks}0\r\n\r\n`
    }
    const texts = []
    for (const cut of [0, 3, 9]) texts.push((await sendRaw(gateway.port, chunked(cut))).text())
    expect(new Set(texts).size).toBe(1)
    expect(gateway.upstreams.one.requests).toHaveLength(1)
    expect(Buffer.from((await gateway.upstreams.one.requests[0]?.body) ?? []).toString()).toBe(body)
  })

  test('of a form, whose parts SDKs part by another line with each try', async () => {
    const gateway = await start({ upstreams: { one: numbered() }, file: {} })
    const send = async (text: string): Promise<Response> => {
      const form = new FormData()
      form.set('model', 'whisper-1')
      form.set('file', new Blob([text]), 'a.wav')
      return fetch(`${gateway.url}/v1/audio/transcriptions`, { method: 'POST', headers: KEY, body: form })
    }
    const texts = [await (await send('sound')).text(), await (await send('sound')).text()]
    expect(texts[0]).toBe(texts[1] ?? '')
    expect((await send('noise')).status).toBe(422)
    expect(gateway.upstreams.one.requests).toHaveLength(1)
  })

  test('of a body that is too large to be compared', async () => {
    const gateway = await start({ upstreams: { one: numbered() }, env: { MAX_JSON_BYTES: '100' }, file: {} })
    const send = (body: string): Promise<Response> =>
      fetch(`${gateway.url}/v1/images/generations`, {
        method: 'POST',
        headers: { ...KEY, 'content-type': 'application/json' },
        body,
      })
    const texts = [await (await send(`{"a":"${'x'.repeat(500)}"}`)).text()]
    texts.push(await (await send(`{"a":"${'x'.repeat(500)}"}`)).text())
    expect(texts[0]).toBe(texts[1] ?? '')
    expect((await send('x'.repeat(900))).status).toBe(422)
    expect(gateway.upstreams.one.requests).toHaveLength(1)
  })

  test('where the header has come twice', async () => {
    const gateway = await start({ upstreams: { one: numbered() }, file: {} })
    const send = async (...lines: readonly string[]): Promise<string> => {
      const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n${lines.map((line) => `${line}\r\n`).join('')}Content-Type: application/json\r\nConnection: close\r\nContent-Length: ${CHAT.length}\r\n\r\n`
      return (await sendRaw(gateway.port, head + CHAT)).text()
    }
    const texts = [
      await send('Idempotency-Key: k'),
      await send('Idempotency-Key: k', 'Idempotency-Key: k'),
      await send('idempotency-key:  k  '),
    ]
    expect(new Set(texts).size).toBe(1)
    expect(gateway.upstreams.one.requests).toHaveLength(1)
  })

  test.each([4, 5, 9])('of a caller whose %d small answers others would have driven out', async (others) => {
    const { chat, upstreams } = await start({
      upstreams: { one: always({ text: 'x'.repeat(20_000) }) },
      settings: { one: { auth: 'caller' } },
      file: { cache: { store: 'memory', max_bytes: 200_000 } },
    })
    const ask = async (who: string, key: string): Promise<number> => {
      const answer = await chat({ model: 'm' }, { authorization: `Bearer ${who}`, 'idempotency-key': key })
      await answer.text()
      return answer.status
    }
    expect(await ask('sk-first', 'mine')).toBe(200)
    for (let n = 0; n < others; n += 1) await ask('sk-other', `other-${n}`)
    expect(await ask('sk-first', 'mine')).toBe(200)
    // What its own answers have driven out is not asked for again either.
    expect(await ask('sk-other', 'other-0')).toBe(409)
    expect(upstreams.one.requests).toHaveLength(1 + others)
  })

  test('of an answer that is larger than what is kept', async () => {
    const { chat, upstreams } = await start({
      upstreams: { one: always({ text: 'x'.repeat(50_000) }) },
      file: { cache: { store: 'memory', max_answer_bytes: 10_000 } },
    })
    expect((await (await chat({ model: 'm' }, KEY)).text()).length).toBeGreaterThan(50_000)
    const again = await chat({ model: 'm' }, KEY)
    expect(again.headers.get('x-should-retry')).toBe('false')
    expect(await errorOf(again)).toMatchObject([409, { code: 'idempotency_answer_not_kept' }])
    expect(upstreams.one.requests).toHaveLength(1)
  })

  test('where the operator hedges, and retries what may have been billed', async () => {
    const { chat, upstreams } = await start({
      upstreams: { first: numbered(), second: numbered() },
      file: {
        models: {
          smart: {
            targets: [{ upstream: 'first' }, { upstream: 'second' }],
            hedge: { percentile: 50, min: 1 },
            retry: { attempts: 3, on: ['connect', 'reset', 'timeout', 500, 503] },
          },
        },
      },
    })
    for (let n = 0; n < 20; n += 1) await (await chat({ model: 'smart' })).text()
    const before = upstreams.first.requests.length + upstreams.second.requests.length
    const calls = (): number => upstreams.first.requests.length + upstreams.second.requests.length - before
    const slow: Script = async (request, connection) => {
      await request.body
      await Bun.sleep(300)
      connection.json({ by: 'slow' })
    }
    upstreams.first.play(slow)
    upstreams.second.play(slow)
    expect((await chat({ model: 'smart' }, KEY)).status).toBe(200)
    expect(calls()).toBe(1)
    for (const [turn, script] of [
      fail(500),
      (_: unknown, connection: UpstreamConnection) => connection.reset(),
    ].entries()) {
      upstreams.first.play(script as Script)
      upstreams.second.play(script as Script)
      expect((await chat({ model: 'smart' }, { 'idempotency-key': `retry-${turn}` })).status).toBeGreaterThan(499)
    }
    expect(calls()).toBe(3)
    // What was refused has cost nothing.
    upstreams.first.play(fail(503))
    upstreams.second.play(numbered())
    expect((await chat({ model: 'smart' }, { 'idempotency-key': 'refused' })).status).toBe(200)
  })
})

test('an Idempotency-Key without a value is refused: whoever sends it relies on it', async () => {
  const { chat, upstreams } = await start({ upstreams: { one: numbered() }, file: {} })
  const [status, error] = await errorOf(await chat({ model: 'm' }, { 'idempotency-key': ' ' }))
  expect([status, error]).toMatchObject([400, { code: 'invalid_idempotency_key' }])
  expect(upstreams.one.requests).toHaveLength(0)
})

test('a stream that ends behind its last event with more is kept as it came', async () => {
  const whole = `${event('a')}${DONE}: bye\n\n`
  const { chat, upstreams } = await start({
    upstreams: {
      one: async (request, connection) => {
        await request.body
        beginStream(connection)
        connection.chunk(whole)
        connection.endChunks()
      },
    },
    file: {},
  })
  const asked = { model: 'm', stream: true }
  expect([await (await chat(asked, KEY)).text(), await (await chat(asked, KEY)).text()]).toEqual([whole, whole])
  expect(upstreams.one.requests).toHaveLength(1)
})
