import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { beginStream, DONE, event, FIXED, streamed, wordOf } from '../helpers/cache-calls.ts'
import { perTest } from '../helpers/per-test.ts'
import { openRawClient, postText } from '../helpers/raw-client.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { byHand, fail } from '../helpers/upstream-scripts.ts'

setDefaultTimeout(60_000)

const start = perTest(startGateway)

/** Sends one request twice; gives what the cache did each time, and how often the upstream was asked. */
async function twice(script: Script, options: { readonly body?: object; readonly cache?: object } = {}) {
  const { chat, upstreams } = await start({
    upstreams: { one: script },
    file: { cache: options.cache ?? {}, retry: { attempts: 1 } },
  })
  const words: (string | null)[] = []
  for (let n = 0; n < 2; n += 1) {
    const answer = await chat({ ...FIXED, ...options.body })
    await answer.arrayBuffer().catch(() => undefined)
    words.push(answer.headers.get('x-nexcode-cache'))
  }
  return [...words, upstreams.one.requests.length]
}

/** Answers with JSON under these headers. */
function json(headers: Readonly<Record<string, string>>, text = '{"ok":true}', status = 200): Script {
  return async (request, connection) => {
    await request.body
    connection.respond(status, { 'content-type': 'application/json', ...headers }, text)
  }
}

const BODY = '{"messages":[{"role":"user","content":"hi"}],"model":"m","temperature":0,"stream":true}'
const STREAM = { body: { stream: true } }
const KEPT = ['MISS', 'HIT', 1]
const NOT_KEPT = ['MISS', 'MISS', 2]

describe('what is never kept', () => {
  test('an answer that is no 200', async () => {
    for (const status of [201, 202, 400, 401, 404, 429, 500, 503]) expect(await twice(fail(status))).toEqual(NOT_KEPT)
  })

  test('a 200 that reports a failure, or is cut, or says that it is not to be kept', async () => {
    expect(await twice(json({}, '{"error":{"message":"no"}}'))).toEqual(NOT_KEPT)
    expect(await twice(json({}, '{"ok":'))).toEqual(NOT_KEPT)
    expect(await twice(json({ 'cache-control': 'no-store' }))).toEqual(NOT_KEPT)
    expect(await twice(json({ vary: 'x-mood' }))).toEqual(NOT_KEPT)
    expect(await twice(json({ vary: '*' }))).toEqual(NOT_KEPT)
    expect(await twice(json({ 'cache-control': 'private' }), { cache: { scope: 'shared' } })).toEqual(NOT_KEPT)
    expect(await twice(json({ 'cache-control': 'private' }))).toEqual(KEPT)
  })

  test('an answer with a cookie of a session; that of a load balancer is left out of what is kept', async () => {
    expect(await twice(json({ 'set-cookie': 'session=1' }))).toEqual(NOT_KEPT)
    const { chat } = await start({
      upstreams: { one: json({ 'set-cookie': '__cf_bm=abc; path=/' }) },
      file: { cache: {} },
    })
    const answers = [await chat(FIXED), await chat(FIXED)]
    expect(answers.map(({ headers }) => [headers.get('x-nexcode-cache'), headers.getSetCookie().length])).toEqual([
      ['MISS', 1],
      ['HIT', 0],
    ])
  })

  test('a stream without its last event, or with an error in it', async () => {
    expect(await twice(streamed([event('a'), DONE]), STREAM)).toEqual(KEPT)
    expect(await twice(streamed([event('a')]), STREAM)).toEqual(NOT_KEPT)
    expect(await twice(streamed([event('a'), 'data: {"error":{"message":"no"}}\n\n', DONE]), STREAM)).toEqual(NOT_KEPT)
  })

  test('an answer that breaks off, with the error and the line that it has without a cache', async () => {
    // The event has to be there before the reset, which would overtake it.
    const seen: unknown[] = []
    for (const cache of [false, {}]) {
      const gateway = await start({ upstreams: { one: byHand }, file: { cache } })
      const client = await openRawClient(gateway.port)
      client.write(postText('/v1/chat/completions', BODY))
      const { connection } = await gateway.upstreams.one.arrival()
      beginStream(connection)
      connection.chunk(event('a'))
      await client.until((received) => received.includes(event('a')))
      connection.reset()
      const text = (await client.response()).text()
      const { outcome, error, cause, attempts, bytes, status } = await gateway.exchange(1)
      seen.push({ text, outcome, error, cause, attempts, bytes, status })
    }
    expect(seen[0]).toMatchObject({
      outcome: 'failed',
      error: 'upstream_unreachable',
      cause: 'ECONNRESET',
      attempts: 1,
    })
    expect(seen[1]).toEqual(seen[0])
    const cut: Script = async (request, connection) => {
      await request.body
      beginStream(connection)
      connection.chunk(event('a'))
      // Whatever of it is overtaken, it is not whole.
      await Bun.sleep(50)
      connection.reset()
    }
    expect(await twice(cut, STREAM)).toEqual(NOT_KEPT)
  })

  test('an answer whose client left', async () => {
    const gateway = await start({
      upstreams: {
        one: async (request, connection) => {
          await request.body
          beginStream(connection)
          connection.chunk(event('a'))
        },
      },
      file: { cache: {} },
    })
    const client = await openRawClient(gateway.port)
    client.write(postText('/v1/chat/completions', BODY))
    await client.until((received) => received.includes('"a"'))
    client.leave()
    expect(await gateway.exchange(1)).toMatchObject({ outcome: 'cancelled', attempts: 1, cache: 'MISS' })
    gateway.upstreams.one.play(streamed([event('b'), DONE]))
    expect(await wordOf(await gateway.chat({ ...FIXED, stream: true }))).toBe('MISS')
  })

  test('an answer that is larger than max_answer_bytes, and it comes whole', async () => {
    const large = JSON.stringify({ text: 'x'.repeat(300_000) })
    expect(await twice(json({}, large), { cache: { max_answer_bytes: 100_000 } })).toEqual(NOT_KEPT)
    expect(await twice(json({}, large))).toEqual(KEPT)
    const short = JSON.stringify({ text: 'x'.repeat(300) })
    expect(await twice(json({}, short), { cache: { max_answer_bytes: 200 } })).toEqual(NOT_KEPT)
    expect(await twice(json({}, short), { cache: { max_answer_bytes: 2000 } })).toEqual(KEPT)
  })

  test('a page where JSON belongs, or a status that HTTP does not have: 502 each time, and the place is free again', async () => {
    const page: Script = async (request, connection) => {
      await request.body
      connection.startChunked(200, { 'content-type': 'text/html' })
      connection.chunk('<html>')
    }
    for (const script of [page, json({}, '{}', 600)]) {
      const { chat } = await start({
        upstreams: { one: script },
        settings: { one: { concurrency: { max: 1, queue: 0 } } },
        file: { cache: {} },
      })
      for (let n = 0; n < 3; n += 1) {
        const answer = await chat(FIXED)
        const { error } = (await answer.json()) as { error: { code: string } }
        expect([answer.status, error.code]).toEqual([502, 'upstream_invalid_response'])
      }
    }
  })

  test('headers of one exchange are not kept: no id, no limit, no time of another one', async () => {
    const { chat } = await start({
      upstreams: {
        one: json({
          'x-request-id': 'req_first',
          'x-ratelimit-remaining-requests': '9',
          'openai-processing-ms': '12',
          date: 'Mon, 01 Jan 2024 00:00:00 GMT',
          'openai-version': '2020-10-01',
        }),
      },
      file: { cache: {} },
    })
    await wordOf(await chat(FIXED))
    const { headers } = await chat(FIXED)
    expect(headers.get('x-nexcode-cache')).toBe('HIT')
    expect(headers.get('openai-version')).toBe('2020-10-01')
    for (const name of ['x-ratelimit-remaining-requests', 'openai-processing-ms']) expect(headers.get(name)).toBeNull()
    expect(headers.get('x-request-id')).toMatch(/^req_(?!first)/)
  })
})
