import { describe, expect, test } from 'bun:test'
import { perTest } from '../helpers/per-test.ts'
import type { Script } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'
import { answerAs } from '../helpers/upstream-scripts.ts'

const start = perTest(startGateway)

const FIXED = { model: 'm', temperature: 0 }

/** A stream of three events, each a chunk of its own. */
const stream: Script = async (request, connection) => {
  await request.body
  connection.startChunked(200, { 'content-type': 'text/event-stream', 'x-request-id': 'req_up' })
  for (const text of ['a', 'b']) connection.chunk(`data: {"choices":[{"delta":{"content":"${text}"}}]}\n\n`)
  connection.chunk('data: [DONE]\n\n')
  connection.endChunks()
}

describe('the cache', () => {
  test('answers the same request from what it kept: the same bytes, and the upstream is asked once', async () => {
    const gateway = await start({ upstreams: { one: answerAs('one') }, file: { cache: {} } })
    const first = await gateway.chat(FIXED)
    expect(first.headers.get('x-nexcode-cache')).toBe('MISS')
    const text = await first.text()
    const second = await gateway.chat('{ "temperature":0, "messages":[{"content":"hi","role":"user"}], "model":"m" }')
    expect([second.headers.get('x-nexcode-cache'), second.status, await second.text()]).toEqual(['HIT', 200, text])
    expect(second.headers.get('cache-status')).toMatch(/^nexcode; hit; ttl=\d+$/)
    expect(second.headers.get('age')).toMatch(/^\d+$/)
    expect(second.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'))
    expect(gateway.upstreams.one.requests).toHaveLength(1)
    expect(await gateway.exchange(2)).toMatchObject({ cache: 'HIT', attempts: 0, status: 200, outcome: 'complete' })
  })

  test('keeps a stream, and gives it again byte for byte', async () => {
    const { chat, upstreams } = await start({ upstreams: { one: stream }, file: { cache: {} } })
    const texts: string[] = []
    for (let n = 0; n < 3; n += 1) texts.push(await (await chat({ ...FIXED, stream: true })).text())
    expect(new Set(texts).size).toBe(1)
    expect(texts[0]).toContain('[DONE]')
    expect(upstreams.one.requests).toHaveLength(1)
  })

  test('100 identical streams at once are one call, and 100 equal byte streams', async () => {
    const { chat, upstreams } = await start({ upstreams: { one: stream }, file: { cache: {} } })
    const answers = await Promise.all(Array.from({ length: 100 }, () => chat({ ...FIXED, stream: true })))
    const texts = await Promise.all(answers.map((answer) => answer.text()))
    expect(new Set(texts).size).toBe(1)
    expect(upstreams.one.requests).toHaveLength(1)
    const words = answers.map(({ headers }) => headers.get('x-nexcode-cache'))
    expect(words.filter((word) => word === 'MISS')).toHaveLength(1)
    expect(words.filter((word) => word === 'COALESCED' || word === 'HIT')).toHaveLength(99)
  })

  test('is not for requests that ask for another answer each time, and says so', async () => {
    const { chat, upstreams } = await start({ upstreams: { one: answerAs('one') }, file: { cache: {} } })
    for (let n = 0; n < 2; n += 1) {
      const { headers } = await chat({ model: 'm' })
      expect(headers.get('x-nexcode-cache')).toBe('BYPASS')
    }
    expect(upstreams.one.requests).toHaveLength(2)
  })

  test('is each caller’s own: another key, another answer', async () => {
    const { chat, upstreams } = await start({
      upstreams: { one: answerAs('one') },
      settings: { one: { auth: 'caller' } },
      file: { cache: {} },
    })
    for (const key of ['sk-a', 'sk-b', 'sk-a']) await (await chat(FIXED, { authorization: `Bearer ${key}` })).text()
    expect(upstreams.one.requests).toHaveLength(2)
  })

  test('keeps to Cache-Control: no-cache asks anew, no-store keeps nothing, only-if-cached asks nobody', async () => {
    const { chat, upstreams } = await start({ upstreams: { one: answerAs('one') }, file: { cache: {} } })
    const missing = await chat(FIXED, { 'cache-control': 'only-if-cached' })
    expect(missing.headers.get('x-should-retry')).toBe('false')
    expect(missing.status).toBe(504)
    expect(missing.headers.get('x-should-retry')).toBe('false')
    const none = await chat(FIXED, { 'cache-control': 'no-store' })
    expect(none.headers.get('x-nexcode-cache')).toBe('BYPASS')
    await none.text()
    await (await chat(FIXED)).text()
    const anew = await chat(FIXED, { 'cache-control': 'no-cache' })
    expect(anew.headers.get('x-nexcode-cache')).toBe('REFRESH')
    await anew.text()
    expect((await chat(FIXED, { 'cache-control': 'only-if-cached' })).headers.get('x-nexcode-cache')).toBe('HIT')
    expect(upstreams.one.requests).toHaveLength(3)
  })
})

describe('an Idempotency-Key', () => {
  test('has a retry get the very bytes of the first answer, and the upstream asked once', async () => {
    const { chat, upstreams } = await start({ upstreams: { one: stream }, file: {} })
    const key = { 'idempotency-key': 'once' }
    const first = await (await chat({ model: 'm', stream: true }, key)).text()
    const second = await chat({ model: 'm', stream: true }, key)
    expect(await second.text()).toBe(first)
    expect(upstreams.one.requests).toHaveLength(1)
    const other = await chat({ model: 'other' }, key)
    expect([other.status, await other.json()]).toMatchObject([422, { error: { code: 'idempotency_key_reused' } }])
  })
})
