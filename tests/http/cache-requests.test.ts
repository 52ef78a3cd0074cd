import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { FIXED, numbered, wordOf, wordsOf } from '../helpers/cache-calls.ts'
import { perTest } from '../helpers/per-test.ts'
import { sendRaw } from '../helpers/raw-client.ts'
import { lastBody } from '../helpers/received-requests.ts'
import { startGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

const start = perTest(startGateway)
const MESSAGES = [{ role: 'user', content: 'hi' }]

describe('which requests the cache is for', () => {
  for (const [path, body] of Object.entries({
    '/v1/embeddings': { model: 'm', input: 'hi' },
    '/v1/moderations': { input: 'hi' },
    '/v1/completions': { model: 'm', prompt: 'hi', seed: 7 },
    '/v1/responses': { model: 'm', input: 'hi', store: false, temperature: 0 },
    '/v1/chat/completions': { model: 'm', messages: MESSAGES, temperature: 0 },
    '/embeddings': { model: 'm', input: 'hi' },
  })) {
    test(`POST ${path}: the second one is answered from what was kept`, async () => {
      const { chat, upstreams } = await start({ upstreams: { one: numbered() }, file: { cache: {} } })
      const text = JSON.stringify(body)
      const first = await chat(text, {}, path)
      const second = await chat(text, {}, path)
      expect(await second.text()).toBe(await first.text())
      expect([first, second].map(({ headers }) => headers.get('x-nexcode-cache'))).toEqual(['MISS', 'HIT'])
      expect(upstreams.one.requests).toHaveLength(1)
    })
  }

  const long = Array.from({ length: 300 }, (_, at) => ({ role: 'user', content: `"say" {${at}} again and again` }))
  test.each([
    ['/v1/chat/completions', { model: 'm', messages: long, tools: [{ type: 'function' }], seed: 7 }],
    ['/v1/responses', { model: 'm', store: false, input: long, tools: [{ type: 'function' }], temperature: 0 }],
    ['/v1/embeddings', { model: 'm', input: long.map(({ content }) => content) }],
  ])('POST %s: a long body in another order, with other white space and escapes is the same', async (path, body) => {
    const { chat, upstreams } = await start({ upstreams: { one: numbered() }, file: { cache: {} } })
    const turned = Object.fromEntries(Object.entries(body).toReversed())
    const texts = [JSON.stringify(body), JSON.stringify(turned, null, 3).replaceAll('again', '\\u0061gain')]
    expect(await wordsOf(texts.map((text) => () => chat(text, {}, path)))).toEqual(['MISS', 'HIT'])
    expect(upstreams.one.requests).toHaveLength(1)
    const other = JSON.stringify(body).replace('{299}', '{300}')
    expect(await wordsOf([() => chat(other, {}, path)])).toEqual(['MISS'])
  })

  test('a long body whose tools look something up goes past it', async () => {
    const { chat } = await start({ upstreams: { one: numbered() }, file: { cache: {} } })
    const body = { ...FIXED, messages: long, tools: [{ type: 'function' }, { type: 'web_search' }] }
    const send = (): Promise<Response> => chat(body)
    expect(await wordsOf([send, send])).toEqual(['BYPASS', 'BYPASS'])
  })

  test('GET /v1/models, and a model: the second one is answered from what was kept; HEAD is not for it', async () => {
    const gateway = await start({ upstreams: { one: numbered() }, file: { cache: {} } })
    const get =
      (path: string, method = 'GET') =>
      () =>
        fetch(`${gateway.url}${path}`, { method })
    expect(await wordsOf([get('/v1/models'), get('/v1/models')])).toEqual(['MISS', 'HIT'])
    expect(await wordsOf([get('/v1/models/m'), get('/v1/models/m'), get('/v1/models?x=1')])).toEqual([
      'MISS',
      'HIT',
      'MISS',
    ])
    const head = await get('/v1/models', 'HEAD')()
    expect([head.status, await wordOf(head)]).toEqual([200, 'BYPASS'])
    expect(head.headers.get('cache-status')).toBe('nexcode; fwd=bypass; detail=method')
    expect(gateway.upstreams.one.requests).toHaveLength(4)
  })

  test('others go past it, and Cache-Status says why', async () => {
    const gateway = await start({ upstreams: { one: numbered() }, file: { cache: {} } })
    const why = async (response: Response): Promise<string | undefined> => {
      expect(await wordOf(response)).toBe('BYPASS')
      return response.headers.get('cache-status')?.replace('nexcode; fwd=bypass; detail=', '')
    }
    expect(await why(await gateway.chat({ model: 'm', temperature: 1 }))).toBe('not-deterministic')
    expect(await why(await gateway.chat({ ...FIXED, store: true }))).toBe('kept-upstream')
    expect(await why(await gateway.chat({ ...FIXED, tools: [{ type: 'web_search' }] }))).toBe('not-deterministic')
    expect(await why(await gateway.chat({ model: 'm', input: 'hi' }, {}, '/v1/responses'))).toBe('kept-upstream')
    expect(await why(await gateway.chat(FIXED, { 'cache-control': 'no-store' }))).toBe('no-store')
    expect(await why(await gateway.chat(FIXED, { 'if-none-match': '"a"' }))).toBe('conditional')
    expect(await why(await gateway.chat({ model: 'm', input: 'hi' }, {}, '/v1/audio/speech'))).toBe('endpoint')
    expect(await why(await fetch(`${gateway.url}/v1/files`))).toBe('endpoint')
    expect(await why(await gateway.chat('[1]', {}, '/v1/embeddings'))).toBe('body')
  })

  test('requests: all takes those that sample, too; so does CACHE_SCOPE_REQUESTS=all', async () => {
    for (const how of [
      { file: { cache: { requests: 'all' } } },
      { env: { CACHE: 'memory', CACHE_SCOPE_REQUESTS: 'all' } },
    ]) {
      const { chat } = await start({ upstreams: { one: numbered() }, ...how })
      const send = () => chat({ model: 'm', temperature: 1 })
      expect(await wordsOf([send, send])).toEqual(['MISS', 'HIT'])
    }
  })
})

describe('which requests are the same', () => {
  test('key order, white space and the form of a text do not matter', async () => {
    const { chat, upstreams } = await start({ upstreams: { one: numbered() }, file: { cache: {} } })
    const words = await wordsOf([
      () =>
        chat('{"model":"m","temperature":0,"metadata":{"a":"1","b":"é"},"messages":[{"role":"user","content":"hi"}]}'),
      () =>
        chat(
          '{ "messages": [ { "content": "\\u0068i", "role": "user" } ],\r\n\t"metadata":{"b":"\\u00e9","a":"1"}, "temperature": 0, "model": "m" }',
        ),
    ])
    expect(words).toEqual(['MISS', 'HIT'])
    expect(upstreams.one.requests).toHaveLength(1)
  })

  test('any changed parameter is another request, also one that no double tells apart', async () => {
    const { chat, upstreams } = await start({ upstreams: { one: numbered() }, file: { cache: {} } })
    const of = (more: string) => () => chat(`{"model":"m","messages":[{"role":"user","content":"hi"}],${more}}`)
    const variants = [
      '"seed":9007199254740992',
      '"seed":9007199254740993',
      '"seed":18446744073709551615',
      '"seed":18446744073709551616',
      '"seed":1',
      '"seed":1,"temperature":0',
      '"seed":1,"temperature":0.0000000000000000000000001',
      '"seed":1,"n":2',
      '"seed":1,"stream":false',
      '"seed":1,"unknown_to_us":[1,2]',
      '"seed":1,"unknown_to_us":[2,1]',
      '"seed":1,"unknown_to_us":["1",2]',
      '"seed":1,"unknown_to_us":null',
    ]
    expect(await wordsOf(variants.map(of))).toEqual(variants.map(() => 'MISS'))
    expect(await wordsOf(variants.map(of))).toEqual(variants.map(() => 'HIT'))
    expect(upstreams.one.requests).toHaveLength(variants.length)
  })

  test('it is what goes upstream that counts: two requests that the rules make equal share an answer', async () => {
    const gateway = await start({
      upstreams: { one: numbered() },
      file: { cache: {}, params: [{ overrides: { temperature: 0 }, drop: ['user'] }] },
    })
    const words = await wordsOf([
      () => gateway.chat({ model: 'm', temperature: 1, user: 'a' }),
      () => gateway.chat({ model: 'm', temperature: 0.3, user: 'b' }),
    ])
    expect(words).toEqual(['MISS', 'HIT'])
    expect(JSON.parse(await lastBody(gateway.upstreams.one))).toEqual({
      model: 'm',
      temperature: 0,
      messages: MESSAGES,
    })
    expect(await gateway.exchange(1)).toMatchObject({ params: expect.stringContaining('temperature'), cache: 'MISS' })
    expect(await gateway.exchange(2)).toMatchObject({ params: expect.stringContaining('temperature'), cache: 'HIT' })
  })

  test('a rule that makes a request sample makes it one that goes past the cache', async () => {
    const { chat } = await start({
      upstreams: { one: numbered() },
      file: { cache: {}, params: [{ overrides: { temperature: 1 } }] },
    })
    expect(await wordsOf([() => chat(FIXED), () => chat(FIXED)])).toEqual(['BYPASS', 'BYPASS'])
  })

  test('a body that is no JSON, or that came in pieces, goes on as it came', async () => {
    const gateway = await start({ upstreams: { one: numbered() }, file: { cache: {} } })
    expect(await wordOf(await gateway.chat('{"input":', {}, '/v1/embeddings'))).toBe('BYPASS')
    expect(await lastBody(gateway.upstreams.one)).toBe('{"input":')
    const head = 'POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'
    const pieces = 'Transfer-Encoding: chunked\r\n\r\n9\r\n{"input":\r\n5\r\n"hi"}\r\n0\r\n\r\n'
    expect((await sendRaw(gateway.port, head + pieces)).headers.get('x-nexcode-cache')).toBe('BYPASS')
    expect(await lastBody(gateway.upstreams.one)).toBe('{"input":"hi"}')
  })

  test('with an alias, a hit gives the alias for the model, as the first answer did', async () => {
    const { chat, upstreams } = await start({
      upstreams: { one: numbered() },
      file: { cache: {}, models: { smart: { targets: [{ upstream: 'one', model: 'real' }], report_model: 'alias' } } },
    })
    const answers = [await chat({ ...FIXED, model: 'smart' }), await chat({ ...FIXED, model: 'smart' })]
    const bodies = await Promise.all(answers.map((answer) => answer.json()))
    expect(bodies).toEqual([0, 1].map(() => ({ id: 'answer-1', object: 'thing', model: 'smart' })))
    expect(answers.map(({ headers }) => headers.get('x-nexcode-cache'))).toEqual(['MISS', 'HIT'])
    expect(upstreams.one.requests).toHaveLength(1)
  })

  test('each Accept-Encoding has an answer of its own, which stays as it was encoded', async () => {
    const zipped = Bun.gzipSync('{"ok":true}')
    const { chat, upstreams } = await start({
      upstreams: {
        one: async (request, connection) => {
          await request.body
          if (request.header('accept-encoding') !== 'gzip') return connection.json({ ok: 'plain' })
          connection.respond(
            200,
            { 'content-type': 'application/json', 'content-encoding': 'gzip', vary: 'Accept-Encoding' },
            zipped,
          )
        },
      },
      file: { cache: {} },
    })
    const send = (encoding: string) => chat(FIXED, { 'accept-encoding': encoding })
    const answers = [await send('gzip'), await send('identity'), await send('gzip'), await send('identity')]
    expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual([
      '{"ok":true}',
      '{"ok":"plain"}',
      '{"ok":true}',
      '{"ok":"plain"}',
    ])
    expect(answers[2]?.headers.get('content-encoding')).toBe('gzip')
    expect(answers.map(({ headers }) => headers.get('x-nexcode-cache'))).toEqual(['MISS', 'MISS', 'HIT', 'HIT'])
    expect(upstreams.one.requests).toHaveLength(2)
  })
})
