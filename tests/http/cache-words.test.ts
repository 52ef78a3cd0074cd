import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { DONE, event, FIXED, numbered, streamed, wordOf, wordsOf } from '../helpers/cache-calls.ts'
import { writeConfigFile } from '../helpers/config-file.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { perTest } from '../helpers/per-test.ts'
import { watchReloads } from '../helpers/reloads.ts'
import { startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

const start = perTest(startGateway)
const TOKENS = ['token-of-the-first-0001', 'token-of-the-second-0002'] as const

describe('what callers say about the cache', () => {
  test('x-nexcode-cache-key makes another entry of the same request, and goes no further', async () => {
    const { chat, upstreams } = await start({ upstreams: { one: numbered() }, file: { cache: {} } })
    const as = (key: string) => () => chat(FIXED, { 'x-nexcode-cache-key': key, 'x-nexcode-cache-ttl': '60' })
    expect(await wordsOf([as('a'), as('b'), as('a'), () => chat(FIXED)])).toEqual(['MISS', 'MISS', 'HIT', 'MISS'])
    const names = upstreams.one.requests.flatMap(({ headerLines }) => headerLines.map(([name]) => name.toLowerCase()))
    expect(names.filter((name) => name.startsWith('x-nexcode-'))).toEqual([])
  })

  test('x-nexcode-cache-ttl says how long, up to ttl_max; 0 keeps nothing', async () => {
    const { chat } = await start({ upstreams: { one: numbered() }, file: { cache: { ttl: '60s', ttl_max: '2m' } } })
    /** The seconds that an entry still has, and those that it may have spent already. */
    const ttlOf = async (body: object, ttl?: string): Promise<readonly [leftS: number, spentS: number]> => {
      const startedAt = performance.now()
      const headers = ttl === undefined ? {} : { 'x-nexcode-cache-ttl': ttl }
      await wordOf(await chat({ ...FIXED, ...body }, headers))
      const second = await chat({ ...FIXED, ...body })
      await second.arrayBuffer()
      const left = Number(/hit; ttl=(\d+)/.exec(second.headers.get('cache-status') ?? '')?.[1] ?? Number.NaN)
      return [left, Math.ceil((performance.now() - startedAt) / 1000)]
    }
    const expectTtl = async (seconds: number, body: object, ttl?: string): Promise<void> => {
      const [left, spent] = await ttlOf(body, ttl)
      expect(left).toBeWithin(seconds - spent, seconds + 1)
    }
    await expectTtl(60, { seed: 1 })
    await expectTtl(100, { seed: 2 }, '100')
    await expectTtl(90, { seed: 3 }, '90s')
    await expectTtl(120, { seed: 4 }, '48h')
    await expectTtl(60, { seed: 5 }, 'soon')
    expect((await ttlOf({ seed: 6 }, '0'))[0]).toBeNaN()
  })

  test('an entry ends with its time; max-age takes none that is older', async () => {
    const { chat, upstreams } = await start({ upstreams: { one: numbered() }, file: { cache: { ttl: '3s' } } })
    const send = (headers = {}) => chat(FIXED, headers)
    expect(await wordsOf([send, send])).toEqual(['MISS', 'HIT'])
    await Bun.sleep(20)
    // No age is below 0, and this one is above it.
    const young = await send({ 'cache-control': 'max-age=0' })
    expect([await wordOf(young), young.headers.get('cache-status')]).toEqual([
      'REFRESH',
      'nexcode; fwd=request; stored',
    ])
    expect(await wordOf(await send({ 'cache-control': 'max-age=60' }))).toBe('HIT')
    await Bun.sleep(3100)
    expect(await wordOf(await send())).toBe('MISS')
    expect(upstreams.one.requests).toHaveLength(3)
  })

  test('no-cache takes the place of what was kept', async () => {
    const { chat } = await start({ upstreams: { one: numbered() }, file: { cache: {} } })
    const idOf = async (headers = {}): Promise<unknown> =>
      ((await (await chat(FIXED, headers)).json()) as { id: string }).id
    expect([await idOf(), await idOf({ 'cache-control': 'no-cache' }), await idOf()]).toEqual([
      'answer-1',
      'answer-2',
      'answer-2',
    ])
  })
})

describe('what the operator says', () => {
  test('debug_headers show the key, which nobody else sees', async () => {
    const { chat } = await start({ upstreams: { one: numbered() }, file: { cache: {}, debug_headers: true } })
    const statuses: string[] = []
    for (let n = 0; n < 2; n += 1) {
      const answer = await chat(FIXED)
      await answer.arrayBuffer()
      statuses.push(answer.headers.get('cache-status') ?? '')
    }
    expect(statuses[0]).toMatch(/^nexcode; fwd=miss; stored; key="[0-9a-f]{64}"$/)
    expect(statuses[1]).toMatch(/^nexcode; hit; ttl=\d+; key="[0-9a-f]{64}"$/)
  })

  test('each token has its own answers; with scope: shared they have one', async () => {
    for (const [scope, words] of [
      ['principal', ['MISS', 'MISS', 'HIT', 'HIT']],
      ['shared', ['MISS', 'HIT', 'HIT', 'HIT']],
    ] as const) {
      const { chat } = await start({
        upstreams: { one: numbered() },
        settings: { one: { api_key: 'sk-the-servers' } },
        file: { cache: { scope } },
        env: { REQUIRE_AUTH: 'true', API_TOKEN: TOKENS.join() },
      })
      const as = (token: string) => () => chat(FIXED, { authorization: `Bearer ${token}` })
      expect(await wordsOf([as(TOKENS[0]), as(TOKENS[1]), as(TOKENS[0]), as(TOKENS[1])])).toEqual([...words])
    }
  })

  test('pace: original gives a kept stream with its times; at once is the default', async () => {
    const slow = async (pace: 'instant' | 'original'): Promise<number> => {
      const { chat } = await start({
        upstreams: {
          one: async (request, connection) => {
            await request.body
            connection.startChunked(200, { 'content-type': 'text/event-stream' })
            connection.chunk(event('a'))
            await Bun.sleep(1500)
            connection.chunk(DONE)
            connection.endChunks()
          },
        },
        file: { cache: { pace } },
      })
      const first = await (await chat({ ...FIXED, stream: true })).text()
      const startedAt = performance.now()
      const again = await chat({ ...FIXED, stream: true })
      expect([again.headers.get('x-nexcode-cache'), await again.text()]).toEqual(['HIT', first])
      return performance.now() - startedAt
    }
    expect(await slow('original')).toBeGreaterThan(1400)
    expect(await slow('instant')).toBeLessThan(1400)
  })

  test('a hit is logged with its bytes and with no attempt', async () => {
    const gateway = await start({ upstreams: { one: streamed([event('a'), DONE]) }, file: { cache: {} } })
    const texts = [
      await (await gateway.chat({ ...FIXED, stream: true })).text(),
      await (await gateway.chat({ ...FIXED, stream: true })).text(),
    ]
    const bytes = texts[0]?.length
    expect(await gateway.exchange(1)).toMatchObject({
      cache: 'MISS',
      attempts: 1,
      bytes,
      outcome: 'complete',
      stream: true,
    })
    expect(await gateway.exchange(2)).toMatchObject({
      cache: 'HIT',
      attempts: 0,
      bytes,
      outcome: 'complete',
      stream: true,
    })
  })

  test('a reload keeps what is kept; cache: false ends it, and there is no word of it any more', async () => {
    const upstream = await startScriptedUpstream(numbered())
    const settings = { upstreams: { one: { base_url: `${upstream.url}/v1` } } }
    const file = writeConfigFile({ ...settings, cache: {} })
    const gateway = await startGateway({ env: { NEXCODE_CONFIG: file.path }, command: gatewayCommand() })
    try {
      const reloads = watchReloads(gateway)
      const body = JSON.stringify({ ...FIXED, messages: [{ role: 'user', content: 'hi' }] })
      const headers = { 'content-type': 'application/json' }
      const send = () => fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers, body })
      expect(await wordsOf([send, send])).toEqual(['MISS', 'HIT'])
      file.write(JSON.stringify({ ...settings, cache: {}, params: [{ match: { model: 'other' }, drop: ['user'] }] }))
      await reloads.reloaded(1)
      expect(await wordOf(await send())).toBe('HIT')
      file.write(JSON.stringify({ ...settings, cache: false }))
      await reloads.reloaded(2)
      const without = await send()
      expect([await wordOf(without), without.headers.get('cache-status')]).toEqual([null, null])
      expect(upstream.requests).toHaveLength(2)
    } finally {
      await gateway.stop()
      await upstream.close()
      file.remove()
    }
  })
})
