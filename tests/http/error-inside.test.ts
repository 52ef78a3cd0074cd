import { describe, expect, test } from 'bun:test'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { perTest } from '../helpers/per-test.ts'
import { openRawClient, postText, sendRaw } from '../helpers/raw-client.ts'
import type { Script, UpstreamConnection } from '../helpers/scripted-upstream.ts'
import { MESSAGES } from '../helpers/send-request.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerAs, fail } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

const BOTH = { models: { smart: { targets: [{ upstream: 'first' }, { upstream: 'second' }] } } }
const SSE = { 'content-type': 'text/event-stream' }
const JSON_TYPE = { 'content-type': 'application/json' }
const ERROR = { error: { message: 'the engine has died', type: 'server_error', param: null, code: null } }
const event = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`
const delta = (said: object): object => ({
  id: 'c1',
  object: 'chat.completion.chunk',
  choices: [{ index: 0, delta: said, finish_reason: null }],
})
const FAILED = event(ERROR)
const GOOD = [event(delta({ content: 'hi' })), 'data: [DONE]\n\n']

/** Streams texts, each as a chunk of its own. */
function stream(...texts: readonly (string | Uint8Array)[]): Script {
  return async (request, connection) => {
    await request.body
    connection.startChunked(200, SSE)
    for (const text of texts) connection.chunk(text)
    connection.endChunks()
  }
}

/** Sends bytes one by one, each in a packet of its own. */
function byByte(bytes: Uint8Array, headers: Readonly<Record<string, string>> = {}): Script {
  return async (request, connection) => {
    await request.body
    connection.startChunked(200, { ...SSE, ...headers })
    for (const byte of bytes) {
      connection.chunk(new Uint8Array([byte]))
      await new Promise((resolve) => setImmediate(resolve))
    }
    connection.endChunks()
  }
}

const good: Script = stream(...GOOD)

describe('a stream whose first event is an error', () => {
  test.each<[string, Script]>([
    ['in one piece', stream(FAILED)],
    ['named by its event line', stream(`event: error\n${FAILED}`)],
    ['byte by byte', byByte(Buffer.from(FAILED))],
    ['with CR LF, behind a byte order mark', stream(`\uFEFF${FAILED.replaceAll('\n', '\r\n')}`)],
    ['behind comments', stream(': ping\n\n', ': ping\n\n', FAILED)],
    ['with the [DONE] of some servers', stream(FAILED, 'data: [DONE]\n\n')],
    [
      'behind the chunk that opens a chat, in one packet',
      stream(event(delta({ role: 'assistant', content: '' })) + FAILED),
    ],
    ['without a blank line at its end', stream(FAILED.trimEnd())],
    ['in gzip', stream(gzipSync(FAILED))],
  ])('has the next target asked, and nothing of it goes to the caller: %s', async (what, first) => {
    const script: Script =
      what === 'in gzip'
        ? async (request, connection) => {
            await request.body
            connection.startChunked(200, { ...SSE, 'content-encoding': 'gzip' })
            connection.chunk(gzipSync(FAILED))
            connection.endChunks()
          }
        : first
    const gateway = await start({ upstreams: { first: script, second: good }, file: BOTH })
    const response = await gateway.chat({ model: 'smart', stream: true })
    expect([response.status, await response.text()]).toEqual([200, GOOD.join('')])
    expect(await gateway.exchange(1)).toMatchObject({
      attempts: 2,
      tries: [
        { target: 'first/smart', status: 200, why: 'error_inside' },
        { target: 'second/smart', status: 200 },
      ],
    })
  })

  test.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
  ] as const)('byte by byte in %s, too', async (coding, encode) => {
    const first = byByte(encode(FAILED), { 'content-encoding': coding })
    const { chat } = await start({ upstreams: { first, second: good }, file: BOTH })
    expect(await (await chat({ model: 'smart', stream: true })).text()).toBe(GOOD.join(''))
  })

  test('of the responses API: at once, or behind the events that announce the response', async () => {
    const failed = {
      type: 'response.failed',
      response: { status: 'failed', output: [], error: { code: 'server_error', message: 'no' } },
    }
    const created = { type: 'response.created', response: { status: 'in_progress', output: [] } }
    const done = event({ type: 'response.completed', response: { status: 'completed', output: [] } })
    for (const texts of [
      [event(failed)],
      [event(created) + event(failed)],
      [`event: error\n${event({ type: 'error', code: 'server_error', message: 'no' })}`],
    ]) {
      const { chat, stop } = await start({ upstreams: { first: stream(...texts), second: stream(done) }, file: BOTH })
      const response = await chat({ model: 'smart', stream: true, input: 'x' }, {}, '/v1/responses')
      expect(await response.text()).toBe(done)
      await stop()
    }
  })

  test('is the answer, byte for byte, where no other target is left', async () => {
    const text = `: hello\n\n${FAILED}`
    const { chat } = await start({ upstreams: { first: fail(503), second: stream(text) }, file: BOTH })
    const response = await chat({ model: 'smart', stream: true })
    expect([response.status, await response.text()]).toEqual([200, text])
    const twice = await start({ upstreams: { first: stream(FAILED), second: stream(text) }, file: BOTH })
    expect(await (await twice.chat({ model: 'smart', stream: true })).text()).toBe(text)
  })

  test('counts for the breaker, and the next calls go elsewhere at once', async () => {
    const { chat, upstreams } = await start({
      upstreams: { first: stream(FAILED), second: good },
      file: { ...BOTH, breaker: { failures: 3, open: '1h', open_max: '1h' } },
    })
    for (let call = 0; call < 5; call += 1) await (await chat({ model: 'smart', stream: true })).text()
    expect(upstreams.first.requests).toHaveLength(3)
  })

  test.each<[string, Script]>([
    ['alone', stream(FAILED)],
    ['with a [DONE] behind it', stream(FAILED, 'data: [DONE]\n\n')],
    ['in the midst of an answer', stream(GOOD[0] ?? '', FAILED)],
    ['in JSON', (_request, connection) => connection.json(ERROR)],
  ])(
    'counts for the breaker also where there is no other target, and nothing is held back: %s',
    async (_what, first) => {
      const { chat, upstreams } = await start({
        upstreams: { first },
        file: { breaker: { failures: 3, open: '1h', open_max: '1h' }, all_open: 'refuse' },
      })
      for (let call = 0; call < 3; call += 1) {
        expect(await (await chat({ model: 'm', stream: true })).text()).toContain('the engine has died')
      }
      expect((await chat({ model: 'm', stream: true })).status).toBe(503)
      expect(upstreams.first.requests).toHaveLength(3)
    },
  )

  test('counts not where it is the caller’s own', async () => {
    const mine = { error: { message: 'too long', type: 'invalid_request_error', code: 'context_length_exceeded' } }
    const { chat, upstreams } = await start({
      upstreams: { first: stream(event(mine)) },
      file: { breaker: { failures: 2, open: '1h', open_max: '1h' }, all_open: 'refuse' },
    })
    for (let call = 0; call < 4; call += 1) expect((await chat({ model: 'm', stream: true })).status).toBe(200)
    expect(upstreams.first.requests).toHaveLength(4)
  })

  test('that is the caller’s own, or comes behind something that was made, is handed on', async () => {
    const mine = {
      error: { message: 'too long', type: 'invalid_request_error', param: null, code: 'context_length_exceeded' },
    }
    for (const text of [event(mine), GOOD[0] + FAILED, event({ ...delta({ content: 'hi' }), error: ERROR.error })]) {
      const { chat, upstreams, stop } = await start({ upstreams: { first: stream(text), second: good }, file: BOTH })
      expect(await (await chat({ model: 'smart', stream: true })).text().catch(() => text)).toContain(text)
      expect(upstreams.second.requests).toHaveLength(0)
      await stop()
    }
  })

  test('is not followed where one attempt is all, or an SDK already retries, or without a file', async () => {
    const { chat, upstreams } = await start({
      upstreams: { first: stream(FAILED), second: good },
      file: { ...BOTH, retry: { attempts: 1 } },
    })
    expect(await (await chat({ model: 'smart', stream: true })).text()).toBe(FAILED)
    const other = await start({ upstreams: { first: stream(FAILED), second: good }, file: BOTH })
    const retried = await other.chat({ model: 'smart', stream: true }, { 'x-stainless-retry-count': '1' })
    expect(await retried.text()).toBe(FAILED)
    expect([upstreams.second.requests.length, other.upstreams.second.requests.length]).toEqual([0, 0])
  })

  test('tells by its status whether the same target is asked again, and how its breaker counts', async () => {
    const limited = { error: { message: 'Slow down', type: 'rate_limit_error', code: 'rate_limit_exceeded' } }
    const gateway = await start({
      upstreams: { first: stream(event(limited)), second: fail(503) },
      file: { ...BOTH, retry: { attempts: 3, base: 1 }, breaker: { failures: 1, open: '1h', open_max: '1h' } },
    })
    await (await gateway.chat({ model: 'smart', stream: true })).text()
    expect(await gateway.exchange(1)).toMatchObject({ tries: [{ why: 'error_inside' }, { status: 503 }] })
    // A 429 is no failure of the target's, so that its breaker stays closed.
    await (await gateway.chat({ model: 'smart', stream: true })).text()
    expect(await gateway.exchange(2)).toMatchObject({ tries: [{ target: 'first/smart' }] })
  })

  test('loses against the other one of a hedge', async () => {
    const { chat, upstreams } = await start({
      upstreams: { first: answerAs('first'), second: answerAs('second') },
      file: { ...BOTH, hedge: { percentile: 50, min: 1 } },
    })
    await Promise.all(Array.from({ length: 20 }, async () => (await chat({ model: 'smart' })).text()))
    upstreams.second.play(stream(FAILED))
    upstreams.first.play(async (request, connection) => {
      await upstreams.second.request(1)
      await good(request, connection)
    })
    expect(await (await chat({ model: 'smart', stream: true })).text()).toBe(GOOD.join(''))
  })
})

describe('a JSON answer of 200 that is an error', () => {
  test.each([
    ['with a length', undefined, false],
    ['in chunks', undefined, true],
    ['in gzip', 'gzip', false],
    ['in chunks of gzip', 'gzip', true],
  ])('has the next target asked: %s', async (_what, coding, isChunked) => {
    for (const value of [
      ERROR,
      { error: 'overloaded' },
      { id: 'x', choices: [], error: { message: 'no' } },
      { object: 'error', message: 'no', code: 50001 },
    ]) {
      const bytes = Buffer.from(JSON.stringify(value))
      const first: Script = async (request, connection) => {
        await request.body
        const body = coding === undefined ? bytes : gzipSync(bytes)
        const head = { ...JSON_TYPE, ...(coding && { 'content-encoding': coding }) }
        if (!isChunked) return connection.respond(200, head, body)
        connection.startChunked(200, head)
        for (const byte of body) connection.chunk(new Uint8Array([byte]))
        connection.endChunks()
      }
      const { chat, stop } = await start({ upstreams: { first, second: answerAs('second') }, file: BOTH })
      expect(await (await chat({ model: 'smart' })).json()).toMatchObject({ by: 'second' })
      await stop()
    }
  })

  test('is handed on, byte for byte, where it is the last', async () => {
    const text = '{ "error" : {"message":"no", "n": 1.0} }\n'
    const first: Script = (_request, connection) => connection.respond(200, JSON_TYPE, text)
    const { chat } = await start({ upstreams: { first: fail(429), second: first }, file: BOTH })
    expect(await (await chat({ model: 'smart' })).text()).toBe(text)
  })

  test.each([
    ['an error that is null', { choices: [{ message: { content: 'hi' } }], error: null }],
    ['the word in what was made', { choices: [{ message: { content: '{"error": 1}' } }] }],
    ['an error beside what was made', { choices: [{ message: { content: 'half' }, error: { code: 502 } }] }],
  ])('is not one with %s', async (_what, value) => {
    const text = JSON.stringify(value)
    const { chat, upstreams } = await start({
      upstreams: {
        first: (_request, connection) => connection.respond(200, JSON_TYPE, text),
        second: answerAs('second'),
      },
      file: BOTH,
    })
    expect(await (await chat({ model: 'smart' })).text()).toBe(text)
    expect(upstreams.second.requests).toHaveLength(0)
  })

  test('is not what a GET finds: a response that failed is what was asked for', async () => {
    const value = {
      id: 'resp_12345678',
      object: 'response',
      status: 'failed',
      error: { code: 'server_error', message: 'no' },
    }
    const gateway = await start({
      upstreams: { first: (_request, connection) => connection.json(value), second: answerAs('second') },
      file: BOTH,
    })
    const response = await fetch(`${gateway.url}/v1/responses/resp_12345678`)
    expect(await response.json()).toEqual(value)
    expect(gateway.upstreams.second.requests).toHaveLength(0)
  })
})

describe('an event stream that ends without an event', () => {
  test.each([
    ['nothing', []],
    ['comments only', [': ping\n\n']],
  ])('has the next target asked: %s', async (_what, texts) => {
    const gateway = await start({ upstreams: { first: stream(...texts), second: good }, file: BOTH })
    expect(await (await gateway.chat({ model: 'smart', stream: true })).text()).toBe(GOOD.join(''))
    expect(await gateway.exchange(1)).toMatchObject({ tries: [{ status: 200, why: 'no_event' }, { status: 200 }] })
  })

  test('from the last of them is seen to be broken, and opens its breaker', async () => {
    const { chat, upstreams } = await start({
      upstreams: { first: fail(503), second: stream() },
      file: { ...BOTH, breaker: { failures: 3, open: '1h', open_max: '1h' }, all_open: 'refuse' },
    })
    for (let call = 0; call < 3; call += 1) {
      const seen = await chat({ model: 'smart', stream: true })
        .then(
          async (response) => (response.ok ? await response.text() : response.status),
          () => 'broken',
        )
        .catch(() => 'broken')
      expect(seen === 'broken' || (typeof seen === 'string' && seen.includes('error')) || seen === 502).toBe(true)
    }
    expect((await chat({ model: 'smart', stream: true })).status).toBe(503)
    expect(upstreams.second.requests).toHaveLength(3)
  })
})

test.each([
  ['a coding that nobody knows', 'x-own', Buffer.from('whatever')],
  ['two codings', 'gzip, br', brotliCompressSync(gzipSync(GOOD.join('')))],
  ['a gzip that is none', 'gzip', Buffer.from('data: none\n\n')],
])('a stream in %s is not judged, and goes on as it came', async (_what, coding, bytes) => {
  const first: Script = async (request, connection) => {
    await request.body
    connection.startChunked(200, { ...SSE, 'content-encoding': coding })
    connection.chunk(bytes)
    connection.endChunks()
  }
  const gateway = await start({ upstreams: { first, second: good }, file: BOTH })
  const answer = await sendRaw(
    gateway.port,
    postText('/v1/chat/completions', JSON.stringify({ model: 'smart', stream: true, messages: MESSAGES })),
  )
  expect([answer.status, answer.body.equals(bytes)]).toEqual([200, true])
  expect(gateway.upstreams.second.requests).toHaveLength(0)
})

describe('nothing is held back for long', () => {
  /** A caller on a bare socket, and the upstream's side of its call. */
  async function open(texts: readonly string[], headers: Readonly<Record<string, string>> = {}, type: object = SSE) {
    const held = Promise.withResolvers<UpstreamConnection>()
    const gateway = await start({
      upstreams: {
        first: async (request, connection) => {
          await request.body
          connection.startChunked(200, type as Record<string, string>)
          for (const text of texts) connection.chunk(text)
          held.resolve(connection)
          await connection.closed
        },
        second: good,
      },
      file: BOTH,
    })
    const client = await openRawClient(gateway.port)
    client.write(
      postText('/v1/chat/completions', JSON.stringify({ model: 'smart', stream: true, messages: MESSAGES }), headers),
    )
    return { client, upstream: await held.promise }
  }
  const has = (text: string) => (received: Buffer) => received.includes(text)

  test('an event goes on as soon as it is there, though the stream goes on', async () => {
    const { client, upstream } = await open([GOOD[0] ?? ''])
    await client.until(has('"hi"'))
    upstream.chunk(GOOD[1] ?? '')
    await client.until(has('[DONE]'))
    client.leave()
  })

  test('the chunk that opens a chat goes on before anything is said', async () => {
    const { client } = await open([event(delta({ role: 'assistant', content: '' }))])
    await client.until(has('assistant'))
    client.leave()
  })

  test('comments that keep a slow stream alive go on after a second', async () => {
    const { client, upstream } = await open([': processing\n\n'])
    await client.until(has(': processing'))
    upstream.chunk(FAILED)
    await client.until(has('the engine has died'))
    client.leave()
  })

  test('white space that keeps a slow JSON answer alive goes on at once', async () => {
    const took: number[] = []
    for (let call = 0; call < 3; call += 1) {
      const { client, upstream } = await open([' \n'], {}, JSON_TYPE)
      const startedAt = performance.now()
      await client.until(has('\r\n\r\n'))
      took.push(performance.now() - startedAt)
      upstream.chunk('{"choices":[]}')
      await client.until(has('{"choices":[]}'))
      client.leave()
    }
    // Held, each would take a second; the quickest tells, on a machine that is busy elsewhere too.
    expect(Math.min(...took)).toBeLessThan(900)
  })

  test('a client that tells its time has the head before it is up, though no event has come', async () => {
    const { client, upstream } = await open([], { 'x-stainless-timeout': '1' })
    await client.until(has('HTTP/1.1 200'))
    upstream.chunk(GOOD[0] ?? '')
    await client.until(has('"hi"'))
    client.leave()
  })

  test('a caller that leaves while its answer is held closes the upstream’s connection', async () => {
    const { client, upstream } = await open([])
    client.leave()
    await upstream.closed
  })
})
