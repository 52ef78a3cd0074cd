import { afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FIXED, numbered, wordsOf } from '../helpers/cache-calls.ts'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { watchReloads } from '../helpers/reloads.ts'
import { runProgram } from '../helpers/run-program.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

const MINE = { authorization: 'Bearer sk-mine' }

/** Starts a gateway whose only upstream wants its callers' own keys. */
async function start(cache: object, command?: readonly string[]): Promise<TestGateway<'one'>> {
  const gateway = await startGateway({
    ...{ upstreams: { one: numbered() }, settings: { one: { auth: 'caller' } }, file: { cache } },
    ...(command !== undefined && { command }),
  })
  cleanUps.push(() => gateway.stop())
  return gateway
}

/** Sends a request byte for byte as before, until it has been answered from the store three times. */
async function askUntilKnown(ask: () => Promise<Response>): Promise<void> {
  expect(await wordsOf([ask, ask, ask, ask])).toEqual(['MISS', 'HIT', 'HIT', 'HIT'])
}

test('a hit that is repeated byte for byte looks, and is logged, like the first one', async () => {
  const gateway = await start({})
  const ask = () => gateway.chat(FIXED, MINE)
  const shown = []
  for (let n = 1; n <= 4; n += 1) {
    const response = await ask()
    const text = await response.text()
    const { request_id, time, duration_ms, ttfb_ms, ...line } = await gateway.exchange(n)
    const headers = [...response.headers].filter(([name]) => !/^(?:x-request-id|date|age|cache-status)$/.test(name))
    shown.push({ text, headers, line, age: Number(response.headers.get('age')) >= 0 })
  }
  const [, first, second, third] = shown
  expect(first?.line).toMatchObject({ cache: 'HIT', model: 'm', attempts: 0, status: 200 })
  expect(second).toEqual(first)
  expect(third).toEqual(first)
})

test('a request of another caller is not answered with it, whatever else is equal', async () => {
  const gateway = await start({})
  await askUntilKnown(() => gateway.chat(FIXED, MINE))
  await askUntilKnown(() => gateway.chat(FIXED, { authorization: 'Bearer sk-else' }))
  expect(gateway.upstreams.one.requests).toHaveLength(2)
})

test('another word in the request about the cache, or another body, counts at once', async () => {
  const gateway = await start({})
  await askUntilKnown(() => gateway.chat(FIXED, MINE))
  const words = await wordsOf([
    () => gateway.chat(FIXED, { ...MINE, 'cache-control': 'no-cache' }),
    () => gateway.chat(FIXED, { ...MINE, 'cache-control': 'no-store' }),
    () => gateway.chat(FIXED, { ...MINE, 'x-nexcode-cache-key': 'v2' }),
    () => gateway.chat({ ...FIXED, top_p: 1 }, MINE),
    () => gateway.chat(FIXED, MINE),
  ])
  expect(words).toEqual(['REFRESH', 'BYPASS', 'MISS', 'MISS', 'HIT'])
})

test('a known hit with a long body is answered from the store, and one byte more makes another request of it', async () => {
  const gateway = await start({})
  const body = (text: string) => JSON.stringify({ ...FIXED, messages: [{ role: 'user', content: text }] })
  const long = 'long '.repeat(100_000)
  await askUntilKnown(() => gateway.chat(body(long), MINE))
  expect(await wordsOf([() => gateway.chat(body(`${long}.`), MINE)])).toEqual(['MISS'])
})

test('an answer that is too old is asked for again', async () => {
  const gateway = await start({})
  const ask = () => gateway.chat(FIXED, { ...MINE, 'x-nexcode-cache-ttl': '3' })
  expect(await wordsOf([ask, ask])).toEqual(['MISS', 'HIT'])
  const words = new Set<string | null>()
  for (; gateway.upstreams.one.requests.length < 2; await Bun.sleep(50)) {
    for (const word of await wordsOf([ask])) words.add(word)
  }
  expect(words).toContain('HIT')
  expect(words).toContain('MISS')
})

test('an answer that was purged meanwhile is asked for again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nexcode-repeats-'))
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }))
  const store = `sqlite:${join(folder, 'cache.db')}`
  const gateway = await start({ store })
  const ask = () => gateway.chat(FIXED, MINE)
  await askUntilKnown(ask)
  expect((await runProgram(['cache', 'purge'], { CACHE: store })).code).toBe(0)
  await askUntilKnown(ask)
})

test('a reload that makes another request of it counts at once', async () => {
  const gateway = await start({}, gatewayCommand())
  const ask = () => gateway.chat(FIXED, MINE)
  await askUntilKnown(ask)
  const upstreams = { one: { base_url: `${gateway.upstreams.one.url}/v1`, auth: 'caller' } }
  gateway.file?.write(JSON.stringify({ upstreams, cache: {}, params: [{ overrides: { temperature: 0.5 } }] }))
  expect(String((await watchReloads(gateway).hangUp())['msg'])).toStartWith('configuration reloaded')
  expect(await wordsOf([ask, ask])).toEqual(['BYPASS', 'BYPASS'])
})
